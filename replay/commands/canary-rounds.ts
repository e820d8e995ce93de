import { join, resolve } from "node:path";
import { createLanes } from "../canary/lanes.ts";
import { createOutbox } from "../canary/outbox.ts";
import { type DueRound, type RoundOptions, type RoundReport, runRound } from "../canary/round.ts";
import { DEFAULT_MAX_AGE_DAYS } from "../certify/life-cycle.ts";
import { openRepository, type Repository, resolveCommit } from "../certify/repository.ts";
import type { LoadedConfig } from "../config.ts";
import { DEFAULT_FIXTURES_DIRECTORY } from "../fixture/fixture-store.ts";
import type { Environment } from "../sandbox/child-environment.ts";
import { type ChildPool, createChildPool } from "../sandbox/child-pool.ts";
import { version } from "../version.ts";
import { agentCode } from "./agent-code.ts";
import { redactionKeyFile } from "./agent-module.ts";
import type { CommandContext } from "./context.ts";
import { newestRunIn } from "./newest-run.ts";
import { storeHeaders } from "./store-headers.ts";

export interface CanaryRoundsOptions {
  readonly context: CommandContext;
  readonly loaded: LoadedConfig;
  readonly hostId: string;
  /** Where results wait while the service is away. */
  readonly outboxDirectory: string;
  /** OTLP/HTTP base URL of the service; `null` sends and stores nothing. */
  readonly otlpUrl: string | null;
  readonly clickhouseUrl: string;
  /** Replays at the same time, over all tiers. */
  readonly jobs: number;
  /** Folders of fixtures besides the configured one. */
  readonly furtherRoots?: readonly string[];
  readonly log: (message: string) => void;
}

/** Does rounds with the agents' code as the configuration names it. */
export type CanaryRounds = (
  due: DueRound,
  signal: AbortSignal,
  onResult?: RoundOptions["onResult"],
) => Promise<RoundReport>;

/** Folders, git and the newest live runs are looked at anew for each round. */
export function createCanaryRounds(options: CanaryRoundsOptions): CanaryRounds {
  const { context, loaded, otlpUrl, log } = options;
  const { env } = context;
  const lanes = createLanes(options.jobs);
  const headers = storeHeaders(env, otlpUrl ?? "");
  const outbox = otlpUrl === null ? null : createOutbox({ directory: options.outboxDirectory, url: otlpUrl, headers });
  const configured = resolve(loaded.directory, loaded.config.fixturesDirectory ?? DEFAULT_FIXTURES_DIRECTORY);
  const roots = [...new Set([configured, ...(options.furtherRoots ?? [])])];
  const isKnown = Object.keys(headers).some((name) => name.toLowerCase() === "authorization");
  const project = env["RUNPROOF_PROJECT"] || (isKnown ? "default" : null);
  const pools = createSharedPool(options.jobs, env);

  return async (due, signal, onResult) => {
    const repository = await openRepository(loaded.directory, env).catch(() => null);
    const codeVersion = env["RUNPROOF_CODE_VERSION"] || (await headOf(repository));
    const pool = pools.take();
    try {
      return await runRound(due, {
        roots,
        lifeCycle: {
          repository,
          maxAgeDays: loaded.config.certificateMaxAgeDays ?? DEFAULT_MAX_AGE_DAYS,
          newestRun: newestRunIn(options.clickhouseUrl, context, () => log(NO_STORE)),
          now: Date.now(),
        },
        agentOf: (name) => agentCode(loaded, name),
        replay: {
          environment: { ...env, ...(codeVersion !== "" && { RUNPROOF_CODE_VERSION: codeVersion }) },
          storeUrl: otlpUrl,
          storeHeaders: headers,
          runType: "canary",
          redactionKeyFile: redactionKeyFile(context),
          runAgent: (replay) => pool.run(replay),
        },
        lanes,
        outbox,
        sender: { hostId: options.hostId, version: version(), codeVersion, project },
        signal,
        now: Date.now,
        ...(onResult && { onResult }),
      });
    } finally {
      await pools.give();
    }
  };
}

const NO_STORE = "canaries: no store answers; prompt version, model and tools are not compared with live runs";

const headOf = async (repository: Repository | null): Promise<string> =>
  (repository && (await resolveCommit(repository, "HEAD"))) ?? "";

/** One set of waiting processes for all rounds under way; each replay has a process of its own, started ahead. */
function createSharedPool(size: number, environment: Environment) {
  let users = 0;
  let pool: ChildPool | undefined;
  return {
    take(): ChildPool {
      users++;
      return (pool ??= createChildPool({ size, environment }));
    },
    async give(): Promise<void> {
      if (--users > 0) return;
      const done = pool;
      pool = undefined;
      await done?.close();
    },
  };
}

/** Where schedules and unsent results are kept. */
export const canaryDirectory = (dataDirectory: string): string => join(dataDirectory, "canary");
export const outboxDirectory = (dataDirectory: string): string => join(canaryDirectory(dataDirectory), "outbox");

/** The flag, then RUNPROOF_DATA_DIR, then where the service has its data. */
export const dataDirectoryFrom = ({ dataDir }: { readonly dataDir?: string }, { cwd, env }: CommandContext): string =>
  resolve(cwd, dataDir ?? (env["RUNPROOF_DATA_DIR"] || ".runproof/data"));
