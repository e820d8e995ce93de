import { randomBytes } from "node:crypto";
import { request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

import type { Component } from "../../component.ts";
import { EmbeddedEngineError, startEngineChild, type EngineChild } from "./engine-child.ts";
import type { ServiceCredentials } from "./engine-rights.ts";

export { EmbeddedEngineError } from "./engine-child.ts";

export interface EmbeddedEngineOptions {
  /** Created when missing. One process at a time may use it. */
  readonly dataDirectory: string;
  /** Default 8123; 0 takes a free port, which then stays the same across restarts. */
  readonly port?: number;
  /** Loopback address to listen on. Default `127.0.0.1`. */
  readonly host?: string;
  readonly logger?: { warn(message: string): void };
  /** An engine that answers no ping for this long is killed and restarted. Default 10,000. */
  readonly hungAfterMillis?: number;
  /** Called after each restart, when the engine serves again. */
  readonly onRestart?: () => void;
}

export interface EmbeddedEngine extends Component {
  /** `http://127.0.0.1:<port>`, without any secret. Valid after `start()`. */
  url(): string;
  /** The only credential that may write. New at every `start()` of the service, kept across restarts of the child. */
  serviceCredentials(): ServiceCredentials;
  /** Process id of the engine now serving, for diagnostics. */
  pid(): number | undefined;
}

const FIRST_BACKOFF_MILLIS = 50;
const LAST_BACKOFF_MILLIS = 2_000;
const PING_EVERY_MILLIS = 1_000;
const PING_TIMEOUT_MILLIS = 2_000;

/**
 * Supervises the engine in its child process: starts it, restarts it on the same port when it dies or hangs.
 *
 * `start()` throws EmbeddedEngineError for a data directory in use, a busy port or a missing `chdb`. While the engine
 * restarts, requests fail to connect; callers retry (the group commit does).
 */
export function createEmbeddedEngine(options: EmbeddedEngineOptions): EmbeddedEngine {
  const { dataDirectory, host = "127.0.0.1", hungAfterMillis = 10_000 } = options;
  const credentials = { username: "service", password: randomBytes(32).toString("base64url") };
  let port = options.port ?? 8123;
  let child: EngineChild | undefined;
  let isStopping = false;
  let pingTimer: NodeJS.Timeout | undefined;
  let restarting: Promise<void> | undefined;
  let lastPing = 0;

  async function launch(): Promise<void> {
    const started = await startEngineChild({ dataDirectory, host, port, credentials });
    child = started;
    port = started.port;
    lastPing = Date.now();
    void restartAfter(started);
  }

  async function restartAfter(ended: EngineChild): Promise<void> {
    const how = await ended.exited;
    if (isStopping) return;
    options.logger?.warn(`The embedded engine ended (${how}); restarting.`);
    restarting = restart(FIRST_BACKOFF_MILLIS);
    await restarting;
  }

  async function restart(backoffMillis: number): Promise<void> {
    await sleep(backoffMillis);
    if (isStopping) return;
    try {
      await launch();
      options.onRestart?.();
    } catch (error) {
      options.logger?.warn(`The embedded engine does not start: ${String(error)}`);
      await restart(Math.min(backoffMillis * 2, LAST_BACKOFF_MILLIS));
    }
  }

  async function watch(): Promise<void> {
    const watched = child;
    if (watched?.isAlive() !== true) return;
    if (await ping(host, port)) lastPing = Date.now();
    else if (watched === child && Date.now() - lastPing > hungAfterMillis) {
      options.logger?.warn("The embedded engine does not answer; killing it.");
      lastPing = Date.now();
      watched.kill();
    }
  }

  return {
    async start() {
      if (host !== "127.0.0.1" && host !== "::1" && host !== "localhost") {
        throw new EmbeddedEngineError("start_failed", `The embedded engine listens on loopback only, not on ${host}.`);
      }
      isStopping = false;
      await launch();
      pingTimer = setInterval(() => void watch(), PING_EVERY_MILLIS);
      pingTimer.unref();
    },
    async shutdown() {
      isStopping = true;
      clearInterval(pingTimer);
      await restarting;
      await child?.stop();
      child = undefined;
    },
    url: () => `http://${host.includes(":") ? `[${host}]` : host}:${port}`,
    serviceCredentials: () => credentials,
    pid: () => child?.pid,
  };
}

/** A connection of its own: a pooled one would answer for the engine that was. */
function ping(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const options = { host, port, path: "/ping", agent: false, signal: AbortSignal.timeout(PING_TIMEOUT_MILLIS) };
    const outgoing = request(options, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    outgoing.on("error", () => resolve(false));
    outgoing.end();
  });
}
