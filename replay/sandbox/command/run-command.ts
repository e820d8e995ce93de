import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import { loadRedactionKey } from "../../../instrumentation/capture/redaction-key.ts";
import { createRedactor } from "../../../instrumentation/capture/redactor.ts";
import { openOtlpTap } from "../otlp-tap.ts";
import { outputTail } from "../output-tail.ts";
import { endProcessGroup } from "../process-group.ts";
import { replayEnvironment } from "../replay-environment.ts";
import type { ChildOutcome, ChildRun, RunChildOptions } from "../run-child.ts";
import { makeWorkFolder, type WorkFolder } from "../work-folder.ts";
import { type AgentCommand, DEFAULT_BASE_URLS } from "./agent-command.ts";
import { openAnswersServer, CALLS_PATH } from "./answers-server.ts";
import { baseUrlFor } from "./asked-request.ts";

export interface RunCommandOptions extends Omit<RunChildOptions, "agent"> {
  readonly agent: AgentCommand;
}

/**
 * Runs an agent that is a program of any language, in a process and a work folder of its own, as `runChild()` does for
 * modules. It reads the input as JSON from its standard input or from the file that `RUNPROOF_INPUT_FILE` names (the state
 * payloads: `RUNPROOF_STATE_FILE`), is answered over HTTP, and sends its spans to `OTEL_EXPORTER_OTLP_ENDPOINT`.
 * An exit code of 0 counts as `returned`. Never rejects for what the program does; nothing of it is left afterwards.
 */
export async function runCommand(options: RunCommandOptions): Promise<ChildRun> {
  const tap = await openOtlpTap();
  const folder = await makeWorkFolder(options.redactionKeyFile, options.fixture.input.environment?.files);
  const answers = await openAnswersServer({
    player: options.player,
    ignore: options.fixture.cassette.ignore,
    redactor: redactorOf(options, folder),
    otlpUrl: tap.url,
  });
  try {
    const env = await commandEnvironment(options, { folder, otlpUrl: tap.url, answersUrl: answers.url });
    const child = startProgram(options, folder, env);
    const [stdout, stderr] = [outputTail(child.stdout), outputTail(child.stderr)];
    const outcome = await endOf(child, options);
    await endProcessGroup(child);
    const came = { rows: [...tap.rows], bodies: [...tap.bodies], folder: folder.base };
    return { outcome, ...came, stdout: stdout.text(), stderr: stderr.text() };
  } finally {
    await answers.close();
    await tap.close();
    await folder.remove();
  }
}

/** The key lies in the replay's state folder, if this machine has that of the recording. */
const redactorOf = ({ environment }: RunCommandOptions, folder: WorkFolder) =>
  createRedactor({
    key: loadRedactionKey({
      stateDirectory: join(folder.base, "state"),
      fromOptions: environment["RUNPROOF_REDACTION_KEY"],
    }),
  });

interface Places {
  readonly folder: WorkFolder;
  readonly otlpUrl: string;
  readonly answersUrl: string;
}

async function commandEnvironment(
  options: RunCommandOptions,
  { folder, otlpUrl, answersUrl }: Places,
): Promise<Record<string, string>> {
  const { agent, fixture } = options;
  const [inputFile, stateFile] = [join(folder.base, "input.json"), join(folder.base, "state.json")];
  await writeFile(inputFile, JSON.stringify(fixture.input.input));
  await writeFile(stateFile, JSON.stringify(fixture.input.state ?? {}));
  const addresses = { ...DEFAULT_BASE_URLS, ...agent.baseUrls };
  const proxies = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"].map((name) => [name, answersUrl]);
  return {
    // Programs that are Node find their clock and randomness frozen too.
    ...replayEnvironment(options, folder, otlpUrl),
    ...Object.fromEntries(proxies),
    // Clients refuse to start without a key; none leaves.
    OPENAI_API_KEY: "replayed",
    ANTHROPIC_API_KEY: "replayed",
    ...Object.fromEntries(Object.entries(addresses).map(([name, address]) => [name, baseUrlFor(answersUrl, address)])),
    PYTHONUNBUFFERED: "1",
    PYTHONHASHSEED: "0",
    OTEL_EXPORTER_OTLP_PROTOCOL: "http/protobuf",
    RUNPROOF_INPUT_FILE: inputFile,
    RUNPROOF_STATE_FILE: stateFile,
    RUNPROOF_CALLS_URL: `${answersUrl}${CALLS_PATH}`,
  };
}

function startProgram(
  { agent, fixture }: RunCommandOptions,
  folder: WorkFolder,
  env: Record<string, string>,
): ChildProcess {
  const [program = "", ...args] = agent.command.map((part) => fileIn(agent.directory, part));
  const child = spawn(program, args, { cwd: folder.work, detached: true, stdio: ["pipe", "pipe", "pipe"], env });
  // A program that does not read its input closes the pipe.
  child.stdin.on("error", () => {});
  child.stdin.end(`${JSON.stringify(fixture.input.input)}\n`);
  return child;
}

/** An argument that names a file beside the configuration becomes its whole path: `agent.py`, `./bin/agent`. */
function fileIn(directory: string, part: string): string {
  if (part === "" || part.startsWith("-") || isAbsolute(part)) return part;
  const path = join(directory, part);
  return existsSync(path) ? path : part;
}

/** Resolves when the program ends, hangs, or the caller gives up. */
function endOf(child: ChildProcess, { timeoutMillis, signal }: RunCommandOptions): Promise<ChildOutcome> {
  const { promise, resolve } = Promise.withResolvers<ChildOutcome>();
  const timer = setTimeout(() => resolve({ type: "timed_out", afterMillis: timeoutMillis }), timeoutMillis);
  const abort = (): void => resolve({ type: "aborted" });
  if (signal?.aborted === true) abort();
  signal?.addEventListener("abort", abort, { once: true });
  child.once("error", (error) => resolve({ type: "not_started", message: error.message }));
  // Not `close`: something it started may hold its output open.
  child.once("exit", (code, killedBy) =>
    resolve(code === 0 ? { type: "returned" } : { type: "exited", code, signal: killedBy }),
  );
  return promise.finally(() => {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
  });
}
