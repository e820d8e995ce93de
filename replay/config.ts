import { dirname, resolve } from "node:path";
import { z } from "zod";
import { ConfigError } from "../instrumentation/config-file/config-error.ts";
import { findConfig, importConfig } from "../instrumentation/config-file/find-config.ts";
import { parseConfig } from "../instrumentation/config-file/parse-config.ts";
import {
  type AgentShape,
  type ConfigShape,
  contractField,
  instrumentationSchema,
} from "../instrumentation/config-file/shared-sections.ts";
import { canarySchema } from "./canary/canary-config.ts";
import { ignoreRuleSchema } from "./cassette/cassette.ts";
import { scopeSchema } from "./scope/scope-config.ts";

export { ConfigError };

const text = z.string().min(1).max(10_000);

const agentFields = z.strictObject({
  /** What a run promises that begins by itself, in a process with `--import runproof/register`. */
  contract: contractField,
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
} satisfies AgentShape);

/** Code is needed for replays only. */
const agentSchema = agentFields.refine(
  ({ module, command, contract }) =>
    module === "" ? command !== undefined || contract !== undefined : command === undefined,
  { error: "an agent is either a module or a command" },
);

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
  /** For processes with `--import runproof/register`. */
  instrumentation: instrumentationSchema.optional(),
  /** Fixtures that are replayed on a schedule. */
  canary: canarySchema.optional(),
  /** runproof's own project scope. */
  scope: scopeSchema.optional(),
} satisfies ConfigShape);

export type RunproofConfigInput = z.input<typeof configSchema>;
export type RunproofConfig = z.output<typeof configSchema>;

/** A configuration and where it was found; `directory` is what its paths start from. */
export interface LoadedConfig {
  readonly path: string | null;
  readonly directory: string;
  readonly config: RunproofConfig;
}

/** Types a `runproof.config.ts`; checks nothing, the loader does. */
export const defineConfig = (config: RunproofConfigInput): RunproofConfigInput => config;

/**
 * Loads the nearest `runproof.config.{ts,mts,js,mjs}`, from `cwd` upwards to the repository's root. Without one
 * everything has its default. Throws `ConfigError` for one that is not valid or cannot be loaded.
 */
export async function loadConfig(cwd: string): Promise<LoadedConfig> {
  const path = findConfig(resolve(cwd));
  if (path === undefined) return { path: null, directory: resolve(cwd), config: configSchema.parse({}) };
  return { path, directory: dirname(path), config: parseConfig(path, await importConfig(path), configSchema) };
}
