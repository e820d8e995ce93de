import { mkdir, rm } from "node:fs/promises";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join, resolve } from "node:path";

import type { Session } from "chdb";

import { createEngineExecutor } from "./engine-executor.ts";
import type { EngineFailureCode, ToEngine } from "./engine-messages.ts";
import { createEngineServer } from "./engine-server.ts";
import { createEngineSessions } from "./engine-sessions.ts";
import { replaceOverlay } from "./overlay.ts";

export interface RunningEngine {
  readonly port: number;
  readonly version: string;
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

type StartMessage = Extract<ToEngine, { type: "start" }>;

/** Opens the data directory and serves it. @throws EngineStartError */
export async function createRunningEngine(message: StartMessage): Promise<RunningEngine> {
  const directory = await prepareDirectory(message.dataDirectory);
  const chdb = await loadChdb();
  const base = openBase(chdb, directory.engine);
  await replaceOverlay(base, directory.engine);
  // Only now: the lock on the directory is held, so nobody else's files are in the inbox.
  await rm(directory.inbox, { recursive: true, force: true });
  await mkdir(directory.inbox, { mode: 0o700 });
  const sessions = createEngineSessions(() => new chdb.Session(directory.engine));
  const executor = await createEngineExecutor(sessions, directory.inbox);
  const version = (await base.queryAsync("SELECT version()", { format: "TSV" })).text().trim();
  const server = createEngineServer({ executor, credentials: message.credentials, version });
  const port = await listen(server, message);
  return {
    port,
    version,
    async close(graceMillis) {
      const closed = new Promise((done) => server.close(done));
      server.closeIdleConnections();
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
async function prepareDirectory(dataDirectory: string): Promise<{ engine: string; inbox: string }> {
  const root = resolve(dataDirectory);
  if (/[*?{}|\0]|::/.test(root)) {
    throw new EngineStartError("directory_unusable", `The data directory may not contain * ? { } | or "::": ${root}`);
  }
  const paths = { engine: join(root, "engine"), inbox: join(root, "inbox") };
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

function openBase(chdb: typeof import("chdb"), directory: string): Session {
  try {
    return new chdb.Session(directory);
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
