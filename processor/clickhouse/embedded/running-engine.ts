import { mkdir, rm } from "node:fs/promises";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { resolve } from "node:path";

import type { Session } from "chdb";

import { createDiskWatch, type DiskWatch, type DiskWatchOptions } from "./disk-watch.ts";
import { type EngineDirectories, engineDirectories } from "./engine-directories.ts";
import { createEngineExecutor, type EngineExecutor } from "./engine-executor.ts";
import { writeEngineConfig } from "./engine-config.ts";
import type { EngineFailureCode, ToEngine } from "./engine-messages.ts";
import { createEngineRights } from "./engine-rights.ts";
import { createEngineServer } from "./engine-server.ts";
import { createEngineSessions } from "./engine-sessions.ts";
import { replaceOverlay } from "./overlay.ts";
import { assertProjectRights } from "./project-rights.ts";

export interface RunningEngine {
  readonly port: number;
  readonly version: string;
  /** Parts that it could not read and put aside, `table/part`, since ever. */
  readonly detached: readonly string[];
  /** A trivial statement, in a session of its own as every other, but beside the slots: busy readers do not delay it. */
  probe(): Promise<void>;
  /** Takes no new requests, lets running ones finish for `graceMillis`, kills the rest, closes. */
  close(graceMillis: number): Promise<void>;
}

export class EngineStartError extends Error {
  readonly code: EngineFailureCode;

  constructor(code: EngineFailureCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "EngineStartError";
    this.code = code;
  }
}

type DiskListeners = Pick<DiskWatchOptions, "onRoom" | "onDamage">;
type StartMessage = Extract<ToEngine, { type: "start" }>;

/** Opens the data directory and serves it. @throws EngineStartError */
export async function createRunningEngine(message: StartMessage, disk: DiskListeners): Promise<RunningEngine> {
  const directory = await prepareDirectory(message.dataDirectory);
  const chdb = await loadChdb();
  const withUsers = message.readTokens !== undefined;
  const config = await writeEngineConfig(directory.access, withUsers);
  const base = openBase(chdb, directory.engine, engineArguments(message, config));
  const query = async (sql: string): Promise<string> => {
    const session = new chdb.Session(directory.engine);
    try {
      return (await session.queryAsync(sql, { format: "JSONEachRow" })).text();
    } finally {
      session.close();
    }
  };
  await replaceOverlay(base, directory.engine);
  // Before anything else: on a full disk the first merges must not begin.
  const watch = createDiskWatch({ ...disk, directory: directory.engine, query });
  await watch.start();
  // Only now: the lock on the directory is held, so nobody else's files are in the inbox.
  await rm(directory.inbox, { recursive: true, force: true });
  await mkdir(directory.inbox, { mode: 0o700 });
  const sessions = createEngineSessions(() => new chdb.Session(directory.engine));
  if (withUsers) await assertProjectRights(sessions);
  const executor = reportingFailures(await createEngineExecutor(sessions, directory.inbox, watch), watch);
  const version = (await base.queryAsync("SELECT version()", { format: "TSV" })).text().trim();
  const rights = createEngineRights(message.credentials, message.readTokens);
  const server = createEngineServer({ executor, rights, version });
  const port = await listen(server, message);
  return {
    port,
    version,
    detached: await brokenParts(query),
    async probe() {
      await query("SELECT 1");
    },
    async close(graceMillis) {
      const closed = new Promise((done) => server.close(done));
      server.closeIdleConnections();
      await watch.stop();
      await sessions.close(graceMillis);
      server.closeIdleConnections();
      // A connection whose answer is still on its way out gets a moment, one that says nothing does not.
      const timer = setTimeout(() => server.closeAllConnections(), 500);
      await closed;
      clearTimeout(timer);
      base.close();
      await chdb.drainPending();
    },
  };
}

/** The engine takes paths apart: `*?{}` are globs to it. */
async function prepareDirectory(dataDirectory: string): Promise<EngineDirectories> {
  const root = resolve(dataDirectory);
  if (/[*?{}|\0]|::/.test(root)) {
    throw new EngineStartError("directory_unusable", `The data directory may not contain * ? { } | or "::": ${root}`);
  }
  const paths = engineDirectories(dataDirectory);
  try {
    await mkdir(paths.engine, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new EngineStartError("directory_unusable", `Cannot create the data directory ${root}`, { cause: error });
  }
  return paths;
}

async function loadChdb(): Promise<typeof import("chdb")> {
  try {
    return await import("chdb");
  } catch (error) {
    const message =
      "The embedded store needs the npm package chdb: run `npm install chdb`, or set the URL of a ClickHouse server.";
    throw new EngineStartError("chdb_missing", `${message} (${String(error)})`, { cause: error });
  }
}

function reportingFailures(executor: EngineExecutor, watch: DiskWatch): EngineExecutor {
  return {
    async execute(execution) {
      try {
        return await executor.execute(execution);
      } catch (error) {
        watch.statementFailed(error);
        throw error;
      }
    },
  };
}

async function brokenParts(query: (sql: string) => Promise<string>): Promise<string[]> {
  const sql = "SELECT concat(table, '/', name) AS name FROM system.detached_parts WHERE startsWith(reason, 'broken')";
  const lines = (await query(sql)).split("\n").filter((line) => line !== "");
  return lines.map((line) => (JSON.parse(line) as { name: string }).name);
}

function engineArguments({ maxMemoryBytes }: StartMessage, config: string): string[] {
  return [
    ...(maxMemoryBytes === undefined ? [] : [`--max_server_memory_usage=${maxMemoryBytes}`]),
    `--config-file=${config}`,
  ];
}

/** The first session of a process decides the engine's own configuration. */
function openBase(chdb: typeof import("chdb"), directory: string, connectionArgs: readonly string[]): Session {
  try {
    return new chdb.Session(directory, { connectionArgs });
  } catch (error) {
    const text = String(error);
    if (/lock file|already running|Code: 76/i.test(text)) {
      throw new EngineStartError("directory_in_use", `Another process uses the data directory ${directory}.`, {
        cause: error,
      });
    }
    throw new EngineStartError("start_failed", `The engine cannot open ${directory}: ${text}`, { cause: error });
  }
}

function listen(server: Server, { host, port }: StartMessage): Promise<number> {
  return new Promise((resolveListen, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const code = error.code === "EADDRINUSE" ? "port_in_use" : "start_failed";
      reject(new EngineStartError(code, `Cannot listen on ${host}:${port}: ${error.message}`, { cause: error }));
    });
    server.listen(port, host, () => resolveListen((server.address() as AddressInfo).port));
  });
}
