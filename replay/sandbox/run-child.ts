import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { JsonValue } from "../../instrumentation/json/json.ts";
import type { SpanRow } from "../../processor/clickhouse/rows.ts";
import type { Player } from "../cassette/player.ts";
import type { Fixture } from "../fixture/fixture-format.ts";
import { type AgentProcess, forkedProcess } from "./agent-process.ts";
import { answeredCall } from "./answered-call.ts";
import type { Environment, ReplayRunType } from "./child-environment.ts";
import { createLiveCalls } from "./live-calls.ts";
import type { LivePolicy } from "./live-policy.ts";
import type { AgentOutcome, ToParent } from "./messages.ts";
import { openOtlpTap, type OtlpBody, type OtlpTap } from "./otlp-tap.ts";
import { outputTail } from "./output-tail.ts";
import type { Attempt } from "./strict/attempt.ts";
import type { Ledger } from "./strict/ledger.ts";
import { startStrictChild, type StrictStart } from "./strict/start-strict-child.ts";
import { replayEnvironment } from "./replay-environment.ts";
import { makeWorkFolder, type WorkFolder } from "./work-folder.ts";

/** The agent to run. It comes from the configuration or the command line, never from the fixture. */
export interface AgentModule {
  /** File URL. */
  readonly module: string;
  readonly exportName: string;
  /** Environment variables to hand on, by name. */
  readonly passEnvironment?: readonly string[];
  /** Its runs begin by themselves, with `runproof/register`: a replay opens one around the function. Default false. */
  readonly opensNoRun?: boolean | undefined;
  /** In strict mode: native libraries may be loaded, and what they do meets the wall. Default false. */
  readonly native?: boolean;
}

/**
 * What may happen besides recorded answers. `cassette`: nothing is kept back, and calls through wrappers have no other
 * answers. `live`: as `cassette`, and declared dependencies are really called. `strict`: nothing may, and an
 * operating-system wall sees to it.
 */
export type ReplayMode = "cassette" | "live" | "strict";

export interface RunChildOptions {
  readonly fixture: Fixture;
  readonly agent: AgentModule;
  readonly player: Player;
  /** Default `cassette`. */
  readonly mode?: ReplayMode | undefined;
  /** For mode `live`. Default: nothing. */
  readonly live?: LivePolicy | undefined;
  /** The environment the allow-list picks from. */
  readonly environment: Environment;
  /** The process and all it started are killed after this. */
  readonly timeoutMillis: number;
  readonly redactionKeyFile?: string | undefined;
  /** What the agent's runs are stored as. Default `replay`. */
  readonly runType?: ReplayRunType | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** How the agent's process ended. */
export type ChildOutcome =
  | AgentOutcome
  | { readonly type: "exited"; readonly code: number | null; readonly signal: string | null }
  | { readonly type: "timed_out"; readonly afterMillis: number }
  | { readonly type: "aborted" }
  /** Strict mode, and no wall stands: nothing of the agent was loaded. */
  | { readonly type: "refused"; readonly message: string };

/** What happened behind the wall of strict mode. */
export interface StrictReport {
  /** Which wall it was. */
  readonly wall: string;
  /** What the agent tried that no recording covers, in order; nothing of it got out. */
  readonly attempts: readonly Attempt[];
  /** Whether there were more attempts than were kept. */
  readonly isFull: boolean;
  /** Where the ledger itself failed. What could not be decided was refused. */
  readonly faults: readonly string[];
}

export interface ChildRun {
  readonly outcome: ChildOutcome;
  /** What came back, decoded. */
  readonly rows: readonly SpanRow[];
  /** The same as it was sent. */
  readonly bodies: readonly OtlpBody[];
  /** Where the agent ran; gone by now. Absent when it had no folder of its own. */
  readonly folder?: string;
  readonly stdout: string;
  readonly stderr: string;
  /** Strict mode only. */
  readonly strict?: StrictReport;
  /** Mode `live` only: calls that really happened. */
  readonly liveCalls?: readonly { readonly name: string; readonly path: string }[];
}

/**
 * Runs the agent's real code on a fixture's input, in a process and a work folder of its own, answered by the player.
 * Never rejects for what the agent does. Nothing of it is left when this resolves: no process, no folder, no port.
 */
export async function runChild(options: RunChildOptions): Promise<ChildRun> {
  const tap = await openOtlpTap();
  const folder = await makeWorkFolder(options.redactionKeyFile, options.fixture.input.environment?.files);
  try {
    const started = options.mode === "strict" ? await startStrict(options, folder, tap) : forked(options, folder, tap);
    if (started.outcome === "unavailable") return refusedRun(started.reason);
    const { child, ledger } = started;
    const [stdout, stderr] = [outputTail(child.stdout), outputTail(child.stderr)];
    const { outcome, liveCalls } = await converse({ child, ledger }, options, tap);
    await child.end();
    return {
      outcome,
      rows: [...tap.rows],
      bodies: [...tap.bodies],
      folder: folder.base,
      stdout: stdout.text(),
      stderr: stderr.text(),
      ...(ledger === undefined ? {} : { strict: reportOf(started.wall, ledger) }),
      ...(options.mode === "live" ? { liveCalls } : {}),
    };
  } finally {
    await tap.close();
    await folder.remove();
  }
}

/** A run that did not happen: nothing of the agent was loaded. */
export const refusedRun = (reason: string): ChildRun => ({
  outcome: { type: "refused", message: reason },
  rows: [],
  bodies: [],
  folder: "",
  stdout: "",
  stderr: "",
});

const reportOf = (wall: string, ledger: Ledger): StrictReport => ({
  wall,
  attempts: ledger.attempts(),
  isFull: ledger.isFull(),
  faults: ledger.faults(),
});

interface Started {
  readonly outcome: "started";
  readonly wall: string;
  readonly child: AgentProcess;
  /** Strict mode only. */
  readonly ledger?: Ledger | undefined;
}

function startStrict(options: RunChildOptions, folder: WorkFolder, tap: OtlpTap): Promise<StrictStart> {
  const { agent, environment } = options;
  return startStrictChild({
    module: agent.module,
    native: agent.native ?? false,
    folder,
    environment: replayEnvironment(options, folder, tap.url),
    searchPath: environment["PATH"] ?? "",
  });
}

function forked(options: RunChildOptions, folder: WorkFolder, tap: OtlpTap): Started {
  // From sources under Node's type stripping, or built.
  const entry = import.meta.url.endsWith(".ts") ? "./child.ts" : "./child.js";
  const child = fork(fileURLToPath(new URL(entry, import.meta.url)), {
    cwd: folder.work,
    // A group of its own, so that what the agent starts ends with it.
    detached: true,
    execArgv: process.features.typescript ? [] : ["--experimental-strip-types", "--no-warnings"],
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    env: replayEnvironment(options, folder, tap.url),
  });
  return { outcome: "started", wall: "none", child: forkedProcess(child) };
}

interface Conversation {
  readonly outcome: ChildOutcome;
  readonly liveCalls: readonly { readonly name: string; readonly path: string }[];
}

/** Answers the child's calls until it tells its outcome, ends, hangs, or the caller gives up. */
async function converse(
  { child, ledger }: Pick<Started, "child" | "ledger">,
  options: RunChildOptions,
  tap: OtlpTap,
): Promise<Conversation> {
  const { timeoutMillis, signal } = options;
  const { promise, resolve } = Promise.withResolvers<ChildOutcome>();
  const live = options.mode === "live" && options.live ? createLiveCalls(options.live, options.environment) : undefined;
  const timer = setTimeout(() => resolve({ type: "timed_out", afterMillis: timeoutMillis }), timeoutMillis);
  const abort = (): void => resolve({ type: "aborted" });
  if (signal?.aborted === true) abort();
  signal?.addEventListener("abort", abort, { once: true });
  child.listen({
    message(message) {
      if (message.type === "outcome") resolve(message.outcome);
      else if (message.type === "call") answer(message);
      else if (message.type === "ready") child.send(startOf(options, tap));
      else if (message.type === "attempt") ledger?.fromCode(message.attempt);
      else if (message.type === "otlp") void receive(message);
    },
    failed: (message) => resolve({ type: "not_started", message }),
    over: ({ code, signal: by }) => resolve({ type: "exited", code, signal: by }),
  });
  function answer(call: Extract<ToParent, { type: "call" }>): void {
    const { id, kind, name, path } = call;
    const living = live?.reply({ kind, name, path, arguments: call.arguments });
    if (living === undefined) return child.send(answeredCall(options.player, call));
    void living.then((reply) => child.send({ type: "answer", id, ...reply }));
  }
  async function receive({ id, method, url, headers, body }: Extract<ToParent, { type: "otlp" }>): Promise<void> {
    const reply = await tap.receive({ method, url, headers, body: Buffer.from(body, "base64") });
    const text = Buffer.from(reply.body).toString("base64");
    child.send({ type: "otlp_reply", id, status: reply.status, headers: reply.headers, body: text });
  }
  const outcome = await promise.finally(() => {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
  });
  return { outcome, liveCalls: live?.made ?? [] };
}

function startOf(options: RunChildOptions, tap: OtlpTap) {
  const strict = options.mode === "strict" ? { strict: { native: options.agent.native ?? false } } : {};
  return { ...agentStart(options), tracesUrl: `${tap.url}/v1/traces`, ...strict };
}

/** What a child is told of its agent. */
export function agentStart({ fixture, agent }: Pick<RunChildOptions, "fixture" | "agent">) {
  const { module, exportName, opensNoRun = false } = agent;
  const { input, state } = fixture.input;
  const contract = opensNoRun ? { contract: fixture.expected.contract as unknown as JsonValue } : {};
  return { type: "start", module, exportName, input, state: state ?? {}, ...contract } as const;
}
