import { resolve } from "node:path";
import { loadConfig, type LoadedConfig } from "../config.ts";
import type { Fixture } from "../fixture/fixture-format.ts";
import { readFixture } from "../fixture/fixture-store.ts";
import { safeJson, safeLine } from "../safe-text.ts";
import type { ReplayMode } from "../sandbox/run-child.ts";
import type { SuiteAgent } from "../suite/run-suite.ts";
import { EXIT, exitCodeOf } from "../worker/exit-codes.ts";
import { replayFixture } from "../worker/replay-fixture.ts";
import { replayReport, styleFor } from "../worker/report.ts";
import { replayResultJson } from "../worker/report-json.ts";
import { agentCode } from "./agent-code.ts";
import { agentModule, configuredAgent, redactionKeyFile } from "./agent-module.ts";
import type { CommandContext } from "./context.ts";
import { otlpUrl } from "./open-store.ts";
import { UsageError } from "./run-command-line.ts";
import { timeoutFrom } from "./timeout-flag.ts";

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
  const mode = modeFrom(flags.mode);
  const loaded = await loadConfig(context.cwd);
  const reading = await readFixture(resolve(context.cwd, flags.fixture));
  if (!reading.ok) {
    context.stderr.write("error: the fixture is refused\n");
    for (const { file, reason } of reading.problems) context.stderr.write(`  ${safeLine(file)}: ${safeLine(reason)}\n`);
    return EXIT.usage;
  }
  const { fixture } = reading;
  const configured = configuredAgent(loaded, fixture.input.agent_name);
  if (mode !== "cassette" && configured?.command !== undefined && flags.agent === undefined)
    throw new UsageError(`--mode ${mode} runs modules; the agent "${fixture.input.agent_name}" is a command`);
  if (mode === "live") checkLive(configured?.live.tools ?? [], fixture);
  const { agent, runAgent } = codeToRun(flags, { context, loaded, name: fixture.input.agent_name });
  const result = await replayFixture(fixture, agent, {
    ...(runAgent && { runAgent }),
    mode,
    live: configured?.live,
    environment: context.env,
    storeUrl: flags.store ? otlpUrl(flags.endpoint, context, loaded) : null,
    ignore: configured?.ignore ?? [],
    ...timeoutFrom(flags.timeout),
    redactionKeyFile: redactionKeyFile(context),
    signal: context.signal,
  });
  if (context.signal.aborted) return EXIT.interrupted;
  for (const note of result.notes) context.stderr.write(`note: ${safeLine(note)}\n`);
  context.stdout.write(
    flags.json ? safeJson(replayResultJson(result)) : replayReport(result, styleFor(context.stdout)),
  );
  return exitCodeOf(result.outcome);
}

/** What the flag names, else what the configuration says: a module, or a command of any language. */
function codeToRun(
  flags: ReplayFlags,
  { context, loaded, name }: { readonly context: CommandContext; readonly loaded: LoadedConfig; readonly name: string },
): Pick<SuiteAgent, "agent" | "runAgent"> {
  const isCommand = configuredAgent(loaded, name)?.command !== undefined;
  if (flags.agent !== undefined || !isCommand) return { agent: agentModule(flags, context, loaded, name) };
  const code = agentCode(loaded, name);
  if ("problem" in code) throw new UsageError(code.problem);
  return code;
}

/** A tool that was seen to change something is not read-only, whatever the configuration says. */
function checkLive(tools: readonly string[], { cassette }: Fixture): void {
  const changing = cassette.interactions.find((it) => tools.includes(it.name) && it.side_effect !== "read");
  if (changing === undefined) return;
  throw new UsageError(
    `the configuration declares ${JSON.stringify(changing.name)} read-only for mode live, ` +
      `but it was recorded with side effects (${changing.side_effect})`,
  );
}

function modeFrom(mode: string): ReplayMode {
  if (mode === "cassette" || mode === "live" || mode === "strict") return mode;
  throw new UsageError(`--mode must be cassette, live or strict, not "${mode}"`);
}
