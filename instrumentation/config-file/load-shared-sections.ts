import { resolve } from "node:path";
import type { RunContract } from "../contract/contract.ts";
import { contractsFrom } from "./contracts-from.ts";
import { findConfig, importConfig } from "./find-config.ts";
import { parseConfig } from "./parse-config.ts";
import { type InstrumentationConfig, instrumentationSchema, sharedSchema } from "./shared-sections.ts";

/** What the agent's process takes from the configuration. */
export interface SharedSections {
  readonly instrumentation: InstrumentationConfig;
  /** By agent name. */
  readonly contracts: Readonly<Record<string, RunContract>>;
}

/** Everything has its default where there is no configuration. */
export const defaultSections = (): SharedSections => ({
  instrumentation: instrumentationSchema.parse({}),
  contracts: {},
});

/** Reads the nearest configuration from `cwd` upwards. Throws `ConfigError` for one that cannot be used. */
export async function loadSharedSections(cwd: string): Promise<SharedSections> {
  const path = findConfig(resolve(cwd));
  if (path === undefined) return defaultSections();
  const config = parseConfig(path, await importConfig(path), sharedSchema);
  return {
    instrumentation: config.instrumentation ?? defaultSections().instrumentation,
    contracts: contractsFrom(config.agents).contracts,
  };
}
