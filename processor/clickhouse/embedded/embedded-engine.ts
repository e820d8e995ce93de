import { randomBytes } from "node:crypto";
import { totalmem } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";

import type { TokenEntry } from "../../auth/tokens.ts";
import type { Component } from "../../component.ts";
import { EmbeddedEngineError, startEngineChild, type EngineChild } from "./engine-child.ts";
import { createEngineHealth, PROBE_EVERY_MILLIS, type EngineHealth, type EngineIllness } from "./engine-health.ts";
import type { FromEngine } from "./engine-messages.ts";
import type { ServiceCredentials } from "./engine-rights.ts";
import { engineDirectories } from "./engine-directories.ts";
import { createRestartSpacing } from "./restart-spacing.ts";

export { EmbeddedEngineError } from "./engine-child.ts";

/** Why a child was replaced: it ended by itself or by somebody's hand, or the supervisor ended it. */
export type RestartReason = "ended" | EngineIllness;

export interface EmbeddedEngineOptions {
  /** Created when missing. One process at a time may use it. */
  readonly dataDirectory: string;
  /** Default 8123; 0 takes a free port, which then stays the same across restarts. */
  readonly port?: number;
  /** Loopback address to listen on. Default `127.0.0.1`. */
  readonly host?: string;
  /**
   * With it nobody reads without a token: scope `read` shows the token's project, `admin` all. Default: everybody who
   * reaches the port reads everything.
   */
  readonly tokens?: readonly TokenEntry[];
  readonly logger?: { warn(message: string): void };
  /** An engine whose process gives no sign of life for this long is killed and replaced. Default 10,000. */
  readonly hungAfterMillis?: number;
  /** The same for one that lives but does not finish a trivial statement. Default 30,000. */
  readonly stuckAfterMillis?: number;
  /**
   * Resident memory over which the engine's process is replaced, MiB. From 80 % of it on the engine itself refuses
   * statements. Default: half of the machine's, at least 2,048.
   */
  readonly maxMib?: number;
  /** Called after each restart, when the engine serves again. */
  readonly onRestart?: () => void;
  /** Module to run as the engine's process. Default: the engine's own; tests have one that falls ill on command. */
  readonly entry?: string;
}

/** Figures of the engine's process. */
export interface EngineStats {
  /** It executes statements. */
  readonly up: boolean;
  /** Since the start. */
  readonly restarts: Readonly<Record<RestartReason, number>>;
  /** Resident memory, at most a second or two old. */
  readonly rssBytes: number | undefined;
  /** Of a trivial statement, the same age. */
  readonly statementMillis: number | undefined;
}

export interface EmbeddedEngine extends Component {
  /** `http://127.0.0.1:<port>`, without any secret. Valid after `start()`. */
  url(): string;
  /** The only credential that may write. New at every `start()` of the service, kept across restarts of the child. */
  serviceCredentials(): ServiceCredentials;
  /** Where the service may leave a block of rows as a file: see `insertNative`. */
  inboxDirectory(): string;
  /** Process id of the engine now serving, for diagnostics. */
  pid(): number | undefined;
  stats(): EngineStats;
}

const FIRST_BACKOFF_MILLIS = 50;
const LAST_BACKOFF_MILLIS = 10_000;
/** A child that lived this long was worth its start; the next one is started without waiting. */
const STABLE_MILLIS = 60_000;
const MIB = 1024 * 1024;
const ENGINE_SHARE = 0.8;

const COMPLAINTS: Readonly<Record<EngineIllness, string>> = {
  silent: "The embedded engine gives no sign of life; killing it.",
  stuck: "The embedded engine does not finish a trivial statement; killing it.",
  memory: "The embedded engine holds more memory than it may; killing it.",
  disk: "The embedded engine serves a damaged part; restarting it, so that it takes the part's sources.",
};

/**
 * Supervises the engine in its child process: starts it, replaces it on the same port when it dies, hangs or grows too
 * large. What it had acknowledged is on disk, so it is never asked to end in order.
 *
 * `start()` throws EmbeddedEngineError for a data directory in use, a busy port or a missing `chdb`. While the engine
 * restarts, requests fail to connect; callers retry (the drain of the spool does).
 */
export function createEmbeddedEngine(options: EmbeddedEngineOptions): EmbeddedEngine {
  const { dataDirectory, host = "127.0.0.1", logger } = options;
  // The child learns no more than it needs: hashes, and of writers not even those.
  const readTokens = options.tokens?.filter(({ scopes }) => scopes.includes("read") || scopes.includes("admin"));
  const access = readTokens === undefined ? {} : { readTokens };
  const credentials = { username: "service", password: randomBytes(32).toString("base64url") };
  const maxRssBytes = (options.maxMib ?? Math.max(2_048, Math.floor(totalmem() / MIB / 2))) * MIB;
  const restarts: Record<RestartReason, number> = { ended: 0, silent: 0, stuck: 0, memory: 0, disk: 0 };
  const healing = createRestartSpacing(() => performance.now());
  const toldParts = new Set<string>();
  let stopping = new AbortController();
  let port = options.port ?? 8123;
  let child: EngineChild | undefined;
  let health: EngineHealth | undefined;
  let illness: EngineIllness | undefined;
  let timer: NodeJS.Timeout | undefined;
  let restarting: Promise<void> | undefined;
  let backoffMillis = FIRST_BACKOFF_MILLIS;

  async function launch(): Promise<void> {
    const maxMemoryBytes = Math.floor(maxRssBytes * ENGINE_SHARE);
    const entry = options.entry === undefined ? {} : { entry: options.entry };
    const started = await startEngineChild({
      dataDirectory,
      host,
      port,
      credentials,
      maxMemoryBytes,
      onMessage: tell,
      ...access,
      ...entry,
    });
    child = started;
    port = started.port;
    illness = undefined;
    health = createEngineHealth(started, {
      silentAfterMillis: options.hungAfterMillis ?? 10_000,
      stuckAfterMillis: options.stuckAfterMillis ?? 30_000,
      maxRssBytes,
      mayHeal: healing.allows,
      now: () => performance.now(),
    });
    tellParts("The embedded engine put aside parts that it cannot read", started.detached);
    void restartAfter(started, performance.now());
  }

  /** Says each part once: it is found again every second, and one put aside stays there until somebody removes it. */
  function tellParts(what: string, parts: readonly string[]): void {
    const news = parts.filter((part) => !toldParts.has(part));
    for (const part of news) toldParts.add(part);
    if (news.length > 0) logger?.warn(`${what}: ${news.join(", ")}.`);
  }

  function tell(message: FromEngine): void {
    if (message.type === "room") logger?.warn(roomNotice(message));
    else if (message.type === "damaged") tellParts("Parts of the embedded store have incomplete files", message.parts);
  }

  async function restartAfter(ended: EngineChild, startedAt: number): Promise<void> {
    const how = await ended.exited;
    if (stopping.signal.aborted) return;
    const reason = illness ?? "ended";
    restarts[reason]++;
    logger?.warn(`The embedded engine ended (${reason === "ended" ? how : reason}); restarting.`);
    if (performance.now() - startedAt > STABLE_MILLIS) backoffMillis = FIRST_BACKOFF_MILLIS;
    restarting = restart();
    await restarting;
  }

  async function restart(): Promise<void> {
    await sleep(backoffMillis, undefined, { signal: stopping.signal }).catch(() => {});
    backoffMillis = Math.min(backoffMillis * 2, LAST_BACKOFF_MILLIS);
    if (stopping.signal.aborted) return;
    try {
      await launch();
      options.onRestart?.();
    } catch (error) {
      logger?.warn(`The embedded engine does not start: ${String(error)}`);
      await restart();
    }
  }

  function watch(): void {
    if (child?.isAlive() !== true || illness !== undefined) return;
    illness = health?.check();
    if (illness === undefined) return;
    if (illness === "disk") healing.count();
    logger?.warn(COMPLAINTS[illness]);
    child.kill();
  }

  return {
    async start() {
      if (host !== "127.0.0.1" && host !== "::1" && host !== "localhost") {
        throw new EmbeddedEngineError("start_failed", `The embedded engine listens on loopback only, not on ${host}.`);
      }
      stopping = new AbortController();
      await launch();
      timer = setInterval(watch, PROBE_EVERY_MILLIS);
      timer.unref();
    },
    async shutdown() {
      stopping.abort();
      clearInterval(timer);
      await restarting;
      // One that gives no sign of life would only use up the time in which it may end in order.
      const hurry = setInterval(() => {
        health?.check();
        if (health?.isSilent() === true) child?.kill();
      }, PROBE_EVERY_MILLIS);
      await child?.stop();
      clearInterval(hurry);
      child = undefined;
    },
    url: () => `http://${host.includes(":") ? `[${host}]` : host}:${port}`,
    serviceCredentials: () => credentials,
    inboxDirectory: () => engineDirectories(dataDirectory).inbox,
    pid: () => child?.pid,
    stats: () => ({
      up: child?.isAlive() === true && illness === undefined && health?.isWell() === true,
      restarts: { ...restarts },
      rssBytes: health?.rssBytes,
      statementMillis: health?.statementMillis,
    }),
  };
}

function roomNotice({ room, space }: Extract<FromEngine, { type: "room" }>): string {
  const free = `${Math.floor(space.freeBytes / MIB)} MiB free`;
  if (!room.takesMerges) return `The disk is almost full (${free}): the embedded engine neither inserts nor merges.`;
  if (!room.takesInserts) return `The disk is short of room (${free}): the embedded engine takes no inserts.`;
  return `The disk has room again (${free}): the embedded engine takes inserts.`;
}
