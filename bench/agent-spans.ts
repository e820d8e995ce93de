import type { AnyValue, KeyValue, ResourceSpans, Span, SpanEvent } from "../processor/otlp/model.ts";
import { encodeTracesProtobuf } from "../processor/otlp/testing/encode-protobuf.ts";

export interface AgentSpansOptions {
  /** Number of export requests. */
  readonly requests: number;
  /** Runs per request; each is one trace of 12 spans. */
  readonly runsPerRequest: number;
  /** The same seed gives the same bytes. Default 1. */
  readonly seed?: number;
}

export const SPANS_PER_RUN = 12;

/** 2026-11-21T00:00:00Z. */
const FIRST_TIME = 1_795_219_200_000_000_000n;

/**
 * Export requests as agents send them, as protobuf bytes, about 1.5 KB a span. A run is 1 root with about 20 attributes,
 * 4 model calls of about 2 KB prompt and response, 6 tool calls of about 500 bytes and 1 http span; 8 % of the runs
 * fail with an exception event; words follow Zipf's law and 1.5 % of the texts leave ASCII.
 */
export function* agentSpanRequests(options: AgentSpansOptions): Generator<Uint8Array> {
  const random = createRandom(options.seed ?? 1);
  for (let request = 0; request < options.requests; request++) {
    const spans: Span[] = [];
    for (let run = 0; run < options.runsPerRequest; run++) {
      const number = request * options.runsPerRequest + run;
      spans.push(...runSpans(random, number));
    }
    yield encodeTracesProtobuf({ resourceSpans: [resourceSpans(spans, request)] });
  }
}

interface Random {
  /** Whole number from 0 to `limit` - 1. */
  below(limit: number): number;
  hex(bytes: number): string;
  /** Words up to `size` characters. */
  text(size: number): string;
}

/** Marsaglia's xorshift32: small, and good enough for text. */
function createRandom(seed: number): Random {
  let state = seed * 2_654_435_761 || 1;
  const next = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
  const below = (limit: number): number => next() % limit;
  const words = Array.from({ length: 4_000 }, () =>
    Array.from({ length: 2 + below(9) }, () => String.fromCharCode(97 + below(26))).join(""),
  );
  const word = (): string => words[Math.floor(words.length ** (below(1_000_000) / 1_000_000))]!;
  return {
    below,
    hex: (bytes) => Array.from({ length: bytes }, () => (below(255) + 1).toString(16).padStart(2, "0")).join(""),
    text(size) {
      const parts = below(1_000) < 15 ? ["データ 🙂 résumé"] : [];
      for (let length = 0; length < size;) {
        const part = word();
        parts.push(part);
        length += part.length + 1;
      }
      return parts.join(" ");
    },
  };
}

const string = (key: string, value: string): KeyValue => ({ key, value: { type: "stringValue", value } });
const integer = (key: string, value: number): KeyValue => ({ key, value: { type: "intValue", value: BigInt(value) } });
const other = (key: string, value: AnyValue): KeyValue => ({ key, value });

function resourceSpans(spans: Span[], request: number): ResourceSpans {
  const attributes = [
    string("service.name", `agents-${request % 3}`),
    string("service.version", "1.4.2"),
    string("service.instance.id", `instance-${request % 7}`),
    string("telemetry.sdk.language", "nodejs"),
    string("telemetry.sdk.name", "opentelemetry"),
    string("telemetry.sdk.version", "2.12.1"),
    string("host.name", `host-${request % 5}`),
    string("process.runtime.name", "nodejs"),
    integer("process.pid", 4_000 + (request % 7)),
    string("deployment.environment.name", "production"),
  ];
  const scope = { name: "runproof", version: "0.1.0", attributes: [] };
  return { resource: { attributes }, scopeSpans: [{ scope, spans, schemaUrl: "" }], schemaUrl: "" };
}

interface Run {
  readonly random: Random;
  readonly number: number;
  readonly id: string;
  readonly traceId: string;
  readonly rootSpanId: string;
  readonly agent: string;
  readonly model: string;
}

function runSpans(random: Random, number: number): Span[] {
  const agent = `agent-${random.below(20)}`;
  const model = `model-${random.below(6)}`;
  const run: Run = {
    random,
    number,
    id: `run-${number}`,
    traceId: random.hex(16),
    rootSpanId: random.hex(8),
    agent,
    model,
  };
  const isFailed = random.below(100) < 8;
  const calls = [
    ...Array.from({ length: 4 }, (_, index) => modelCall(run, index)),
    ...Array.from({ length: 6 }, (_, index) => toolCall(run, index + 4)),
    httpCall(run, 10),
  ];
  return [...calls, root(run, isFailed)];
}

function spanOf(run: Run, order: number, fields: Partial<Span> & Pick<Span, "name" | "attributes">): Span {
  const start = FIRST_TIME + BigInt(run.number) * 20_000_000n + BigInt(order) * 1_000_000n;
  return {
    traceId: run.traceId,
    spanId: run.random.hex(8),
    traceState: "",
    parentSpanId: run.rootSpanId,
    kind: 1,
    startTimeUnixNano: start,
    endTimeUnixNano: start + BigInt(1 + run.random.below(900_000_000)),
    events: [],
    links: [],
    status: { message: "", code: 0 },
    ...fields,
  };
}

function modelCall(run: Run, order: number): Span {
  const { random, model } = run;
  const messages = JSON.stringify([{ role: "user", content: random.text(1_400) }]);
  const answer = JSON.stringify([{ role: "assistant", content: random.text(500) }]);
  return spanOf(run, order, {
    name: `chat ${model}`,
    kind: 3,
    attributes: [
      string("gen_ai.operation.name", "chat"),
      string("gen_ai.provider.name", "openai"),
      string("gen_ai.request.model", model),
      string("gen_ai.response.model", `${model}-2026-08`),
      string("gen_ai.response.id", random.hex(12)),
      other("gen_ai.request.temperature", { type: "doubleValue", value: random.below(10) / 10 }),
      integer("gen_ai.request.max_tokens", 4_096),
      integer("gen_ai.usage.input_tokens", random.below(20_000)),
      integer("gen_ai.usage.output_tokens", random.below(2_000)),
      other("gen_ai.response.finish_reasons", {
        type: "arrayValue",
        value: [{ type: "stringValue", value: "stop" }],
      }),
      string("gen_ai.input.messages", messages),
      string("gen_ai.output.messages", answer),
      string("server.address", "api.example.com"),
      integer("server.port", 443),
      string("runproof.run.id", run.id),
    ],
  });
}

function toolCall(run: Run, order: number): Span {
  const { random } = run;
  const tool = `tool_${random.below(30)}`;
  return spanOf(run, order, {
    name: `execute_tool ${tool}`,
    attributes: [
      string("gen_ai.operation.name", "execute_tool"),
      string("gen_ai.tool.name", tool),
      string("gen_ai.tool.type", "function"),
      string("gen_ai.tool.call.id", `call_${random.hex(8)}`),
      string("gen_ai.tool.call.arguments", JSON.stringify({ query: random.text(120), limit: random.below(50) })),
      string("gen_ai.tool.call.result", JSON.stringify({ rows: [random.text(180), random.text(120)] })),
      integer("runproof.call.ordinal", order),
      integer("runproof.call.attempt", 1),
      other("runproof.call.ok", { type: "boolValue", value: true }),
      string("runproof.run.id", run.id),
    ],
  });
}

function httpCall(run: Run, order: number): Span {
  return spanOf(run, order, {
    name: "POST",
    kind: 3,
    attributes: [
      string("http.request.method", "POST"),
      string("url.full", "https://api.example.com/v1/chat/completions"),
      string("server.address", "api.example.com"),
      integer("server.port", 443),
      integer("http.response.status_code", 200),
      string("network.protocol.version", "1.1"),
      string("user_agent.original", "agent/1.0 node"),
    ],
  });
}

function root(run: Run, isFailed: boolean): Span {
  const { random } = run;
  return spanOf(run, 11, {
    name: `invoke_agent ${run.agent}`,
    spanId: run.rootSpanId,
    parentSpanId: "",
    attributes: rootAttributes(run, isFailed),
    events: isFailed ? [exceptionEvent(random)] : [],
    status: isFailed ? { message: random.text(60), code: 2 } : { message: "", code: 1 },
  });
}

function rootAttributes(run: Run, isFailed: boolean): KeyValue[] {
  const { random } = run;
  return [
    string("gen_ai.operation.name", "invoke_agent"),
    string("gen_ai.agent.name", run.agent),
    string("gen_ai.agent.id", `id-${run.agent}`),
    string("gen_ai.conversation.id", random.hex(8)),
    string("gen_ai.provider.name", "openai"),
    string("gen_ai.request.model", run.model),
    integer("gen_ai.usage.input_tokens", random.below(80_000)),
    integer("gen_ai.usage.output_tokens", random.below(8_000)),
    string("runproof.run.id", run.id),
    string("runproof.event", "run"),
    string("runproof.task.id", `task-${random.below(500)}`),
    integer("runproof.run.attempt", 1),
    string("runproof.run.input", random.text(300)),
    string("runproof.run.claim", random.text(200)),
    string("runproof.contract.sha256", "a".repeat(64)),
    string("runproof.code.version", "4f2c9d1"),
    string("runproof.prompt.version", "12"),
    other("runproof.run.timeout_seconds", { type: "doubleValue", value: 120.5 }),
    other("runproof.tool_allowlist", {
      type: "arrayValue",
      value: ["search", "fetch", "write"].map((value): AnyValue => ({ type: "stringValue", value })),
    }),
    ...(isFailed ? [string("error.type", "TimeoutError")] : []),
  ];
}

function exceptionEvent(random: Random): SpanEvent {
  return {
    timeUnixNano: FIRST_TIME + BigInt(random.below(1_000_000_000)),
    name: "exception",
    attributes: [
      string("exception.type", "TimeoutError"),
      string("exception.message", random.text(80)),
      string("exception.stacktrace", random.text(600)),
    ],
  };
}
