import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createVirtualScheduler } from "../../processor/run/testing/virtual-scheduler.ts";
import { createCanaryScheduler, type ScheduledRound } from "./canary-scheduler.ts";
import type { RoundReport } from "./round.ts";
import { roundIdOf } from "./slot.ts";
import { createTierRecords, type TierRecord, type TierRecords } from "./tier-record.ts";
import { DEFAULT_TIERS } from "./tier.ts";

const MINUTE = 60_000;
const START = Date.parse("2026-03-01T00:00:00Z");
const [critical, broad] = DEFAULT_TIERS as [(typeof DEFAULT_TIERS)[0], (typeof DEFAULT_TIERS)[0]];

let directory: string;
let log: string[];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "runproof-canary-"));
  log = [];
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** Records without a disk: made time would not wait for one. */
function keptRecords(): TierRecords {
  const records = new Map<string, TierRecord>();
  return {
    read: async (tier) => records.get(tier) ?? null,
    write: async (record) => void records.set(record.tier, record),
  };
}

interface Machine {
  readonly scheduler: ReturnType<typeof createVirtualScheduler>;
  readonly records: TierRecords;
  /** How long a round takes, minutes. */
  readonly minutes?: (due: ScheduledRound) => number;
  readonly tiers?: readonly (typeof critical)[];
}

function canaries({ scheduler, records, minutes = () => 1, tiers = [critical] }: Machine) {
  const rounds: (readonly [tier: string, slot: number, missed: number])[] = [];
  const component = createCanaryScheduler({
    tiers,
    hostId: "host",
    jitter: 0,
    records,
    scheduler,
    log: (message) => void log.push(message),
    async round(due, signal) {
      rounds.push([due.tier.name, (due.slot - START) / MINUTE, due.missedSlots]);
      const end = new Promise<void>((resolve) => {
        scheduler.after(minutes(due) * MINUTE, resolve);
        signal.addEventListener("abort", () => resolve());
      });
      await end;
      return reportOf(due, !signal.aborted);
    },
  });
  return { component, rounds };
}

const reportOf = ({ tier, slot }: ScheduledRound, complete: boolean): RoundReport => ({
  roundId: roundIdOf(tier.name, slot),
  startedAt: slot,
  endedAt: slot,
  fixtureIds: [],
  results: [],
  complete,
  counts: { passing: 1, failing: 0, stale: 0, unknown: 0 },
  unsent: 0,
  problem: null,
  unstored: 0,
});

test("each tier has a round in each of its slots", async () => {
  const scheduler = createVirtualScheduler(START);
  const { component, rounds } = canaries({ scheduler, records: keptRecords(), tiers: [critical, broad] });
  await component.start();
  await scheduler.runUntil(START + 61 * MINUTE);
  await component.shutdown();
  const at = (tier: string) => rounds.filter(([name]) => name === tier).map(([, slot]) => slot);
  expect(at("critical")).toEqual([0, 15, 30, 45, 60]);
  expect(at("broad")).toEqual([0, 60]);
});

test("a slot is skipped and told while a round is still running, and the next round knows of it", async () => {
  const scheduler = createVirtualScheduler(START);
  const records = keptRecords();
  const minutes = ({ slot }: ScheduledRound) => (slot === START ? 40 : 1);
  const { component, rounds } = canaries({ scheduler, records, minutes });
  await component.start();
  await scheduler.runUntil(START + 50 * MINUTE);
  await component.shutdown();
  expect(rounds).toEqual([
    ["critical", 0, 0],
    ["critical", 45, 2],
  ]);
  expect(log.filter((line) => line.includes("is skipped"))).toHaveLength(2);
  expect(await records.read("critical")).toMatchObject({ skipped_slots_total: 2, missed_slots_total: 0 });
});

test("after a down time one round makes up for all slots, and an interrupted round is due again", async () => {
  const records = keptRecords();
  const first = createVirtualScheduler(START);
  const before = canaries({ scheduler: first, records });
  await before.component.start();
  await first.runUntil(START + 15 * MINUTE + 1);
  await before.component.shutdown();
  expect(before.rounds.map(([, slot]) => slot)).toEqual([0, 15]);
  expect(log.at(-1)).toMatch(/interrupted/);

  const second = createVirtualScheduler(START + 100 * MINUTE);
  const after = canaries({ scheduler: second, records });
  await after.component.start();
  await second.runUntil(START + 106 * MINUTE);
  await after.component.shutdown();
  expect(after.rounds).toEqual([
    ["critical", 90, 5],
    ["critical", 105, 0],
  ]);
  expect(log).toContain("canaries: critical: one round makes up for 5 missed slots");
});

test("a round that breaks is told, and the next slot has its round", async () => {
  const scheduler = createVirtualScheduler(START);
  let count = 0;
  const component = createCanaryScheduler({
    ...{ tiers: [critical], hostId: "host", jitter: 0, records: keptRecords(), scheduler },
    log: (message) => void log.push(message),
    round: async (due) => {
      if (count++ === 0) throw new Error("no such folder");
      return reportOf(due, true);
    },
  });
  await component.start();
  await scheduler.runUntil(START + 14 * MINUTE);
  expect(count).toBe(1);
  expect(log).toEqual([expect.stringContaining("no such folder")]);
  await scheduler.runUntil(START + 16 * MINUTE);
  await component.shutdown();
  expect(count).toBe(2);
});

test("a memory that cannot be read is set aside, and the tier is due", async () => {
  const records = createTierRecords(directory, (message) => void log.push(message));
  await writeFile(join(directory, "critical.json"), '{"format_version":1,"tier":"crit');
  const scheduler = createVirtualScheduler(START + MINUTE);
  const { component, rounds } = canaries({ scheduler, records, minutes: () => 0 });
  await component.start();
  await scheduler.runUntil(START + 2 * MINUTE);
  await component.shutdown();
  expect(rounds).toEqual([["critical", 0, 0]]);
  expect(log[0]).toContain("critical.json.corrupt");
  expect((await readdir(directory)).toSorted()).toEqual(["critical.json", "critical.json.corrupt"]);
  expect(await records.read("critical")).toMatchObject({ last_slot: START, phase_ms: 0, every_seconds: 900 });
});

test("it may be shut down twice, and without a start", async () => {
  const { component } = canaries({ scheduler: createVirtualScheduler(START), records: keptRecords() });
  await component.shutdown();
  await component.shutdown();
});
