import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { REDACTION_KEY_FILE } from "../../instrumentation/capture/redaction-key.ts";
import { defaultStateDirectory } from "../../instrumentation/environment.ts";
import { loadConfig, type LoadedConfig } from "../config.ts";
import { readFixture } from "../fixture/fixture-store.ts";
import { safeJson, safeLine } from "../safe-text.ts";
import type { AgentModule } from "../sandbox/run-child.ts";
import { EXIT, exitCodeOf } from "../worker/exit-codes.ts";
import { replayFixture } from "../worker/replay-fixture.ts";
import { replayReport, styleFor } from "../worker/report.ts";
import { replayResultJson } from "../worker/report-json.ts";
import type { CommandContext } from "./context.ts";
import { otlpUrl } from "./open-store.ts";
import { UsageError } from "./run-command-line.ts";

export interface ReplayFlags {
  readonly fixture: string;
  readonly mode: string;
  readonly agent?: string;
  readonly export?: string;
  readonly timeout?: string;
  readonly endpoint?: string;
  readonly json?: true;
  readonly store: boolean;
}

/** `agent-replay --fixture <dir>` */
export async function replay(flags: ReplayFlags, context: CommandContext): Promise<number> {
  checkMode(flags.mode);
  const loaded = await loadConfig(context.cwd);
  const reading = await readFixture(resolve(context.cwd, flags.fixture));
  if (!reading.ok) {
    context.stderr.write("error: the fixture is refused\n");
    for (const { file, reason } of reading.problems) context.stderr.write(`  ${safeLine(file)}: ${safeLine(reason)}\n`);
    return EXIT.usage;
  }
  const { fixture } = reading;
  const configured = configuredAgent(loaded, fixture.input.agent_name);
  const result = await replayFixture(fixture, agentModule(flags, context, loaded, fixture.input.agent_name), {
    environment: context.env,
    storeUrl: flags.store ? otlpUrl(flags.endpoint, context, loaded) : null,
    ignore: configured?.ignore ?? [],
    ...timeoutFrom(flags.timeout),
    redactionKeyFile: join(stateDirectory(context), REDACTION_KEY_FILE),
    signal: context.signal,
  });
  if (context.signal.aborted) return EXIT.interrupted;
  for (const note of result.notes) context.stderr.write(`note: ${safeLine(note)}\n`);
  context.stdout.write(
    flags.json ? safeJson(replayResultJson(result)) : replayReport(result, styleFor(context.stdout)),
  );
  return exitCodeOf(result.outcome);
}

function checkMode(mode: string): void {
  if (mode === "cassette") return;
  if (mode === "live" || mode === "strict")
    throw new UsageError(`--mode ${mode} is not available yet in this version; use --mode cassette`);
  throw new UsageError(`--mode must be cassette, live or strict, not "${mode}"`);
}

// Own keys only: the fixture names the agent, and it may name it "constructor".
const configuredAgent = ({ config }: LoadedConfig, name: string) =>
  Object.hasOwn(config.agents, name) ? config.agents[name] : undefined;

/** Which code to run: the flag, else the configuration. Never the fixture, which anybody may have written. */
function agentModule(flags: ReplayFlags, context: CommandContext, loaded: LoadedConfig, name: string): AgentModule {
  const configured = configuredAgent(loaded, name);
  const passEnvironment = configured?.passEnvironment ?? [];
  if (flags.agent !== undefined) {
    const module = pathToFileURL(resolve(context.cwd, flags.agent)).href;
    return { module, exportName: flags.export ?? "default", passEnvironment };
  }
  if (configured === undefined) {
    throw new UsageError(
      `which code is the agent "${name}"? Give --agent <module>, or name it in runproof.config.ts: ` +
        `agents: { ${JSON.stringify(name)}: { module: "./path.ts" } }`,
    );
  }
  const module = pathToFileURL(resolve(loaded.directory, configured.module)).href;
  return { module, exportName: flags.export ?? configured.export, passEnvironment };
}

function timeoutFrom(seconds: string | undefined): { timeoutMillis?: number } {
  if (seconds === undefined) return {};
  const value = Number(seconds);
  if (!(value > 0 && value <= 2_000_000)) throw new UsageError("--timeout must be a number of seconds above 0");
  return { timeoutMillis: value * 1_000 };
}

function stateDirectory({ env }: CommandContext): string {
  const own = env["RUNPROOF_STATE_DIR"];
  return own === undefined || own === "" || own === "off" ? defaultStateDirectory(env) : own;
}
