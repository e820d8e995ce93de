import { createServer } from "node:net";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { spawn } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { ClickHouseLogLevel, createClient } from "@clickhouse/client";
import { afterEach, describe, expect, it, vi } from "vitest";

import { rowsOf, startEngineFixture, type EngineFixture } from "../testing/engine-fixture.ts";
import { createEmbeddedEngine } from "./embedded-engine.ts";

let fixture: EngineFixture | undefined;
afterEach(async () => {
  await fixture?.close();
  fixture = undefined;
});

const isRunning = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

const DDL = `CREATE TABLE acknowledged (id UInt32) ENGINE = MergeTree ORDER BY id
  SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1`;

describe("an engine that is killed during inserts", () => {
  it("comes back on its port and has every acknowledged row exactly once", async () => {
    fixture = await startEngineFixture();
    const { engine, service } = fixture;
    const url = engine.url();
    await service.command({ query: DDL });
    const acknowledged: number[] = [];
    let next = 0;
    const write = async (): Promise<void> => {
      while (next < 120) {
        const id = next++;
        const block = { table: "acknowledged", values: [{ id }], format: "JSONEachRow" } as const;
        const settings = { insert_deduplication_token: `block-${id}` };
        for (;;) {
          try {
            await service.insert({ ...block, clickhouse_settings: settings });
            break;
          } catch {
            await sleep(50);
          }
        }
        acknowledged.push(id);
      }
    };
    const killer = async (): Promise<void> => {
      for (const at of [15, 45, 80]) {
        await vi.waitUntil(() => acknowledged.length >= at, { timeout: 60_000, interval: 5 });
        process.kill(engine.pid() as number, "SIGKILL");
      }
    };
    await Promise.all([write(), write(), write(), killer()]);
    expect(engine.url()).toBe(url);
    const stored = await rowsOf<{ id: number }>(service, "SELECT id FROM acknowledged ORDER BY id");
    expect(stored.map((row) => row.id)).toEqual(acknowledged.toSorted((a, b) => a - b));
  });

  it("still knows a deduplication token after the restart", async () => {
    fixture = await startEngineFixture();
    const { engine, service } = fixture;
    await service.command({ query: DDL });
    const send = () =>
      service.insert({
        table: "acknowledged",
        values: [{ id: 1 }],
        format: "JSONEachRow",
        clickhouse_settings: { insert_deduplication_token: "once" },
      });
    await send();
    const killed = engine.pid() as number;
    process.kill(killed, "SIGKILL");
    await vi.waitUntil(() => engine.pid() !== killed && !isRunning(killed), { timeout: 60_000 });
    await vi.waitUntil(async () => (await service.ping()).success, { timeout: 60_000 });
    await send();
    expect(await rowsOf(service, "SELECT count() AS n FROM acknowledged")).toEqual([{ n: 1 }]);
  });
});

describe("the supervisor", () => {
  it("replaces an engine that hangs", async () => {
    fixture = await startEngineFixture(2_000);
    const { engine, service } = fixture;
    const hung = engine.pid() as number;
    process.kill(hung, "SIGSTOP");
    await vi.waitUntil(() => engine.pid() !== hung, { timeout: 60_000 });
    expect(await rowsOf(service, "SELECT 1 AS one")).toEqual([{ one: 1 }]);
    expect(isRunning(hung)).toBe(false);
  });

  it("restarts an engine that has stored nothing yet", async () => {
    fixture = await startEngineFixture();
    for (let restarts = 0; restarts < 2; restarts++) {
      const killed = fixture.engine.pid() as number;
      process.kill(killed, "SIGKILL");
      await vi.waitUntil(() => fixture?.engine.pid() !== killed, { timeout: 60_000 });
    }
    const { service } = fixture;
    await vi.waitUntil(async () => (await service.ping()).success, { timeout: 60_000 });
    await service.command({ query: "CREATE TABLE first (a Int8) ENGINE = MergeTree ORDER BY a" });
  });

  it("names a data directory in use, a busy port and an unusable path", async () => {
    fixture = await startEngineFixture();
    const second = createEmbeddedEngine({ dataDirectory: fixture.directory, port: 0 });
    await expect(second.start()).rejects.toMatchObject({ code: "directory_in_use" });
    await second.shutdown();

    const directory = await mkdtemp(join(tmpdir(), "runproof-engine-"));
    const blocker = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => blocker.once("listening", resolve));
    const { port } = blocker.address() as { port: number };
    await expect(createEmbeddedEngine({ dataDirectory: directory, port }).start()).rejects.toMatchObject({
      code: "port_in_use",
    });
    blocker.close();
    const glob = createEmbeddedEngine({ dataDirectory: join(directory, "{a,b}*"), port: 0 });
    await expect(glob.start()).rejects.toMatchObject({ code: "directory_unusable" });
    const open = createEmbeddedEngine({ dataDirectory: directory, port: 0, host: "0.0.0.0" });
    await expect(open.start()).rejects.toThrow(/loopback/);
    await rm(directory, { recursive: true });
  });

  it("shuts down safely twice and without a start", async () => {
    const directory = await mkdtemp(join(tmpdir(), "runproof-engine-"));
    const engine = createEmbeddedEngine({ dataDirectory: directory, port: 0 });
    await engine.shutdown();
    await engine.start();
    const pid = engine.pid() as number;
    await Promise.all([engine.shutdown(), engine.shutdown()]);
    expect(isRunning(pid)).toBe(false);
    await rm(directory, { recursive: true });
  });

  it("lets a running query finish before it ends", async () => {
    fixture = await startEngineFixture();
    const running = rowsOf(fixture.service, "SELECT sum(sleepEachRow(1)) AS slept FROM numbers(2)");
    await sleep(300);
    await fixture.engine.shutdown();
    expect(await running).toEqual([{ slept: 0 }]);
  });

  it("keeps the credential out of argv and the environment", async () => {
    fixture = await startEngineFixture();
    const { readFile } = await import("node:fs/promises");
    const { password } = fixture.engine.serviceCredentials();
    for (const file of ["cmdline", "environ"]) {
      expect(await readFile(`/proc/${fixture.engine.pid()}/${file}`, "utf8")).not.toContain(password);
    }
  });
});

describe("an installation without chdb", () => {
  it("is told what to install", async () => {
    // A copy of the sources outside of any node_modules.
    const directory = await mkdtemp(join(tmpdir(), "runproof-bare-"));
    // The engine's folder and the modules it takes from elsewhere.
    await cp(new URL(".", import.meta.url), join(directory, "processor/clickhouse/embedded"), { recursive: true });
    for (const module of ["auth/tokens.ts", "clickhouse/rows-file.ts"]) {
      await cp(new URL(`../../${module}`, import.meta.url), join(directory, "processor", module));
    }
    await writeFile(join(directory, "package.json"), '{ "type": "module" }');
    const script = `import { createEmbeddedEngine } from "./processor/clickhouse/embedded/embedded-engine.ts";
      createEmbeddedEngine({ dataDirectory: "data", port: 0 }).start().catch((error) => console.log(error.code, error.message));`;
    const bare = spawn(process.execPath, ["--input-type=module", "-e", script], {
      cwd: directory,
      stdio: ["ignore", "pipe", "inherit"],
    });
    const output = Buffer.concat(await bare.stdout.toArray()).toString();
    expect(output).toMatch(/^chdb_missing .*npm install chdb/);
    await rm(directory, { recursive: true });
  });
});

describe("an engine whose parent dies", () => {
  it("ends by itself", async () => {
    const directory = await mkdtemp(join(tmpdir(), "runproof-engine-"));
    const module = new URL("./embedded-engine.ts", import.meta.url).href;
    const script = `const { createEmbeddedEngine } = await import(${JSON.stringify(module)});
      const engine = createEmbeddedEngine({ dataDirectory: ${JSON.stringify(directory)}, port: 0 });
      await engine.start();
      console.log(engine.pid());`;
    const parent = spawn(process.execPath, ["--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const pid = Number(
      await new Promise((resolve) => parent.stdout.once("data", (data: Buffer) => resolve(String(data)))),
    );
    expect(isRunning(pid)).toBe(true);
    parent.kill("SIGKILL");
    await vi.waitUntil(() => !isRunning(pid), { timeout: 60_000 });
    await rm(directory, { recursive: true });
  });
});

describe("a light query", () => {
  it("does not wait behind heavy ones, bound parameters included", async () => {
    fixture = await startEngineFixture();
    const client = createClient({ url: fixture.engine.url(), log: { level: ClickHouseLogLevel.OFF } });
    const heavy = Array.from({ length: 4 }, () =>
      client
        .query({
          query: "SELECT sum(sipHash64(number)) FROM numbers({n:UInt64})",
          query_params: { n: 1e12 },
          clickhouse_settings: { max_execution_time: 5, max_threads: 1 },
        })
        .catch((error: unknown) => error),
    );
    await sleep(500);
    const start = performance.now();
    const result = await client.query({
      query: "SELECT {x:UInt8} AS x",
      query_params: { x: 1 },
      format: "JSONEachRow",
    });
    expect(await result.json()).toEqual([{ x: 1 }]);
    expect(performance.now() - start).toBeLessThan(4_000);
    for (const outcome of await Promise.all(heavy)) expect(outcome).toMatchObject({ type: "TIMEOUT_EXCEEDED" });
    await client.close();
  });

  it("that nobody waits for any more is killed", async () => {
    fixture = await startEngineFixture();
    const abort = new AbortController();
    const query = "SELECT sum(sipHash64(number)) FROM numbers(1000000000000)";
    const abandoned = fixture.reader.query({ query, abort_signal: abort.signal }).catch(() => undefined);
    await sleep(500);
    abort.abort();
    await abandoned;
    const running =
      "SELECT count() AS n FROM system.processes WHERE query LIKE '%sum(sipHash64%' AND query NOT LIKE '%processes%'";
    const service = fixture.service;
    await vi.waitUntil(async () => ((await rowsOf<{ n: number }>(service, running))[0]?.n ?? 1) === 0, {
      timeout: 60_000,
    });
  });
});
