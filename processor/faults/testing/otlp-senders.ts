import { OTLPTraceExporter as GrpcTraceExporter } from "@opentelemetry/exporter-trace-otlp-grpc";
import { OTLPTraceExporter as ProtobufTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import type { SpanExporter } from "@opentelemetry/sdk-trace";
import { setTimeout as sleep } from "node:timers/promises";
import { numberedBatch } from "./numbered-spans.ts";
import type { ReadyService } from "./service-process.ts";

/** What senders know: what they sent, and what was acknowledged. */
export interface SendLedger {
  /** Batches 0 to `next` - 1 were sent, some of them perhaps in vain. */
  next: number;
  readonly acknowledged: Set<number>;
  /** Sent more than once: these may be stored more than once, though never visible so. */
  readonly repeated: Set<number>;
  /** To be sent again by the next life's senders. */
  readonly unanswered: number[];
}

export const createSendLedger = (): SendLedger => ({
  next: 0,
  acknowledged: new Set(),
  repeated: new Set(),
  unanswered: [],
});

export interface OtlpSenders {
  /** Resolves when every request has ended, whatever way. */
  stop(): Promise<void>;
}

const LANES = 4;
const PAUSE_MILLIS = 8;
/** Below the exporters' first pause before a retry: whether to send again is decided here, where it is counted. */
const TIMEOUT_MILLIS = 900;

/**
 * The exporters of OpenTelemetry JS, over HTTP with gzip and over gRPC. Those over HTTP send a batch again until it is
 * acknowledged, as agents do; those over gRPC never do, so whatever of theirs is stored twice was doubled by the service.
 */
export function startOtlpSenders({ otlpUrl, otlpGrpcUrl }: ReadyService, ledger: SendLedger): OtlpSenders {
  let stopped = false;
  const shared = { timeoutMillis: TIMEOUT_MILLIS, concurrencyLimit: 64 };
  const http = new ProtobufTraceExporter({ ...shared, url: `${otlpUrl}/v1/traces`, compression: "gzip" as never });
  const grpc = new GrpcTraceExporter({ ...shared, url: otlpGrpcUrl });

  async function lane(exporter: SpanExporter, repeats: boolean): Promise<void> {
    while (!stopped) {
      const again = repeats ? ledger.unanswered.pop() : undefined;
      const batch = again ?? ledger.next++;
      if (again !== undefined) ledger.repeated.add(batch);
      if (await sent(exporter, batch)) ledger.acknowledged.add(batch);
      else if (repeats) ledger.unanswered.push(batch);
      await sleep(PAUSE_MILLIS);
    }
  }

  const lanes = Array.from({ length: LANES }, () => [lane(http, true), lane(grpc, false)]).flat();
  return {
    async stop() {
      stopped = true;
      await Promise.all(lanes);
      await Promise.all([http.shutdown(), grpc.shutdown()]);
    },
  };
}

const sent = (exporter: SpanExporter, batch: number): Promise<boolean> =>
  new Promise((resolve) => exporter.export(numberedBatch(batch), ({ code }) => resolve(code === 0)));
