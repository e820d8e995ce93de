import { type ChildProcess, fork } from "node:child_process";
import { finished } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { SpanRow } from "../../processor/clickhouse/rows.ts";
import type { Interaction } from "../cassette/cassette.ts";
import type { Miss, Player } from "../cassette/player.ts";
import { describeMiss } from "../cassette/describe-miss.ts";
import type { Fixture } from "../fixture/fixture-format.ts";
import { childEnvironment, type Environment } from "./child-environment.ts";
import type { AgentOutcome, CallReply, ToChild, ToParent } from "./messages.ts";
import { openOtlpTap, type OtlpBody } from "./otlp-tap.ts";
import { outputTail } from "./output-tail.ts";
import { makeWorkFolder, type WorkFolder } from "./work-folder.ts";

/** The agent to run. It comes from the configuration or the command line, never from the fixture. */
export interface AgentModule {
  /** File URL. */
  readonly module: string;
  readonly exportName: string;
  /** Environment variables to hand on, by name. */
  readonly passEnvironment?: readonly string[];
}

export interface RunChildOptions {
  readonly fixture: Fixture;
  readonly agent: AgentModule;
  readonly player: Player;
  /** The environment the allow-list picks from. */
  readonly environment: Environment;
  /** The process and all it started are killed after this. */
  readonly timeoutMillis: number;
  readonly redactionKeyFile?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** How the agent's process ended. */
export type ChildOutcome =
  | AgentOutcome
  | { readonly type: "exited"; readonly code: number | null; readonly signal: string | null }
  | { readonly type: "timed_out"; readonly afterMillis: number }
  | { readonly type: "aborted" };

export interface ChildRun {
  readonly outcome: ChildOutcome;
  /** What came back, decoded. */
  readonly rows: readonly SpanRow[];
  /** The same as it was sent. */
  readonly bodies: readonly OtlpBody[];
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs the agent's real code on a fixture's input, in a process and a work folder of its own, answered by the player.
 * Never rejects for what the agent does. Nothing of it is left when this resolves: no process, no folder, no port.
 */
export async function runChild(options: RunChildOptions): Promise<ChildRun> {
  const tap = await openOtlpTap();
  const folder = await makeWorkFolder(options.redactionKeyFile);
  try {
    const child = forkChild(options, folder, tap.url);
    const [stdout, stderr] = [outputTail(child.stdout), outputTail(child.stderr)];
    const outcome = await converse(child, options, `${tap.url}/v1/traces`);
    await endGroup(child);
    return { outcome, rows: [...tap.rows], bodies: [...tap.bodies], stdout: stdout.text(), stderr: stderr.text() };
  } finally {
    await tap.close();
    await folder.remove();
  }
}

function forkChild(
  { fixture, agent, environment }: RunChildOptions,
  folder: WorkFolder,
  otlpUrl: string,
): ChildProcess {
  // From sources under Node's type stripping, or built.
  const entry = import.meta.url.endsWith(".ts") ? "./child.ts" : "./child.js";
  return fork(fileURLToPath(new URL(entry, import.meta.url)), {
    cwd: folder.work,
    // A group of its own, so that what the agent starts ends with it.
    detached: true,
    execArgv: process.features.typescript ? [] : ["--experimental-strip-types", "--no-warnings"],
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    env: childEnvironment({
      parent: environment,
      passEnvironment: agent.passEnvironment ?? [],
      otlpUrl,
      fixtureId: fixture.id,
      project: fixture.notes.source.project,
      serviceName: fixture.notes.source.service_name,
      baseFolder: folder.base,
    }),
  });
}

/** Answers the child's calls until it tells its outcome, ends, hangs, or the caller gives up. */
function converse(child: ChildProcess, options: RunChildOptions, tracesUrl: string): Promise<ChildOutcome> {
  const { fixture, agent, player, timeoutMillis, signal } = options;
  const { promise, resolve } = Promise.withResolvers<ChildOutcome>();
  const tell = (message: ToChild): void => void child.send(message, () => {});
  const timer = setTimeout(() => resolve({ type: "timed_out", afterMillis: timeoutMillis }), timeoutMillis);
  const abort = (): void => resolve({ type: "aborted" });
  if (signal?.aborted === true) abort();
  signal?.addEventListener("abort", abort, { once: true });
  child.on("message", (message: ToParent) => {
    if (message.type === "outcome") resolve(message.outcome);
    else if (message.type === "call") {
      const { id, kind, name, path } = message;
      const answer = player.answer({ kind, name, path, arguments: message.arguments });
      tell({ type: "answer", id, ...(answer.type === "hit" ? replyFrom(answer.interaction) : missed(answer)) });
    } else {
      const { module, exportName } = agent;
      tell({
        type: "start",
        module,
        exportName,
        input: fixture.input.input,
        state: fixture.input.state ?? {},
        tracesUrl,
      });
    }
  });
  child.once("error", (error) => resolve({ type: "not_started", message: error.message }));
  child.once("close", (code, killedBy) => resolve({ type: "exited", code, signal: killedBy }));
  return promise.finally(() => {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
  });
}

function replyFrom(interaction: Interaction): CallReply {
  const attempts = interaction.attempts === undefined ? {} : { attempts: interaction.attempts };
  return interaction.outcome === "returned"
    ? { outcome: "returned", result: interaction.result, ...attempts }
    : { outcome: "threw", error: interaction.error, ...attempts };
}

const missed = (miss: Miss): CallReply => ({ outcome: "missed", message: describeMiss(miss) });

/** A process that left the group may hold the output pipes open; nobody waits for it longer than this. */
const OUTPUT_DEADLINE_MILLIS = 5_000;

/** SIGKILL to the child and everything it started; resolves when the child is gone and its output was read. */
async function endGroup(child: ChildProcess): Promise<void> {
  if (child.pid === undefined) return;
  const isOver = child.exitCode !== null || child.signalCode !== null;
  const exited = isOver ? Promise.resolve() : new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const isRead = [child.stdout, child.stderr].map(async (stream) => {
    if (stream !== null) await finished(stream).catch(() => {});
  });
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    // No such group: all of it is gone already.
  }
  await exited;
  await Promise.race([Promise.all(isRead), sleep(OUTPUT_DEADLINE_MILLIS, undefined, { ref: false })]);
  child.stdout?.destroy();
  child.stderr?.destroy();
}
