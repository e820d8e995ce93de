import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { REDACTION_KEY_FILE } from "../../instrumentation/capture/redaction-key.ts";
import { defaultStateDirectory } from "../../instrumentation/environment.ts";
import type { LoadedConfig } from "../config.ts";
import type { AgentModule } from "../sandbox/run-child.ts";
import type { CommandContext } from "./context.ts";
import { UsageError } from "./run-command-line.ts";

export interface AgentFlags {
  readonly agent?: string;
  readonly export?: string;
}

/**
 * An agent's entry in the configuration, if it names its code. Own keys only: the fixture names the agent, and it may
 * name it "constructor".
 */
export function configuredAgent({ config }: LoadedConfig, name: string) {
  const agent = Object.hasOwn(config.agents, name) ? config.agents[name] : undefined;
  return agent?.module === "" && agent.command === undefined ? undefined : agent;
}

/** Which code to run: the flag, else the configuration. Never the fixture, which anybody may have written. */
export function agentModule(
  flags: AgentFlags,
  context: CommandContext,
  loaded: LoadedConfig,
  name: string,
): AgentModule {
  const configured = configuredAgent(loaded, name);
  const passEnvironment = configured?.passEnvironment ?? [];
  const native = configured?.native ?? false;
  const opensNoRun = configured?.contract !== undefined;
  if (flags.agent !== undefined) {
    const module = pathToFileURL(resolve(context.cwd, flags.agent)).href;
    return { module, exportName: flags.export ?? "default", passEnvironment, native, opensNoRun };
  }
  if (configured === undefined) {
    throw new UsageError(
      `which code is the agent "${name}"? Give --agent <module>, or name it in runproof.config.ts: ` +
        `agents: { ${JSON.stringify(name)}: { module: "./path.ts" } }`,
    );
  }
  if (configured.command !== undefined) {
    throw new UsageError(`the agent "${name}" is a command, and this runs modules: give --agent <module>`);
  }
  const module = pathToFileURL(resolve(loaded.directory, configured.module)).href;
  return { module, exportName: flags.export ?? configured.export, passEnvironment, native, opensNoRun };
}

/** Where this machine keeps the key of its pseudonyms: equal secrets get those they have in the cassette. */
export function redactionKeyFile({ env }: Pick<CommandContext, "env">): string {
  const own = env["RUNPROOF_STATE_DIR"];
  const directory = own === undefined || own === "" || own === "off" ? defaultStateDirectory(env) : own;
  return join(directory, REDACTION_KEY_FILE);
}
