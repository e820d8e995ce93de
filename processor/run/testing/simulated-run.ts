import { contractSha256, type RunContract } from "../../../instrumentation/contract/contract.ts";
import * as semconv from "../../../instrumentation/semconv.ts";
import type { SpanRow } from "../../clickhouse/rows.ts";
import { spanRow } from "../../clickhouse/testing/row-samples.ts";
import { closing, contract } from "../../testing/evidence.ts";
import { text } from "../../testing/run-spans.ts";
import type { Random } from "./random.ts";

/** One run as its agent knows it, and its spans with the time each is sent, by true time. */
export interface SimulatedRun {
  readonly runId: string;
  readonly project: string;
  readonly traceId: string;
  readonly timeoutMillis: number;
  /** Not the first ones: they bring each contract to the store, which later runs may have by hash only. */
  readonly isLossy: boolean;
  readonly spans: readonly { readonly sentAt: number; readonly span: SpanRow }[];
}

interface Kind {
  readonly contract: RunContract;
  readonly sha256: string;
  readonly json: string;
}

const kind = (clauses: Parameters<typeof contract>[0]): Kind => {
  const made = contract(clauses);
  return { contract: made, sha256: contractSha256(made), json: text(made) };
};

const TIMEOUTS_SECONDS = [20, 60, 180] as const;
const KINDS: readonly Kind[] = TIMEOUTS_SECONDS.flatMap((timeoutSeconds) => [
  kind({ limits: { timeoutSeconds }, sideEffects: { expected: [{ tool: "send", times: { exactly: 1 } }] } }),
  kind({ limits: { timeoutSeconds }, sideEffects: { expected: [{ tool: "send" }], others: "forbid" } }),
  kind({ limits: { timeoutSeconds }, tools: { allowed: ["send", "look"] } }),
]);
/** By hash: what a store knows once a run of each kind has started. */
export const SIMULATED_CONTRACTS: ReadonlyMap<string, RunContract> = new Map(
  KINDS.map((one) => [one.sha256, one.contract]),
);
const PROJECTS = ["shop", "bank", ""] as const;
const TOOLS = ["send", "send", "send", "look", "pay"] as const;
const LOSSLESS = 100;
const MAX_SKEW_MILLIS = 600_000;

/** A tenth never ends, a twentieth says why its process went; one in fifty uses an id of a run of another project. */
export function simulatedRun(random: Random, number: number, startAt: number): SimulatedRun {
  const { sha256, json, contract: made } = KINDS[random.below(KINDS.length)]!;
  const project = PROJECTS[number % PROJECTS.length]!;
  const skew = random.below(2 * MAX_SKEW_MILLIS) - MAX_SKEW_MILLIS;
  const timeoutMillis = made.limits.timeoutSeconds * 1_000;
  const lasts = 500 + random.below(timeoutMillis * 0.9);
  const traceId = random.hex(16);
  const runId = `run-${number}`;
  const rootSpanId = random.hex(8);
  const ResourceAttributes = {
    [semconv.ATTR_SERVICE_INSTANCE_ID]: `process-${number % 50}`,
    ...(project === "" ? {} : { [semconv.ATTR_PROJECT]: project }),
  };
  const span = (at: number, attributes: Readonly<Record<string, string>>, fields: Partial<SpanRow> = {}) => ({
    sentAt: at,
    span: spanRow({
      TraceId: traceId,
      SpanId: random.hex(8),
      ParentSpanId: rootSpanId,
      Timestamp: String(BigInt(Math.round(at + skew)) * 1_000_000n),
      Duration: "1000000",
      ResourceAttributes,
      SpanAttributes: {
        [semconv.ATTR_RUN_ID]: runId,
        [semconv.ATTR_AGENT_NAME]: "agent",
        [semconv.ATTR_CONTRACT_SHA256]: sha256,
        [semconv.ATTR_TIMEOUT_SECONDS]: String(made.limits.timeoutSeconds),
        ...attributes,
      },
      ...fields,
    }),
  });
  const event = (name: string): Record<string, string> => ({ [semconv.ATTR_RUN_EVENT]: name });
  const calls = Array.from({ length: random.below(4) }, (_, index) =>
    span(startAt + (lasts * (index + 1)) / 5, callAttributes(TOOLS[random.below(TOOLS.length)]!)),
  );
  const evidence = { [semconv.ATTR_EVIDENCE]: text(closing({ toolCallCount: calls.length })) };
  const ended = startAt + lasts;
  const isRoot = { SpanId: rootSpanId, ParentSpanId: "", Duration: String(Math.round(lasts) * 1_000_000) };
  const spans = [span(startAt, { ...event(semconv.RUN_EVENT_START), [semconv.ATTR_CONTRACT]: json }), ...calls];
  if (random.chance(0.9)) {
    spans.push(span(ended, { ...event(semconv.RUN_EVENT_CLOSE), ...evidence }));
    spans.push(span(startAt, { ...event(semconv.RUN_EVENT_ROOT), ...evidence }, isRoot));
    spans[spans.length - 1] = { ...spans.at(-1)!, sentAt: ended };
  } else if (random.chance(0.5)) {
    spans.push(span(ended, { ...event(semconv.RUN_EVENT_PROCESS_EXIT), [semconv.ATTR_EXIT_CODE]: "1" }));
  }
  return { runId, project, traceId, timeoutMillis, isLossy: number >= LOSSLESS, spans };
}

const callAttributes = (tool: string): Record<string, string> => ({
  [semconv.ATTR_CALL_KIND]: "tool",
  [semconv.ATTR_TOOL_NAME]: tool,
  [semconv.ATTR_SIDE_EFFECT]: tool === "look" ? "read" : "write",
  [semconv.ATTR_TOOL_CALL_ARGUMENTS]: "{}",
  [semconv.ATTR_TOOL_CALL_RESULT]: "{}",
});

/** A run of another project that uses the same ids, and would change the verdict if it could. */
export const intruderOf = (run: SimulatedRun): SimulatedRun => ({
  ...run,
  project: "intruder",
  spans: run.spans.slice(0, 1).flatMap(({ sentAt, span }) =>
    [
      { ...span.SpanAttributes },
      { ...callAttributes("pay"), [semconv.ATTR_RUN_ID]: run.runId },
      { [semconv.ATTR_RUN_ID]: run.runId, ...{ [semconv.ATTR_RUN_EVENT]: semconv.RUN_EVENT_ROOT } },
    ].map((SpanAttributes, index) => ({
      sentAt: sentAt + 10 * index,
      span: {
        ...span,
        SpanId: `${index}${span.SpanId.slice(1)}`,
        SpanAttributes,
        ResourceAttributes: { [semconv.ATTR_PROJECT]: "intruder" },
      },
    })),
  ),
});
