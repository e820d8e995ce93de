import type { LoadedConfig } from "../config.ts";
import { runCommand } from "../sandbox/command/run-command.ts";
import type { SuiteAgent } from "../suite/run-suite.ts";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { configuredAgent } from "./agent-module.ts";

/**
 * The code of an agent by its name, from the configuration: a module, or a command of any language. Never from the
 * fixture, which anybody may have written.
 */
export function agentCode(loaded: LoadedConfig, name: string): SuiteAgent | { readonly problem: string } {
  const configured = configuredAgent(loaded, name);
  if (configured === undefined) {
    const example = `agents: { ${JSON.stringify(name)}: { module: "./path.ts" } }`;
    return { problem: `which code is the agent "${name}"? Name it in runproof.config.ts: ${example}` };
  }
  const { command, ignore, passEnvironment, baseUrls, native } = configured;
  if (command !== undefined) {
    const agent = { command, baseUrls, passEnvironment, directory: loaded.directory };
    return { agent: NO_MODULE, ignore, runAgent: (options) => runCommand({ ...options, agent }) };
  }
  const module = pathToFileURL(resolve(loaded.directory, configured.module)).href;
  const opensNoRun = configured.contract !== undefined;
  return { agent: { module, exportName: configured.export, passEnvironment, native, opensNoRun }, ignore };
}

/** A command has no module; nothing looks at this. */
const NO_MODULE = { module: "", exportName: "" };
