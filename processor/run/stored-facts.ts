import { parseContract, type RunContract } from "../../instrumentation/contract/contract.ts";
import type { AbandonCause } from "../../instrumentation/contract/evidence.ts";
import { parseJson } from "../../instrumentation/json/json.ts";
import * as semconv from "../../instrumentation/semconv.ts";
import type { SpanRow } from "../clickhouse/rows.ts";
import type { RunRow } from "../clickhouse/run-rows.ts";
import type { RunFacts } from "../evidence/run-facts.ts";
import { runFactsFromSpans, type KnownFacts } from "../evidence/run-facts-from-spans.ts";
import { attribute } from "../evidence/span-attributes.ts";
import type { RunStore } from "./run-store.ts";

export interface SpansOfRun {
  readonly runId: string;
  /** All of the trace. */
  readonly spans: readonly SpanRow[];
  /** The record of the run if its deadline passed: without an end among the spans it counts as abandoned. */
  readonly givenUp: RunRow | undefined;
}

/** The facts of a run: its spans, and what only the store knows. */
export async function storedFacts(store: RunStore, { runId, spans, givenUp }: SpansOfRun): Promise<RunFacts> {
  const told = runFactsFromSpans(runId, spans);
  let known: KnownFacts = {};
  if (told.contract === null && told.contractProblem === null && told.contractSha256 !== "") {
    known = { contract: await storedContract(store, told.contractSha256) };
  }
  if (told.evidence.phase === "open" && givenUp !== undefined) {
    known = { ...known, abandoned: { cause: await causeOfSilence(store, givenUp, spans) } };
  }
  return Object.keys(known).length === 0 ? told : runFactsFromSpans(runId, spans, known);
}

async function storedContract(store: RunStore, sha256: string): Promise<RunContract | null> {
  const text = await store.contract(sha256);
  try {
    return text === undefined ? null : parseContract(parseJson(text));
  } catch {
    // One that no longer parses is the same as none: the verdict then says what is missing.
    return null;
  }
}

/** Last words of the process win; else a process that outlived the run lost its telemetry; else nobody knows. */
async function causeOfSilence(store: RunStore, run: RunRow, spans: readonly SpanRow[]): Promise<AbandonCause | null> {
  const own = spans.filter((span) => attribute(span, semconv.ATTR_RUN_ID) === run.run_id);
  const spanOf = (event: string): SpanRow | undefined =>
    own.find((span) => attribute(span, semconv.ATTR_RUN_EVENT) === event);
  if ((spanOf(semconv.RUN_EVENT_PROCESS_EXIT) ?? spanOf(semconv.RUN_EVENT_PROCESS_DIED)) !== undefined) return null;
  const instance = spanOf(semconv.RUN_EVENT_START)?.ResourceAttributes[semconv.ATTR_SERVICE_INSTANCE_ID] ?? "";
  const shouldHaveEnded = run.received_at + run.timeout_seconds * 1_000;
  return instance !== "" && (await store.heardAfter(instance, shouldHaveEnded)) ? "telemetry_lost" : null;
}
