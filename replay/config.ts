import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { z } from "zod";
import { ignoreRuleSchema } from "./cassette/cassette.ts";

const text = z.string().min(1).max(10_000);

const agentSchema = z.strictObject({
  /** Path of the module with the agent's function, from the configuration's folder. */
  module: text,
  /** Name of the exported function `(input, state) => unknown`. Default `default`. */
  export: text.default("default"),
  /** Argument fields that change from run to run and must not decide which recording answers a call. */
  ignore: z.array(ignoreRuleSchema).default([]),
  /** Environment variables a replay hands on to the agent, by name; all others stay out. */
  passEnvironment: z.array(text).default([]),
});

const configSchema = z.strictObject({
  /** By agent name, as in the contract. */
  agents: z.record(text, agentSchema).default({}),
  /** Where fixtures live, from the configuration's folder. Default `fixtures/agent_failure_forensics`. */
  fixturesDirectory: text.optional(),
  /** HTTP interface of the store. Default `http://127.0.0.1:8123`. */
  clickhouseUrl: z.url().optional(),
  /** OTLP/HTTP base URL of the service. Default `http://127.0.0.1:4318`. */
  otlpEndpoint: z.url().optional(),
});

export type RunproofConfigInput = z.input<typeof configSchema>;
export type RunproofConfig = z.output<typeof configSchema>;

/** A configuration and where it was found; `directory` is what its paths start from. */
export interface LoadedConfig {
  readonly path: string | null;
  readonly directory: string;
  readonly config: RunproofConfig;
}

/** A configuration that does not parse. `problems` names every key at once. */
export class ConfigError extends Error {
  readonly code = "RUNPROOF_CONFIG_INVALID";
  readonly problems: readonly string[];
  constructor(path: string, problems: readonly string[], options?: ErrorOptions) {
    super(`${path} is not valid:\n${problems.map((problem) => `  - ${problem}`).join("\n")}`, options);
    this.name = "ConfigError";
    this.problems = problems;
  }
}

/** Types a `runproof.config.ts`; checks nothing, the loader does. */
export const defineConfig = (config: RunproofConfigInput): RunproofConfigInput => config;

const FILE_NAMES = ["ts", "mts", "js", "mjs"].map((extension) => `runproof.config.${extension}`);

/**
 * Loads the nearest `runproof.config.{ts,mts,js,mjs}`, from `cwd` upwards to the repository's root. Without one
 * everything has its default. Throws `ConfigError` for one that is not valid or cannot be loaded.
 */
export async function loadConfig(cwd: string): Promise<LoadedConfig> {
  const path = findConfig(resolve(cwd));
  if (path === undefined) return { path: null, directory: resolve(cwd), config: configSchema.parse({}) };
  return { path, directory: dirname(path), config: parseConfig(path, await importConfig(path)) };
}

async function importConfig(path: string): Promise<unknown> {
  try {
    return ((await import(pathToFileURL(path).href)) as { default?: unknown }).default;
  } catch (error) {
    throw new ConfigError(path, [error instanceof Error ? error.message : String(error)], { cause: error });
  }
}

function parseConfig(path: string, value: unknown): RunproofConfig {
  if (value === undefined) throw new ConfigError(path, ["it has no default export"]);
  const parsed = configSchema.safeParse(value);
  if (parsed.success) return Object.freeze(parsed.data);
  throw new ConfigError(
    path,
    parsed.error.issues.map((issue) => `${issue.path.map(String).join(".") || "config"}: ${issue.message}`),
    { cause: parsed.error },
  );
}

function findConfig(directory: string): string | undefined {
  for (let at = directory; ; at = dirname(at)) {
    const found = FILE_NAMES.map((name) => join(at, name)).find((path) => existsSync(path));
    const isTop = existsSync(join(at, ".git")) || dirname(at) === at;
    if (found !== undefined || isTop) return found;
  }
}
