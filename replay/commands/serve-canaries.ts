import { resolve } from "node:path";
import type { Component } from "../../processor/component.ts";
import type { ServiceConfig } from "../../processor/config.ts";
import { readCollectorId } from "../../processor/run/collector-id.ts";
import type { Service } from "../../processor/service.ts";
import { tiersOf } from "../canary/canary-config.ts";
import { createCanaryScheduler } from "../canary/canary-scheduler.ts";
import { createTierRecords } from "../canary/tier-record.ts";
import { loadConfig, type LoadedConfig } from "../config.ts";
import { canaryDirectory, createCanaryRounds, outboxDirectory } from "./canary-rounds.ts";
import type { CommandContext } from "./context.ts";
import { UsageError } from "./run-command-line.ts";

export interface ServeCanaryFlags {
  readonly canary?: true;
  readonly autoFixtures?: string;
}

/** Starts what replays fixtures beside the service, once that is ready; `undefined` when nobody wants it. */
export type CanariesBeside = (service: Service, config: ServiceConfig) => Promise<Component>;

/**
 * Whether this service runs canaries: `--canary`, then RUNPROOF_CANARY, then the configuration. Read before the service
 * starts, so that a wrong configuration is told at once. @throws UsageError, ConfigError
 */
export async function canariesBeside(
  flags: ServeCanaryFlags,
  context: CommandContext,
  log: (message: string) => void,
): Promise<CanariesBeside | undefined> {
  const { RUNPROOF_CANARY: variable = "" } = context.env;
  if (!["", "on", "off"].includes(variable)) throw new UsageError("RUNPROOF_CANARY must be on or off");
  if (flags.canary !== true && variable === "off") return undefined;
  const asked = flags.canary === true || variable === "on";
  // Without being asked, a folder's configuration must not keep a service from starting.
  const loaded = asked ? await loadConfig(context.cwd) : await configOrNote(context.cwd, log);
  if (loaded === undefined || !(asked || loaded.config.canary?.serve === true)) return undefined;
  return (service, config) => startCanaries({ flags, context, loaded, log, service, config });
}

const configOrNote = (cwd: string, log: (message: string) => void): Promise<LoadedConfig | undefined> =>
  loadConfig(cwd).catch((error: unknown) => {
    log(`note: no canaries, because the configuration cannot be read: ${String(error)}`);
    return undefined;
  });

interface Beside {
  readonly flags: ServeCanaryFlags;
  readonly context: CommandContext;
  readonly loaded: LoadedConfig;
  readonly log: (message: string) => void;
  readonly service: Service;
  readonly config: ServiceConfig;
}

async function startCanaries({ flags, context, loaded, log, service, config }: Beside): Promise<Component> {
  const data = resolve(context.cwd, config.dataDirectory);
  const hostId = await readCollectorId(data);
  const { canary } = loaded.config;
  const rounds = createCanaryRounds({
    context,
    loaded,
    hostId,
    outboxDirectory: outboxDirectory(data),
    otlpUrl: service.otlpUrl,
    clickhouseUrl: service.clickhouseUrl,
    // Replays must not take the machine from those who send.
    jobs: canary?.jobs ?? 1,
    ...(flags.autoFixtures !== undefined && { furtherRoots: [resolve(context.cwd, flags.autoFixtures)] }),
    log,
  });
  const scheduler = createCanaryScheduler({
    tiers: tiersOf(canary),
    hostId,
    jitter: canary?.jitter ?? 0.1,
    records: createTierRecords(canaryDirectory(data), log),
    round: (due, signal) => rounds({ ...due, shard: { index: 1, count: 1 } }, signal),
    log,
  });
  await scheduler.start();
  return scheduler;
}
