import { contractSha256 } from "../../instrumentation/contract/contract.ts";
import type { RunFacts } from "../../processor/evidence/run-facts.ts";
import { judge } from "../../processor/verdict/judge.ts";
import type { IgnoreRule } from "../cassette/cassette.ts";
import { createPlayer, type PlayerReport } from "../cassette/player.ts";
import type { Fixture } from "../fixture/fixture-format.ts";
import type { Environment, ReplayRunType } from "../sandbox/child-environment.ts";
import type { LivePolicy } from "../sandbox/live-policy.ts";
import {
  type AgentModule,
  type ChildRun,
  refusedRun,
  type ReplayMode,
  runChild,
  type RunChildOptions,
} from "../sandbox/run-child.ts";
import type { OtlpBody } from "../sandbox/otlp-tap.ts";
import { compareWithFixture } from "./compare.ts";
import { ledgerRecord } from "./ledger-record.ts";
import { redactedChild } from "./redacted-child.ts";
import type { ReplayResult } from "./replay-result.ts";
import { replayedRun } from "./replayed-run.ts";
import { storeReplay, type Storing } from "./store-replay.ts";
import { unrecordedOperations } from "./unrecorded-operations.ts";
import { type AskedCall, transcribedPlayer, transcriptSha256 } from "./transcript.ts";
import { volatileTexts } from "./volatile-texts.ts";

export interface ReplayOptions {
  /** Default `cassette`. */
  readonly mode?: ReplayMode | undefined;
  /** For mode `live`: what is declared to be read-only. Default nothing. */
  readonly live?: LivePolicy | undefined;
  /** The environment the child's allow-list picks from. */
  readonly environment: Environment;
  /** OTLP/HTTP base URL of the service that stores the run; `null` stores nothing. */
  readonly storeUrl: string | null;
  /** Sent along to that service: what it asks of whoever stores runs. Default none. */
  readonly storeHeaders?: Readonly<Record<string, string>> | undefined;
  /** What the run is stored as. Default `replay`. */
  readonly runType?: ReplayRunType | undefined;
  /** Argument fields that must not decide a match, beyond those of the cassette. */
  readonly ignore?: readonly IgnoreRule[];
  /** Default: the run's timeout and `GRACE_MILLIS`, at least a minute. */
  readonly timeoutMillis?: number;
  /** Key of the pseudonyms of the recording machine, when it is this one. */
  readonly redactionKeyFile?: string;
  /** Ends the replay and everything it started. */
  readonly signal?: AbortSignal;
  /** How the agent is run, for a pool of processes or an agent that is a command. Default `runChild()`. */
  readonly runAgent?: RunAgent;
}

export type RunAgent = (options: RunChildOptions) => Promise<ChildRun>;

/** A run that is judged to have timed out must be given the chance to. */
const GRACE_MILLIS = 10_000;
const MIN_TIMEOUT_MILLIS = 60_000;

/**
 * Runs the agent's real code on a fixture with recorded answers and judges it with the same `judge()` as every run.
 * The outcome is data; this rejects only for defects.
 */
export async function replayFixture(
  fixture: Fixture,
  agent: AgentModule,
  options: ReplayOptions,
): Promise<ReplayResult> {
  const { player, asked } = transcribedPlayer(createPlayer(fixture.cassette, { ignore: options.ignore ?? [] }));
  const { mode = "cassette" } = options;
  // Processes of a pool and commands are behind no wall.
  const strictly = agent.module === "" ? refuseToRun : runChild;
  const runAgent = mode === "strict" ? strictly : (options.runAgent ?? runChild);
  const ran = await runAgent({
    fixture,
    agent,
    player,
    mode,
    live: options.live,
    environment: options.environment,
    timeoutMillis: options.timeoutMillis ?? defaultTimeoutMillis(fixture),
    redactionKeyFile: options.redactionKeyFile,
    runType: options.runType,
    signal: options.signal,
  });
  const child = redactedChild(ran);
  const { ledger, ...judged } = judgeReplay(fixture, child, { cassette: player.report(), asked, mode });
  const bodies = ledger === undefined ? child.bodies : [...child.bodies, ledger];
  const storing = await store(bodies, judged, options);
  return {
    ...judged,
    stored: storing.stored,
    notes: storing.stored ? judged.notes : [...judged.notes, storing.note],
  };
}

const refuseToRun: RunAgent = async () =>
  refusedRun("strict mode runs modules; an agent that is a command has no wall yet");

export const defaultTimeoutMillis = (fixture: Fixture): number =>
  Math.max(MIN_TIMEOUT_MILLIS, fixture.input.timeout_seconds * 1_000 + GRACE_MILLIS);

interface Judged extends Omit<ReplayResult, "stored"> {
  /** To be stored with the run: what its own spans do not know. */
  readonly ledger?: OtlpBody;
}

interface Answered {
  readonly cassette: PlayerReport;
  readonly asked: readonly AskedCall[];
  readonly mode: ReplayMode;
}

/** Pure: from what came back to the result. */
function judgeReplay(fixture: Fixture, child: ChildRun, { cassette, asked, mode }: Answered): Judged {
  const { contract, required_status: requiredStatus } = fixture.expected;
  const agentName = fixture.input.agent_name;
  const facts = replayedRun(child.rows, { agentName, contract, outcome: child.outcome });
  const base = {
    fixtureId: fixture.id,
    mode,
    requiredStatus,
    observed: fixture.notes.observed,
    cassette,
    agent: child.outcome,
    output: { stdout: child.stdout, stderr: child.stderr },
    ...(child.strict === undefined ? {} : { strict: child.strict }),
    ...(child.liveCalls === undefined ? {} : { liveCalls: child.liveCalls }),
  } as const;
  const transcript = { asked, volatile: volatileTexts(child) };
  const isRefused = child.outcome.type === "refused";
  const isBroken = isRefused || child.outcome.type === "not_started" || child.outcome.type === "aborted";
  if (facts === undefined || isBroken) {
    const explanation = errorOf(child, agentName);
    const hash = transcriptSha256({ ...transcript, verdict: null, closing: null });
    const outcome = isRefused ? "refused" : "errored";
    return { ...base, outcome, explanation, run: null, verdict: null, notes: [], transcriptSha256: hash };
  }
  // The fixture's contract judges: code under test must not pass by promising less.
  const tried = unrecordedOperations(child, cassette);
  const evidence = { ...facts.evidence, unrecordedOperations: tried };
  const verdict = judge(evidence, contract);
  const { runId, traceId, agentName: ownName, model, promptVersion } = facts;
  const toolAllowlist = facts.contract?.tools?.allowed ?? [];
  const run = { runId, traceId, agentName: ownName, model, promptVersion, toolAllowlist };
  return {
    ...base,
    ...compareWithFixture(fixture, verdict, cassette),
    run,
    verdict,
    ...(tried === undefined || tried.length === 0 ? {} : { ledger: ledgerRecord(facts, tried) }),
    notes: contractNotes(facts, fixture),
    transcriptSha256: transcriptSha256({ ...transcript, verdict, closing: facts.evidence.closing }),
  };
}

function errorOf({ outcome }: ChildRun, agentName: string): string {
  const noRun = `before it opened a run of the agent "${agentName}"`;
  switch (outcome.type) {
    case "not_started":
      return `the agent could not be started: ${outcome.message}`;
    case "aborted":
      return "interrupted";
    case "refused":
      return `strict mode is not available here, so no code of the agent was started: ${outcome.message}`;
    case "timed_out":
      return `the agent was killed after ${outcome.afterMillis} ms, ${noRun}`;
    case "exited":
      return `the agent's process ended (code ${outcome.code}, signal ${outcome.signal}) ${noRun}`;
    case "threw":
      return `the agent threw ${outcome.error.name}: ${outcome.error.message}, ${noRun}`;
    case "returned":
      return `the agent returned without opening a run of the agent "${agentName}"; wrap its work in withRun()`;
  }
}

function contractNotes(facts: RunFacts, fixture: Fixture): string[] {
  const isSame = facts.contractSha256 === "" || facts.contractSha256 === contractSha256(fixture.expected.contract);
  return isSame ? [] : ["the agent's contract is not the fixture's; the fixture's contract judged this run"];
}

async function store(
  bodies: readonly OtlpBody[],
  { run }: Pick<ReplayResult, "run">,
  { storeUrl, storeHeaders }: Pick<ReplayOptions, "storeUrl" | "storeHeaders">,
): Promise<Storing> {
  if (run === null) return { stored: false, note: "nothing was stored: there is no run" };
  if (storeUrl === null) return { stored: false, note: "the run was not stored: storing is off" };
  return await storeReplay(bodies, storeUrl, storeHeaders);
}
