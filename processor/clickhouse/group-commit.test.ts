import { describe, expect, it } from "vitest";

import { ACCEPTED } from "../outcome.ts";
import { createGroupCommitConsumer, type GroupCommitOptions } from "./group-commit.ts";

interface Call {
  readonly rows: readonly number[];
  readonly token: string;
}

/** A store in memory with deduplication by token, whose behaviour a test scripts per call. */
function fakeStore(script: (call: Call, index: number) => void | Promise<void> = () => undefined) {
  const calls: Call[] = [];
  const quarantined: number[] = [];
  const options: GroupCommitOptions<number> = {
    async insert(rows, token) {
      const call = { rows: [...rows], token };
      calls.push(call);
      await script(call, calls.length - 1);
    },
    async quarantine(row) {
      quarantined.push(row);
    },
    isContentError: (error) => error instanceof Error && error.message === "content",
  };
  return { calls, quarantined, options };
}

const gate = () => Promise.withResolvers<void>();

describe("group commit", () => {
  it("joins what arrives during an insert into the next one, one in flight at a time", async () => {
    const first = gate();
    const { calls, options } = fakeStore((_, index) => (index === 0 ? first.promise : undefined));
    const consumer = createGroupCommitConsumer(options);
    const outcomes = [1, 2, 3].map((row) => consumer.consume([row]));
    await Promise.resolve();
    expect(calls.map((call) => call.rows)).toEqual([[1]]);
    first.resolve();
    expect(await Promise.all(outcomes)).toEqual([ACCEPTED, ACCEPTED, ACCEPTED]);
    expect(calls.map((call) => call.rows)).toEqual([[1], [2, 3]]);
    expect(calls[0]?.token).not.toBe(calls[1]?.token);
  });

  it("resolves a batch only when its insert is durable", async () => {
    const first = gate();
    const consumer = createGroupCommitConsumer(fakeStore(() => first.promise).options);
    let isSettled = false;
    const outcome = consumer.consume([1]).then(() => (isSettled = true));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(isSettled).toBe(false);
    first.resolve();
    await outcome;
  });

  it("keeps blocks at their size, and a larger batch whole", async () => {
    const { calls, options } = fakeStore();
    const consumer = createGroupCommitConsumer({ ...options, maxRows: 2 });
    await Promise.all([
      consumer.consume([0]),
      ...[1, 2, 3].map((row) => consumer.consume([row])),
      consumer.consume([4, 5, 6]),
    ]);
    expect(calls.map((call) => call.rows)).toEqual([[0], [1, 2], [3], [4, 5, 6]]);
  });

  it("repeats a failed insert as the same block under the same token", async () => {
    const { calls, options } = fakeStore((_, index) => {
      if (index < 2) throw new Error("connection refused");
    });
    const consumer = createGroupCommitConsumer(options);
    const first = consumer.consume([1]);
    const second = consumer.consume([2]);
    expect(await first).toEqual(ACCEPTED);
    expect(await second).toEqual(ACCEPTED);
    expect(calls.map((call) => call.rows)).toEqual([[1], [1], [1], [2]]);
    expect(new Set(calls.slice(0, 3).map((call) => call.token)).size).toBe(1);
  });

  it("gives up after the wait, for those that queued meanwhile too", async () => {
    const { options } = fakeStore(() => {
      throw new Error("connection refused");
    });
    const consumer = createGroupCommitConsumer({ ...options, maxWaitMillis: 150 });
    const start = Date.now();
    const outcomes = await Promise.all([consumer.consume([1]), consumer.consume([2]), consumer.consume([3])]);
    for (const outcome of outcomes) expect(outcome).toMatchObject({ status: "retryable", retryAfterSeconds: 1 });
    expect(Date.now() - start).toBeLessThan(1_000);
  });

  it("answers at once when the queue is full, and takes rows again afterwards", async () => {
    const first = gate();
    const { options } = fakeStore((_, index) => (index === 0 ? first.promise : undefined));
    const consumer = createGroupCommitConsumer({ ...options, maxPendingRows: 3 });
    const waiting = [consumer.consume([1, 2]), consumer.consume([3])];
    expect(await consumer.consume([4])).toMatchObject({ status: "retryable" });
    first.resolve();
    await Promise.all(waiting);
    expect(await consumer.consume([4])).toEqual(ACCEPTED);
    await consumer.drained();
  });

  it("finds the bad row, quarantines it and stores the rest", async () => {
    const stored: number[] = [];
    const { quarantined, options } = fakeStore(({ rows }) => {
      if (rows.includes(13)) throw new Error("content");
      stored.push(...rows);
    });
    const hold = gate();
    let isFirst = true;
    const consumer = createGroupCommitConsumer({
      ...options,
      async insert(rows, token) {
        if (isFirst) {
          isFirst = false;
          await hold.promise;
        }
        await options.insert(rows, token);
      },
    });
    const outcomes = [consumer.consume([0]), consumer.consume([10, 11, 12]), consumer.consume([13, 14])];
    hold.resolve();
    expect(await Promise.all(outcomes)).toEqual([
      ACCEPTED,
      ACCEPTED,
      { status: "partial", rejected: 1, message: "content" },
    ]);
    expect(quarantined).toEqual([13]);
    expect(stored).toEqual([0, 10, 11, 12, 14]);
  });

  it("accepts nothing without asking the store", async () => {
    const { calls, options } = fakeStore();
    expect(await createGroupCommitConsumer(options).consume([])).toEqual(ACCEPTED);
    expect(calls).toEqual([]);
  });
});
