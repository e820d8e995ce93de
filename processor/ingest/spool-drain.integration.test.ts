import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createSpool, type Spool, type SpoolBatch, type SpoolRecord } from "../spool/index.ts";
import { createSpoolBodies } from "./spool-bodies.ts";
import { createSpoolDrain, type SpoolDrain } from "./spool-drain.ts";

/** A real spool on disk; the store is the edge these tests are not about. */
let directory: string;
let spool: Spool;
let drain: SpoolDrain;
let stored: SpoolBatch[];
let store: (batch: SpoolBatch) => Promise<void>;
const errors: string[] = [];

const open = (): Spool =>
  createSpool({ directory, now: Date.now, onError: (what) => void errors.push(what), maxBytes: 4 << 20 });

const record = (text: string, changes: Partial<SpoolRecord> = {}): SpoolRecord => ({
  kind: "traces",
  encoding: "protobuf",
  lane: "bulk",
  project: "",
  receivedAtMillis: 1,
  payload: Buffer.from(text),
  ...changes,
});

const texts = (): string[] =>
  stored.flatMap((batch) => batch.records.map((one) => Buffer.from(one.payload).toString()));

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "runproof-drain-"));
  stored = [];
  store = async (batch) => void stored.push(batch);
  spool = open();
  await spool.start();
  drain = createSpoolDrain({ spool, store: (batch) => store(batch), onError: (what) => void errors.push(what) });
  await drain.start();
});

afterEach(async () => {
  await drain.shutdown();
  await spool.shutdown();
  await rm(directory, { recursive: true, force: true });
});

describe("a drain", () => {
  it("stores what comes in, in order, and empties the spool", async () => {
    for (const text of ["a", "b", "c"]) expect(await spool.append(record(text))).toBe("durable");
    await drain.idle();
    expect(texts()).toEqual(["a", "b", "c"]);
    expect(spool.stats().bytes).toBe(0);
  });

  it("joins what comes in while it lingers into one batch", async () => {
    await Promise.all(Array.from({ length: 50 }, (_, index) => spool.append(record(String(index)))));
    await drain.idle();
    expect(stored.length).toBeLessThan(4);
    expect(texts()).toHaveLength(50);
  });

  it("stores two batches at a time, each once, while one of them takes long", async () => {
    const done: string[] = [];
    let finishFirst = (): void => {};
    store = async (batch) => {
      if (done.length === 0 && batch.name === first) await new Promise<void>((resolve) => (finishFirst = resolve));
      done.push(batch.name);
      stored.push(batch);
    };
    let first = "";
    const slow = store;
    store = (batch) => {
      first ||= batch.name;
      return slow(batch);
    };
    await spool.append(record("slow"));
    await vi.waitFor(() => expect(first).not.toBe(""), { timeout: 60_000 });
    await spool.append(record("quick"));
    await vi.waitFor(() => expect(texts()).toEqual(["quick"]), { timeout: 60_000 });
    finishFirst();
    await drain.idle();
    expect(texts()).toEqual(["quick", "slow"]);
    expect(spool.stats()).toMatchObject({ bytes: 0, unreadBytes: 0 });
  });

  it("spaces inserts under a steady load and does not when somebody waits for the end", async () => {
    await drain.shutdown();
    drain = createSpoolDrain({ spool, store, onError: () => {}, lingerMillis: 1, insertsPerSecond: 0.001 });
    await drain.start();
    let sent = 0;
    // The burst that a quiet time has saved up.
    for (; sent < 10; sent++) {
      await spool.append(record(String(sent)));
      await vi.waitFor(() => expect(stored).toHaveLength(sent + 1), { timeout: 60_000 });
    }
    await spool.append(record("late"));
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(stored).toHaveLength(10);
    await drain.idle();
    expect(texts().at(-1)).toBe("late");
  });

  it("tries a batch again under its name until the store is back, while the spool goes on taking", async () => {
    await drain.shutdown();
    drain = createSpoolDrain({
      spool,
      store: (batch) => store(batch),
      onError: (what) => void errors.push(what),
      lanes: 1,
    });
    await drain.start();
    const names: string[] = [];
    store = async (batch) => {
      names.push(batch.name);
      if (names.length < 4) throw new Error("away");
      stored.push(batch);
    };
    await spool.append(record("first"));
    await vi.waitFor(() => expect(names.length).toBeGreaterThan(1), { timeout: 60_000 });
    expect(await spool.append(record("meanwhile"))).toBe("durable");
    await drain.idle();
    expect(new Set(names.slice(0, 4)).size).toBe(1);
    expect(texts()).toEqual(["first", "meanwhile"]);
    expect(errors).toContain("storing a batch, which is tried again");
  });

  it("leaves what the store did not take to the next start, under the same name", async () => {
    const tried: string[] = [];
    store = async (batch) => {
      tried.push(batch.name);
      throw new Error("away");
    };
    await spool.append(record("kept"));
    await vi.waitFor(() => expect(tried.length).toBeGreaterThan(0), { timeout: 60_000 });
    await drain.shutdown();
    await spool.shutdown();
    spool = open();
    await spool.start();
    store = async (batch) => void stored.push(batch);
    drain = createSpoolDrain({ spool, store: (batch) => store(batch), onError: () => {} });
    await drain.start();
    await drain.idle();
    expect(texts()).toEqual(["kept"]);
    expect(stored[0]?.name).toBe(tried[0]);
  });

  it("shuts down twice, and without a start", async () => {
    await drain.shutdown();
    await drain.shutdown();
    const unused = createSpoolDrain({ spool, store: (batch) => store(batch), onError: () => {} });
    await unused.shutdown();
  });
});

describe("a drain at its end", () => {
  const again = (drainMillis: number): SpoolDrain =>
    createSpoolDrain({
      spool,
      store: (batch, signal) => hangingStore(batch, signal),
      onError: (what) => void errors.push(what),
      drainMillis,
    });
  let hangingStore: (batch: SpoolBatch, signal: AbortSignal) => Promise<void>;

  it("stores what is left, within its time", async () => {
    await drain.shutdown();
    hangingStore = async (batch) => void stored.push(batch);
    const last = again(30_000);
    for (const text of ["a", "b", "c"]) await spool.append(record(text));
    await last.start();
    await last.shutdown();
    expect(texts()).toEqual(["a", "b", "c"]);
    expect(spool.stats().bytes).toBe(0);
  });

  it("gives up a store that hangs, and keeps the batch under its name", async () => {
    await drain.shutdown();
    const tried: string[] = [];
    let given: AbortSignal | undefined;
    hangingStore = (batch, signal) => {
      tried.push(batch.name);
      given = signal;
      return new Promise(() => {});
    };
    const last = again(200);
    await last.start();
    await spool.append(record("kept"));
    await vi.waitFor(() => expect(tried).toHaveLength(1), { timeout: 60_000 });
    await last.shutdown();
    expect(given?.aborted).toBe(true);
    expect(errors).toContain("emptying the spool in time");
    await spool.shutdown();
    spool = open();
    await spool.start();
    const next = createSpoolDrain({ spool, store: async (batch) => void stored.push(batch), onError: () => {} });
    await next.start();
    await next.idle();
    await next.shutdown();
    expect(texts()).toEqual(["kept"]);
    expect(stored[0]?.name).toBe(tried[0]);
  });

  it("goes on trying a store that comes back in time", async () => {
    await drain.shutdown();
    let tries = 0;
    hangingStore = async (batch) => {
      if (++tries < 3) throw new Error("away");
      stored.push(batch);
    };
    const last = again(30_000);
    await spool.append(record("late"));
    await last.start();
    await last.shutdown();
    expect(texts()).toEqual(["late"]);
  });
});

describe("bodies for the spool", () => {
  const body = (bytes: Uint8Array) =>
    ({ signal: "traces", encoding: "json", bytes, project: "p", receivedAtMillis: 5 }) as const;

  it("are accepted when they are durable, with all that storing them needs", async () => {
    const outcome = await createSpoolBodies(spool).consume(body(Buffer.from("{}")), {
      records: 1,
      rejected: 0,
      lane: "priority",
    });
    expect(outcome).toEqual({ status: "accepted" });
    await drain.idle();
    expect(stored[0]?.records[0]).toMatchObject({
      kind: "traces",
      encoding: "json",
      lane: "priority",
      project: "p",
      receivedAtMillis: 5,
    });
  });

  it("are sent back with a time to come again when the spool is full", async () => {
    store = () => Promise.reject(new Error("away"));
    const bodies = createSpoolBodies(spool);
    const summary = { records: 1, rejected: 0, lane: "bulk" } as const;
    const big = Buffer.alloc(1 << 20);
    const outcomes = [];
    for (let sent = 0; sent < 6; sent++) outcomes.push(await bodies.consume(body(big), summary));
    expect(outcomes.at(-1)).toMatchObject({ status: "retryable", retryAfterSeconds: 1 });
    expect(outcomes[0]).toEqual({ status: "accepted" });
  });
});
