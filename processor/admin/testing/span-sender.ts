/** An OTLP/JSON body of one span; its id tells it from all others. */
function spanBody(index: number): string {
  const spanId = index.toString(16).padStart(16, "0");
  const nanos = String(BigInt(Date.now()) * 1_000_000n);
  const span = { traceId: spanId + spanId, spanId, name: "work", startTimeUnixNano: nanos, endTimeUnixNano: nanos };
  return JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] });
}

export interface SpanSender {
  /** Requests answered 2xx. */
  readonly acknowledged: number;
  /** Everything else. */
  readonly refused: number;
  stop(): Promise<void>;
}

/** Sends one span after the other, about a hundred a second, until it is stopped. */
export function startSpanSender(otlpUrl: string): SpanSender {
  let stopped = false;
  let acknowledged = 0;
  let refused = 0;
  const sendOne = async (index: number): Promise<void> => {
    const headers = { "content-type": "application/json" };
    const body = spanBody(index);
    const response = await fetch(`${otlpUrl}/v1/traces`, { method: "POST", headers, body }).catch(() => undefined);
    await response?.arrayBuffer();
    if (response?.ok === true) acknowledged++;
    else refused++;
  };
  const sending = (async () => {
    for (let index = 1; !stopped; index++) {
      await sendOne(index);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  })();
  return {
    get acknowledged() {
      return acknowledged;
    },
    get refused() {
      return refused;
    },
    async stop() {
      stopped = true;
      await sending;
    },
  };
}
