import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createJournal } from "../journal.ts";
import type { GateOverride } from "./override.ts";
import { createOverrides, type Overrides } from "./overrides.ts";

const NOW = 1_700_000_000_000;
const HOUR = 3_600_000;
const asked = { reason: "known", by: "ann", codes: ["fixture_failing"], for: "2h" };

let directory: string;
let told: GateOverride[];
let overrides: Overrides;
async function open(): Promise<void> {
  let ids = 0;
  const journal = createJournal({ directory, name: "o" });
  const onChange = (one: GateOverride): void => void told.push(one);
  overrides = createOverrides({ journal, now: () => NOW, newId: () => `o-${++ids}`, onChange });
  await overrides.open();
}
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "runproof-overrides-"));
  told = [];
  await open();
});
afterEach(async () => {
  await overrides.close();
  await rm(directory, { recursive: true, force: true });
});

describe("overrides", () => {
  it("hold for as long as was asked, over a restart, and are told", async () => {
    const outcome = await overrides.add({ ...asked, fixture: "one" });
    const expected = {
      id: "o-1",
      reason: "known",
      by: "ann",
      codes: ["fixture_failing"],
      fixture: "one",
      created_at: NOW,
      expires_at: NOW + 2 * HOUR,
    };
    expect(outcome).toEqual({ status: "done", override: expected });
    expect(told).toEqual([expected]);
    await overrides.close();
    await open();
    expect(overrides.all()).toEqual([expected]);
  });

  it("are taken back by name, for good", async () => {
    await overrides.add(asked);
    expect(await overrides.revoke({ id: "o-1", by: "bob" })).toMatchObject({ status: "done" });
    expect(await overrides.revoke({ id: "o-9", by: "bob" })).toEqual({ status: "unknown" });
    await overrides.close();
    await open();
    expect(overrides.all()).toMatchObject([{ id: "o-1", revoked_at: NOW, revoked_by: "bob" }]);
  });

  it.each([
    ["no reason", { ...asked, reason: " " }],
    ["nobody", { ...asked, by: undefined }],
    ["no codes", { ...asked, codes: [] }],
    ["all codes at once", { ...asked, codes: ["*"] }],
    ["a code that is none", { ...asked, codes: ["fixture_failing", "everything"] }],
    ["no end", { ...asked, for: undefined }],
    ["two ends", { ...asked, expires_at: new Date(NOW + HOUR).toISOString() }],
    ["more than seven days", { ...asked, for: "8d" }],
    [
      "more than seven days, as a time",
      { ...asked, for: undefined, expires_at: new Date(NOW + 169 * HOUR).toISOString() },
    ],
    ["an end that has passed", { ...asked, for: undefined, expires_at: new Date(NOW).toISOString() }],
    ["an end without a zone", { ...asked, for: undefined, expires_at: "2030-01-01T00:00:00" }],
    ["a reason with escapes for a terminal", { ...asked, reason: "\u001b[2Jgone" }],
    ["more than it should have", { ...asked, force: true }],
    ["no object", "open"],
    ["nothing", undefined],
  ])("are refused with %s", async (_name, request) => {
    expect(await overrides.add(request)).toMatchObject({ status: "invalid" });
    expect([overrides.all(), told]).toEqual([[], []]);
  });
});
