import { describe, expect, it } from "vitest";
import { createAppendQueue, type PendingRecord } from "./append-queue.ts";
import type { RecordLane } from "./frame.ts";

const pending = (name: string, bytes: number, lane: RecordLane = "bulk"): PendingRecord => ({
  lane,
  frame: [Buffer.from(name)],
  bytes,
  receivedAtMillis: 0,
  settle: () => {},
});
const names = (group: readonly PendingRecord[]): string[] => group.map(({ frame }) => String(frame[0]));

function queueOf(...records: PendingRecord[]) {
  const queue = createAppendQueue();
  for (const record of records) queue.add(record);
  return queue;
}

describe("take", () => {
  it("gives priority records first and keeps the order within a lane", () => {
    const queue = queueOf(
      pending("b1", 1),
      pending("p1", 1, "priority"),
      pending("b2", 1),
      pending("p2", 1, "priority"),
    );
    expect(names(queue.take(100, 100))).toEqual(["p1", "p2", "b1", "b2"]);
  });

  it("stops at the room and at the size of a group", () => {
    const queue = queueOf(pending("a", 4), pending("b", 4), pending("c", 4), pending("d", 4));
    expect(names(queue.take(11, 100))).toEqual(["a", "b"]);
    expect(names(queue.take(100, 4))).toEqual(["c"]);
  });

  it("gives a record larger than a group alone, and none that is larger than the room", () => {
    const queue = queueOf(pending("large", 50), pending("b", 1));
    expect(names(queue.take(40, 10))).toEqual([]);
    expect(names(queue.take(60, 10))).toEqual(["large"]);
  });

  it("lets no bulk pass a priority record that does not fit", () => {
    const queue = queueOf(pending("p", 50, "priority"), pending("b", 1));
    expect(names(queue.take(40, 100))).toEqual([]);
    expect(names(queue.take(100, 100))).toEqual(["p", "b"]);
  });

  it("bounds the number of records in a group", () => {
    const queue = queueOf(...Array.from({ length: 10_000 }, () => pending("x", 1)));
    expect(queue.take(Number.POSITIVE_INFINITY, 1e9)).toHaveLength(4_096);
  });
});

it("counts bytes until they are settled", () => {
  const queue = queueOf(pending("a", 3), pending("b", 4));
  const group = queue.take(3, 3);
  expect(queue.bytes).toBe(7);
  queue.settle(group, "durable");
  expect(queue.bytes).toBe(4);
  queue.settle(queue.takeAll(), "failed");
  expect([queue.bytes, queue.length]).toEqual([0, 0]);
});
