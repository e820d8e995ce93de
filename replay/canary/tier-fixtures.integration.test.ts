import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Fixture } from "../fixture/fixture-format.ts";
import { writeFixture } from "../fixture/fixture-store.ts";
import { builtFixture } from "../testing/facts.ts";
import { tierFixtures } from "./tier-fixtures.ts";
import { DEFAULT_TIERS, TIER_STATES } from "./tier.ts";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "runproof-tier-"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const lifeCycle = { repository: null, maxAgeDays: 90, now: Date.now() };
const [critical, broad] = DEFAULT_TIERS as [(typeof DEFAULT_TIERS)[0], (typeof DEFAULT_TIERS)[0]];

const write = (id: string, notes: Partial<Fixture["notes"]> = {}, into = root) => {
  const fixture = builtFixture(undefined, id);
  return writeFixture(into, { ...fixture, notes: { ...fixture.notes, ...notes } });
};

const sha = (text: string): string => text.repeat(64).slice(0, 64);
const side = {
  ...{ ref: "main", module: "a/b.mjs", export: "default", commit: sha("1").slice(0, 40), runs: 3 },
  ...{ tree_hash: sha("2").slice(0, 40), blob_hash: sha("3").slice(0, 40), transcript_sha256: null },
};
/** A proof, of another content than it lies beside. */
const flakyProof = {
  result: "flaky",
  ...{ mode: "cassette", fixture_sha256: sha("4"), certified_at: "2026-01-01T00:00:00Z" },
  runtime: { runproof: "1", node: "1", platform: "linux" },
  broken: { ...side, outcomes: { reproduced: 2, fixed: 1 } },
  fixed: null,
} as const;

const idsOf = async (tier: Parameters<typeof tierFixtures>[1], roots = [root]) =>
  (await tierFixtures(roots, tier, lifeCycle)).map(({ listing, state }) => `${listing.id} ${state}`);

test("critical holds what ever had a proof and what cannot be read; broad all but the retired", async () => {
  await write("never_proven");
  await write("claims_proof", { state: "certified" });
  await write("had_proof", { state: "flaky", certification: flakyProof });
  await write("retired_one", { state: "retired" });
  await mkdir(join(root, "unreadable_one"));
  await writeFile(join(root, "unreadable_one", "notes.json"), "{");
  expect(await idsOf(critical)).toEqual(["had_proof candidate", "unreadable_one unreadable"]);
  expect(await idsOf(broad)).toEqual([
    "claims_proof candidate",
    "had_proof candidate",
    "never_proven candidate",
    "unreadable_one unreadable",
  ]);
});

test("patterns choose by id, and what is written between two rounds is part of the second", async () => {
  const tier = { fixtures: ["pay*", "report"], states: TIER_STATES };
  await write("pay_twice");
  await write("other");
  expect(await idsOf(tier)).toEqual(["pay_twice candidate"]);
  await write("new_report");
  expect(await idsOf(tier)).toEqual(["new_report candidate", "pay_twice candidate"]);
});

test("of two fixtures with one id the one of the earlier folder counts, and a folder that is not there has none", async () => {
  const [first, second] = [join(root, "first"), join(root, "second")];
  await write("same", { state: "retired" }, first);
  await write("same", {}, second);
  await write("only_second", {}, second);
  expect(await idsOf(broad, [first, second, join(root, "nowhere")])).toEqual(["only_second candidate"]);
  expect(await idsOf(broad, [second, first])).toEqual(["only_second candidate", "same candidate"]);
});
