import { parseContract, type RunContract } from "../../instrumentation/contract/contract.ts";
import type { AbandonCause } from "../../instrumentation/contract/evidence.ts";
import type { Verdict } from "../../instrumentation/contract/verdict.ts";
import { canonicalJson } from "../../instrumentation/json/canonical.ts";
import { parseJson, type JsonValue } from "../../instrumentation/json/json.ts";
import * as semconv from "../../instrumentation/semconv.ts";
import type { SpanRow } from "../clickhouse/rows.ts";
import type { RunRow } from "../clickhouse/run-rows.ts";
import type { Component } from "../component.ts";
import type { RunFacts } from "../evidence/run-facts.ts";
import { runFactsFromSpans } from "../evidence/run-facts-from-spans.ts";
import { attribute } from "../evidence/span-attributes.ts";
import { judge } from "../verdict/judge.ts";
import { createRunQueue } from "./run-queue.ts";
import { runRowFromFacts, saysSomethingNew } from "./run-row-from-facts.ts";
import type { RunStore, StoredRun } from "./run-store.ts";
import { verdictLogRow } from "./verdict-log-row.ts";

/** Told of every verdict that says something new. */
export type VerdictListener = (row: RunRow, verdict: Verdict, facts: RunFacts) => void | Promise<void>;

export interface RunAssemblerOptions {
  readonly store: RunStore;
  /** Added to a run's timeout before it counts as abandoned, milliseconds. */
  readonly graceMillis: number;
  /** How long an ended run waits for spans it announced and that have not come yet, milliseconds. */
  readonly settleMillis: number;
  readonly now: () => number;
  readonly onVerdict?: VerdictListener;
  readonly onError: (what: string, error: unknown) => void;
}

export interface RunAssembler extends Component {
  /** Looks at spans that have just become durable; returns at once. */
  observe(rows: readonly SpanRow[]): void;
  /** Looks at a run again: after a restart, or because something suggests it. */
  revisit(run: StoredRun): void;
  /** Closes a run that passed its deadline. Late evidence re-judges it. */
  abandon(row: RunRow): Promise<void>;
  /** Resolves when nothing is waiting. */
  idle(): Promise<void>;
}

const SETTLE_STEP_MILLIS = 250;
/** Calls of a run that is not known to be open: perhaps late evidence, worth one look after the burst. */
const LATE_CALL_DELAY_MILLIS = 500;
const MAX_REMEMBERED = 100_000;

/**
 * Turns stored spans into run records. Nothing is assembled in memory: a touched run is read back from the store and
 * folded anew, so restarts, duplicates and late spans need no code of their own. The verdict is a function of stored
 * facts, and its version is made from them.
 */
export function createRunAssembler(options: RunAssemblerOptions): RunAssembler {
  const { store, now } = options;
  const open = new Set<string>();
  const contracts = new Set<string>();
  const endSeenAt = new Map<string, number>();
  const queue = createRunQueue({ now, work: (run) => refresh(run), onError: options.onError });

  async function refresh(run: StoredRun, abandoned?: { readonly cause: AbandonCause | null }): Promise<void> {
    const [spans, current] = await Promise.all([store.spansOfRun(run.traceId), store.currentRun(run.runId)]);
    const wasAbandoned = current?.failure_class === "run_abandoned" ? { cause: null } : undefined;
    const known = { ...((abandoned ?? wasAbandoned) ? { abandoned: abandoned ?? wasAbandoned } : {}) } as {
      abandoned?: { cause: AbandonCause | null };
    };
    let facts = runFactsFromSpans(run.runId, spans, known);
    if (facts.factCount === 0 || facts.startUnixNano === null) return;
    if (facts.contract === null && facts.contractProblem === null && facts.contractSha256 !== "") {
      facts = runFactsFromSpans(run.runId, spans, { ...known, contract: await storedContract(facts.contractSha256) });
    }
    if (waitsForSpans(facts)) return queue.add(run, SETTLE_STEP_MILLIS);
    endSeenAt.delete(run.runId);
    await record(facts, current);
  }

  /** The run's end announces how many calls it made; the exporter may still hold some of them. */
  function waitsForSpans(facts: RunFacts): boolean {
    const told = facts.evidence.closing?.toolCallCount ?? 0;
    if (facts.evidence.phase !== "ended" || facts.evidence.toolCalls.length >= told) return false;
    const seenAt = endSeenAt.get(facts.runId) ?? now();
    remember(endSeenAt, facts.runId, seenAt);
    return now() - seenAt < options.settleMillis;
  }

  async function record(facts: RunFacts, current: RunRow | undefined): Promise<void> {
    const verdict = facts.evidence.phase === "open" ? null : judge(facts.evidence, facts.contract);
    const receivedAt = current?.received_at ?? now();
    const deadlineAt = receivedAt + facts.timeoutSeconds * 1_000 + options.graceMillis;
    const row = runRowFromFacts(facts, verdict, { receivedAt, deadlineAt, now: now() });
    if (!saysSomethingNew(row, current)) return;
    await rememberContract(facts);
    await store.insertRuns([row]);
    if (verdict === null) return;
    await store.insertLogs([verdictLogRow(row, verdict)]);
    await options.onVerdict?.(row, verdict, facts);
  }

  async function rememberContract(facts: RunFacts): Promise<void> {
    if (facts.contract === null || contracts.has(facts.contractSha256)) return;
    const contract = canonicalJson(facts.contract as unknown as JsonValue);
    await store.insertContracts([
      { contract_sha256: facts.contractSha256, contract, agent_name: facts.agentName, first_seen_at: now() },
    ]);
    if (contracts.size >= MAX_REMEMBERED) contracts.clear();
    contracts.add(facts.contractSha256);
  }

  async function storedContract(sha256: string): Promise<RunContract | null> {
    const text = await store.contract(sha256);
    try {
      return text === undefined ? null : parseContract(parseJson(text));
    } catch {
      return null;
    }
  }

  function touch(span: SpanRow): void {
    const runId = attribute(span, semconv.ATTR_RUN_ID);
    if (runId === "") return;
    const run = { runId, traceId: span.TraceId };
    const event = attribute(span, semconv.ATTR_RUN_EVENT);
    if (event === semconv.RUN_EVENT_START) {
      if (open.size >= MAX_REMEMBERED) open.clear();
      open.add(runId);
      queue.add(run, 0);
    } else if (event === semconv.RUN_EVENT_ROOT || event === semconv.RUN_EVENT_CLOSE) {
      open.delete(runId);
      queue.add(run, 0);
    } else if (!open.has(runId)) queue.add(run, LATE_CALL_DELAY_MILLIS);
  }

  return {
    start: async () => {},
    shutdown: () => queue.shutdown(),
    observe: (rows) => rows.forEach(touch),
    revisit: (run) => queue.add(run, 0),
    abandon: async (row) => {
      const spans = await store.spansOfRun(row.trace_id);
      await refresh({ runId: row.run_id, traceId: row.trace_id }, { cause: await causeOfSilence(store, row, spans) });
    },
    idle: () => queue.idle(),
  };
}

/** Last words of the process win; else a process that went on sending lost this run's telemetry; else nobody knows. */
async function causeOfSilence(store: RunStore, row: RunRow, spans: readonly SpanRow[]): Promise<AbandonCause | null> {
  const events = new Set(
    spans
      .filter((span) => attribute(span, semconv.ATTR_RUN_ID) === row.run_id)
      .map((span) => attribute(span, semconv.ATTR_RUN_EVENT)),
  );
  if (events.has(semconv.RUN_EVENT_PROCESS_EXIT) || events.has(semconv.RUN_EVENT_PROCESS_DIED)) return null;
  const start = spans.find((span) => attribute(span, semconv.ATTR_RUN_EVENT) === semconv.RUN_EVENT_START);
  const instance = start?.ResourceAttributes[semconv.ATTR_SERVICE_INSTANCE_ID] ?? "";
  return instance !== "" && (await store.heardAfter(instance, row.deadline_at)) ? "telemetry_lost" : null;
}

function remember(map: Map<string, number>, key: string, value: number): void {
  if (map.size >= MAX_REMEMBERED) map.clear();
  map.set(key, value);
}
