import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createJournal } from "./journal.ts";
import { createOutbox, type DeliveryOutcome, type DeliveryTarget, type Outbox, type OutboxOptions } from "./outbox.ts";

let directory: string;
let outboxes: Outbox[];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "runproof-outbox-"));
  outboxes = [];
});
afterEach(async () => {
  await Promise.all(outboxes.map((outbox) => outbox.shutdown()));
  await rm(directory, { recursive: true, force: true });
});

interface Fake extends DeliveryTarget {
  readonly got: string[];
  works: boolean;
}

function target(name: string, works = true, patienceMillis?: number): Fake {
  const fake: Fake = {
    name,
    works,
    got: [],
    ...(patienceMillis !== undefined && { patienceMillis }),
    async deliver({ key }): Promise<DeliveryOutcome> {
      if (!fake.works) return { status: "failed", message: "away" };
      fake.got.push(key);
      return { status: "delivered" };
    },
  };
  return fake;
}

async function started(targets: readonly DeliveryTarget[], options: Partial<OutboxOptions> = {}): Promise<Outbox> {
  const made = createOutbox({
    journal: createJournal({ directory, name: "o" }),
    targets,
    backoff: { firstMillis: 1, lastMillis: 5 },
    now: Date.now,
    onError: () => {},
    ...options,
  });
  outboxes.push(made);
  await made.start();
  return made;
}
const item = (key: string, subject = key) => ({ key, subject, payload: { key } });
const idle = (one: Outbox) => vi.waitFor(() => expect(one.stats().pending).toBe(0), { timeout: 60_000 });

describe("an outbox", () => {
  it("delivers to each target, and knows what it was given before, over a restart too", async () => {
    const [a, b] = [target("a"), target("b")];
    const first = await started([a, b]);
    expect(await first.put(item("x"))).toBe("stored");
    expect(await first.put(item("x"))).toBe("known");
    await idle(first);
    await first.shutdown();
    const second = await started([a, b]);
    expect(await second.put(item("x"))).toBe("known");
    expect([a.got, b.got]).toEqual([["x"], ["x"]]);
  });

  it("goes on after a restart with what one target has not got, and does not repeat the other", async () => {
    const [up, away] = [target("up"), target("away", false)];
    const first = await started([up, away]);
    await first.put(item("x"));
    await vi.waitFor(() => expect(first.stats().pending).toBe(1), { timeout: 60_000 });
    expect([first.waitsFor("x", "up"), first.waitsFor("x", "away")]).toEqual([false, true]);
    await first.shutdown();
    away.works = true;
    await idle(await started([up, away]));
    expect([up.got, away.got]).toEqual([["x"], ["x"]]);
  });

  it("keeps the order of one subject, and lets no subject hold up another", async () => {
    const got: string[] = [];
    let refuses = true;
    const picky: DeliveryTarget = {
      name: "picky",
      async deliver({ key }) {
        if (key === "a:firing" && refuses) return { status: "failed", message: "not this one" };
        got.push(key);
        return { status: "delivered" };
      },
    };
    const one = await started([picky]);
    await one.put(item("a:firing", "a"));
    await one.put(item("a:resolved", "a"));
    await one.put(item("b:firing", "b"));
    await vi.waitFor(() => expect(got).toEqual(["b:firing"]), { timeout: 60_000 });
    refuses = false;
    await idle(one);
    expect(got).toEqual(["b:firing", "a:firing", "a:resolved"]);
  });

  it("gives up where it has no more patience, and says so", async () => {
    const onError = vi.fn<OutboxOptions["onError"]>();
    const one = await started([target("gone", false, 0)], { onError });
    await one.put(item("x"));
    await idle(one);
    expect(one.stats()).toMatchObject({ delivered: 0, givenUp: 1 });
    expect(onError).toHaveBeenCalledWith("telling gone of x", expect.objectContaining({ message: "away" }));
  });

  it("takes no more than its bound, and again when there is room", async () => {
    const away = target("away", false);
    const one = await started([away], { maxOpen: 2 });
    const outcomes = [await one.put(item("a")), await one.put(item("b")), await one.put(item("c"))];
    expect(outcomes).toEqual(["stored", "stored", "full"]);
    expect(one.stats().full).toBe(true);
    away.works = true;
    await idle(one);
    expect(await one.put(item("c"))).toBe("stored");
  });

  it("forgets targets that are not configured any more", async () => {
    const first = await started([target("old", false), target("kept", false)]);
    await first.put(item("x"));
    await first.shutdown();
    const kept = target("kept");
    const second = await started([kept]);
    await idle(second);
    expect(kept.got).toEqual(["x"]);
  });

  it("does not hold an item that the disk did not take", async () => {
    const journal = createJournal({ directory, name: "o" });
    const broken = { ...journal, append: () => Promise.reject(new Error("full")), bytes: 0 };
    const one = await started([target("a")], { journal: broken });
    await expect(one.put(item("x"))).rejects.toThrow("full");
    expect(one.stats().pending).toBe(0);
  });
});
