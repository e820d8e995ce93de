import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { z } from "zod";
import { ignoreRuleSchema } from "./cassette/cassette.ts";

const text = z.string().min(1).max(10_000);

const agentFields = z.strictObject({
  /** Path of the module with the agent's function, from the configuration's folder. Empty for a command. */
  module: text.or(z.literal("")).default(""),
  /** Name of the exported function `(input, state) => unknown`. Default `default`. */
  export: text.default("default"),
  /** Argument fields that change from run to run and must not decide which recording answers a call. */
  ignore: z.array(ignoreRuleSchema).default([]),
  /** Environment variables a replay hands on to the agent, by name; all others stay out. */
  passEnvironment: z.array(text).default([]),
  /** For mode `live`: dependencies that only read, and so may really be called. All else is answered from the recording. */
  live: z
    .strictObject({
      /** Tools, by name. */
      tools: z.array(text).default([]),
      /** Hosts for GET and HEAD: `api.example.com`, `localhost:8080`. */
      hosts: z.array(text).default([]),
      /**
       * Credentials for these hosts, which recordings do not hold: by host, then by header, the name of the environment
       * variable with the value. The agent's process never sees them.
       */
      headers: z.record(text, z.record(text, text)).default({}),
    })
    .default({ tools: [], hosts: [], headers: {} }),
  /** For mode `strict`: native libraries may be loaded; what they do meets the wall. Default false. */
  native: z.boolean().default(false),
  /**
   * In place of a module: an agent in any language, as program and arguments. Arguments that name a file in the
   * configuration's folder become its whole path. It is given the input on its standard input.
   */
  command: z.array(text).min(1).max(1_000).optional(),
  /** For a command: variables it takes the address of an API from, each with that address. */
  baseUrls: z.record(text, z.url({ protocol: /^https?$/ })).default({}),
});

const agentSchema = agentFields.refine((it) => (it.module === "") !== (it.command === undefined), {
  error: "an agent is either a module or a command",
});

const configSchema = z.strictObject({
  /** By agent name, as in the contract. */
  agents: z.record(text, agentSchema).default({}),
  /** Where fixtures live, from the configuration's folder. Default `fixtures/agent_failure_forensics`. */
  fixturesDirectory: text.optional(),
  /** A certificate of a fixture is stale after this many days. Default 90. */
  certificateMaxAgeDays: z.number().positive().max(36_500).optional(),
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
