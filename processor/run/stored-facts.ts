import { parseContract, type RunContract } from "../../instrumentation/contract/contract.ts";
import type { AbandonCause } from "../../instrumentation/contract/evidence.ts";
import { parseJson } from "../../instrumentation/json/json.ts";
import * as semconv from "../../instrumentation/semconv.ts";
import type { LogRow, SpanRow } from "../clickhouse/rows.ts";
import type { RunReader } from "../clickhouse/run-reader.ts";
import type { RunRow } from "../clickhouse/run-rows.ts";
import type { RunFacts } from "../evidence/run-facts.ts";
import { runFactsFromSpans, type KnownFacts } from "../evidence/run-facts-from-spans.ts";
import { attribute, resourceAttribute } from "../evidence/span-attributes.ts";
import { runFactsFromTrace } from "../evidence/trace-run-facts.ts";
import { isTraceRun } from "../evidence/trace-run-id.ts";
import { projectOfSpan } from "../evidence/spans-by-project.ts";
import type { HeardProcess, ProcessKey, RunJudgingStore } from "./run-store.ts";

export interface SpansOfRun {
  readonly runId: string;
  /** All of the trace, of one project. */
  readonly spans: readonly SpanRow[];
  /** The record of the run if its deadline passed: without an end among the spans it counts as abandoned. */
  readonly givenUp: RunRow | undefined;
  /** Of a trace of another instrumentation: events that tell of its model calls. */
  readonly logs?: readonly LogRow[];
  /** Why the spans are not all there is. Default: they are. */
  readonly gap?: string;
}

type FactsStore = Pick<RunJudgingStore, "contractsOf" | "heardLast">;

/** What agents promise that were not instrumented by us, by their names. */
export type AgentContracts = Readonly<Record<string, RunContract>>;

/** The facts of a run that has a record, from all of its spans. Rejects when the store does. */
export async function readFacts(
  store: FactsStore & Pick<RunReader, "spansOfRun"> & Pick<RunJudgingStore, "logsOfTraces">,
  row: RunRow,
): Promise<RunFacts> {
  const spans = await store.spansOfRun(row.trace_id, row.project);
  if (isTraceRun({ runId: row.run_id, traceId: row.trace_id })) return await readTraceFacts(store, row, spans);
  // The watchdog's decision is in the record; the spans alone would say "still open".
  return storedFacts(store, { runId: row.run_id, spans, givenUp: row.status === "started" ? undefined : row });
}

/** The facts of one run. Its spans may be of several projects: those of another project than the record's are left out. */
export async function storedFacts(store: FactsStore, run: SpansOfRun): Promise<RunFacts> {
  const project = run.givenUp?.project ?? "";
  const spans = run.spans.filter((span) => project === "" || ["", project].includes(projectOfSpan(span)));
  const [facts] = await storedFactsOf(store, [{ ...run, spans }]);
  return facts ?? runFactsFromSpans(run.runId, spans);
}

/** Judged by the contract that its record names: what agents promise today is the service's to know. */
async function readTraceFacts(
  store: Pick<RunJudgingStore, "contractsOf" | "logsOfTraces">,
  row: RunRow,
  spans: readonly SpanRow[],
): Promise<RunFacts> {
  const { trace_id: traceId, contract_sha256: sha256, project } = row;
  const asked = [{ contract: null, contractProblem: null, contractSha256: sha256, project }];
  const contract = contractOf(asked[0]!, await storedContracts(store, sha256 === "" ? [] : asked));
  const logs = await store.logsOfTraces([traceId], { maxBytes: MAX_LOG_BYTES });
  return runFactsFromTrace(
    { traceId, spans, logs: logs === "too_large" ? [] : logs },
    {
      contractOf: () => contract,
      isGivenUp: row.status !== "started",
      ...(logs === "too_large" ? { gap: "the events of the trace are too large to read" } : {}),
    },
  );
}

const MAX_LOG_BYTES = 48 * 1024 * 1024;

/** The facts of runs, in their order: their spans, and what only the store knows, asked for all of them at once. */
export async function storedFactsOf(
  store: FactsStore,
  runs: readonly SpansOfRun[],
  contractsOfAgents: AgentContracts = {},
): Promise<RunFacts[]> {
  const own = runs.filter((run) => !isTrace(run));
  const facts = new Map<SpansOfRun, RunFacts>();
  for (const [index, one] of (await ownFactsOf(store, own)).entries()) facts.set(own[index]!, one);
  return runs.map((run) => facts.get(run) ?? traceFacts(run, contractsOfAgents));
}

const isTrace = ({ runId, spans }: SpansOfRun): boolean => isTraceRun({ runId, traceId: spans[0]?.TraceId ?? "" });

function traceFacts({ spans, logs = [], givenUp, gap }: SpansOfRun, contracts: AgentContracts): RunFacts {
  return runFactsFromTrace(
    { traceId: spans[0]?.TraceId ?? "", spans, logs },
    {
      contractOf: (agent) => (Object.hasOwn(contracts, agent) ? contracts[agent] : undefined),
      isGivenUp: givenUp !== undefined,
      ...(gap === undefined ? {} : { gap }),
    },
  );
}

async function ownFactsOf(store: FactsStore, runs: readonly SpansOfRun[]): Promise<RunFacts[]> {
  const told = runs.map(({ runId, spans }) => runFactsFromSpans(runId, spans));
  const silent = runs.map((run, index) => silenceOf(run, told[index]));
  const [contracts, heard] = await Promise.all([
    storedContracts(store, told),
    lastHeard(
      store,
      silent.flatMap((one) => one?.process ?? []),
    ),
  ]);
  return runs.map(({ runId, spans, gap }, index) => {
    const first = told[index] ?? runFactsFromSpans(runId, spans);
    const contract = needsContract(first) ? contractOf(first, contracts) : undefined;
    const silence = silent[index];
    const known: KnownFacts = {
      ...(contract === undefined ? {} : { contract }),
      ...(silence === undefined ? {} : { abandoned: { cause: causeOf(silence, heard) } }),
      ...(gap === undefined ? {} : { gap }),
    };
    return Object.keys(known).length === 0 ? first : runFactsFromSpans(runId, spans, known);
  });
}

type ContractNamed = Pick<RunFacts, "contract" | "contractProblem" | "contractSha256" | "project">;

const needsContract = (facts: ContractNamed): boolean =>
  facts.contract === null && facts.contractProblem === null && facts.contractSha256 !== "";

/** Whether a contract is the one its hash names is checked where it is used: no text serves under another's name. */
async function storedContracts(
  store: Pick<FactsStore, "contractsOf">,
  told: readonly ContractNamed[],
): Promise<Map<string, RunContract>> {
  const hashes = [...new Set(told.filter(needsContract).map((facts) => facts.contractSha256))];
  const rows = hashes.length === 0 ? [] : await store.contractsOf(hashes);
  const contracts = new Map<string, RunContract>();
  for (const row of rows) {
    try {
      contracts.set(`${row.project}\n${row.contract_sha256}`, parseContract(parseJson(row.contract)));
    } catch {
      // One that no longer parses is the same as none: the verdict then says what is missing.
    }
  }
  return contracts;
}

/** What was stored before there were projects is anybody's. */
const contractOf = (facts: ContractNamed, contracts: ReadonlyMap<string, RunContract>): RunContract | undefined =>
  contracts.get(`${facts.project}\n${facts.contractSha256}`) ?? contracts.get(`\n${facts.contractSha256}`);

interface Silence {
  /** When the run should have ended, milliseconds since the epoch. */
  readonly since: number;
  readonly process: ProcessKey & { readonly since: number };
}

/** What can tell lost telemetry from a lost process; `undefined` for a run that is not given up, or has ended. */
function silenceOf({ runId, spans, givenUp }: SpansOfRun, facts: RunFacts | undefined): Silence | undefined {
  if (givenUp === undefined || facts?.evidence.phase !== "open") return undefined;
  const own = spans.filter((span) => attribute(span, semconv.ATTR_RUN_ID) === runId);
  const spanOf = (event: string): SpanRow | undefined =>
    own.find((span) => attribute(span, semconv.ATTR_RUN_EVENT) === event);
  const lastWords = spanOf(semconv.RUN_EVENT_PROCESS_EXIT) ?? spanOf(semconv.RUN_EVENT_PROCESS_DIED);
  const start = lastWords === undefined ? spanOf(semconv.RUN_EVENT_START) : undefined;
  const since = givenUp.received_at + givenUp.timeout_seconds * 1_000;
  const instanceId = start === undefined ? "" : resourceAttribute(start, semconv.ATTR_SERVICE_INSTANCE_ID);
  return { since, process: { project: facts.project, instanceId, since } };
}

async function lastHeard(
  store: FactsStore,
  silent: readonly (ProcessKey & { readonly since: number })[],
): Promise<readonly HeardProcess[]> {
  const asked = silent.filter(({ instanceId }) => instanceId !== "");
  if (asked.length === 0) return [];
  const unique = new Map(asked.map((one) => [`${one.project}\n${one.instanceId}`, one]));
  return store.heardLast([...unique.values()], Math.min(...asked.map(({ since }) => since)));
}

/** Last words of the process win; else a process that outlived the run lost its telemetry; else nobody knows. */
function causeOf({ since, process }: Silence, heard: readonly HeardProcess[]): AbandonCause | null {
  const isSame = (one: HeardProcess): boolean =>
    one.project === process.project && one.instanceId === process.instanceId && one.lastUnixMillis > since;
  return process.instanceId !== "" && heard.some(isSame) ? "telemetry_lost" : null;
}
