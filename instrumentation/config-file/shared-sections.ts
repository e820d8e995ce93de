import { z } from "zod";
import { BOUNDARY_KINDS } from "../auto/boundary/boundary-settings.ts";
import type { RunContractInput } from "../contract/contract.ts";

/**
 * What the agent's process reads of `runproof.config.ts`. The other keys are known here by name only, so that a mistyped
 * one is found in production too; whoever reads them says what they hold.
 */

const text = z.string().min(1).max(10_000);

export const AGENT_KEYS = [
  "contract",
  "module",
  "export",
  "ignore",
  "passEnvironment",
  "live",
  "native",
  "command",
  "baseUrls",
] as const;
export const CONFIG_KEYS = [
  "agents",
  "instrumentation",
  "fixturesDirectory",
  "certificateMaxAgeDays",
  "clickhouseUrl",
  "otlpEndpoint",
  "canary",
  "scope",
] as const;

/** Which schema each key of one level has, and none is forgotten. */
export type AgentShape = Record<(typeof AGENT_KEYS)[number], z.ZodType>;
export type ConfigShape = Record<(typeof CONFIG_KEYS)[number], z.ZodType>;

/** A contract under the agent's name, which it need not repeat. */
export type ConfigContract = Omit<RunContractInput, "agent"> & { readonly agent?: string };

/** Parsed by `contractsFrom()`: only there the agent's name is known. */
export const contractField = z.custom<ConfigContract>().optional();

export const instrumentationSchema = z.strictObject({
  /** Where runs begin by themselves. `RUNPROOF_BOUNDARY` wins. Default `["agent"]`. */
  boundary: z.array(z.enum(BOUNDARY_KINDS)).optional(),
  /** Name of the agent. `RUNPROOF_AGENT_NAME` wins. Default: what the stack says, the service's or the package's name. */
  agentName: text.max(200).optional(),
  /** Packages that are left alone, by name, such as `pg-boss`. */
  disabled: z.array(text).default([]),
  http: z
    .strictObject({
      /** Paths of incoming requests that are no runs; `*` at the end stands for any rest. Default: usual health probes. */
      ignorePaths: z.array(text).optional(),
    })
    .default({}),
});

export type InstrumentationConfig = z.output<typeof instrumentationSchema>;

const anything = z.unknown().optional();
const named = (keys: readonly string[]): Record<string, z.ZodType> =>
  Object.fromEntries(keys.map((key) => [key, anything]));

export const sharedSchema = z.strictObject({
  ...named(CONFIG_KEYS),
  agents: z.record(text, z.strictObject(named(AGENT_KEYS))).default({}),
  instrumentation: instrumentationSchema.optional(),
});
