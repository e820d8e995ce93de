import { realpath } from "node:fs/promises";
import { relative, resolve, sep } from "node:path";
import { type CodeRef, modulePathProblem, parseCodeRef } from "../certify/code-ref.ts";
import { type Repository, resolveCommit } from "../certify/repository.ts";
import type { AgentAtCommit } from "../certify/worktree.ts";
import type { LoadedConfig } from "../config.ts";
import { type AgentFlags, configuredAgent } from "./agent-module.ts";
import { UsageError } from "./run-command-line.ts";

export interface AgentPlace {
  readonly repository: Repository;
  readonly loaded: LoadedConfig;
  readonly agentName: string;
  readonly flags: AgentFlags;
}

/**
 * The commit and the agent's module that a flag such as `--broken main~3` or `--broken main:agents/a.ts` names. The
 * module comes from the ref, the `--agent` flag or the configuration; never from the fixture, which anybody may have
 * written. Throws `UsageError` for what is no commit of the repository, or no path in it.
 */
export async function agentAtRef(flag: string, text: string, place: AgentPlace): Promise<AgentAtCommit & CodeRef> {
  const parsed = parseCodeRef(text);
  if (!parsed.ok) throw new UsageError(`${flag} ${JSON.stringify(text)}: ${parsed.reason}`);
  const { ref, module } = parsed.value;
  const commit = await resolveCommit(place.repository, ref);
  if (commit === undefined) {
    throw new UsageError(
      `${flag}: this repository has no commit ${JSON.stringify(ref)}; a shallow clone lacks older ones`,
    );
  }
  const configured = configuredAgent(place.loaded, place.agentName);
  return {
    ref: text,
    commit,
    module: module ?? (await moduleFrom(place)),
    exportName: place.flags.export ?? configured?.export ?? "default",
    passEnvironment: configured?.passEnvironment ?? [],
    native: configured?.native ?? false,
    opensNoRun: configured?.contract !== undefined,
  };
}

async function moduleFrom({ repository, loaded, agentName, flags }: AgentPlace): Promise<string> {
  if (flags.agent !== undefined) {
    const problem = modulePathProblem(flags.agent);
    if (problem !== undefined) throw new UsageError(`--agent ${JSON.stringify(flags.agent)}: ${problem}`);
    return flags.agent;
  }
  const configured = configuredAgent(loaded, agentName);
  if (configured === undefined) {
    throw new UsageError(
      `which code is the agent ${JSON.stringify(agentName)}? Give --agent <module path in the repository>, ` +
        "<ref>:<module path>, or name it in runproof.config.ts",
    );
  }
  if (configured.command !== undefined) {
    throw new UsageError(
      `the agent ${JSON.stringify(agentName)} is a command; only modules are checked out by ref yet`,
    );
  }
  // The configuration may have been found through a link.
  const directory = await realpath(loaded.directory);
  const path = relative(repository.root, resolve(directory, configured.module)).split(sep).join("/");
  if (modulePathProblem(path) === undefined) return path;
  throw new UsageError(
    `the module of the agent ${JSON.stringify(agentName)} is not in the repository ${repository.root}`,
  );
}
