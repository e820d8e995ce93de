import { beforeAll, describe, expect, test } from "vitest";
import type { Fixture } from "../fixture/fixture-format.ts";
import { fixtureTexts } from "../fixture/fixture-text.ts";
import { parseFixture } from "../fixture/parse-fixture.ts";
import { reportAgent } from "../testing/record-run.ts";
import { brokenReportFixture } from "../testing/recorded-fixture.ts";
import { replayFixture } from "../worker/replay-fixture.ts";
import { contentOf, measure, withContent } from "./content.ts";
import { type Minimisation, minimiseFixture, type MinimiseFixtureOptions } from "./minimise-fixture.ts";
import { reduced } from "./reduction.ts";
import { elementsOf } from "./reductions-of.ts";
import type { SavedSearch } from "./saved-search.ts";

/** Only against hanging: each of these starts many processes, and the machine may be busy. */
const HANG_MILLIS = 300_000;

let fixture: Fixture;
let whole: Extract<Minimisation, { type: "minimised" }>;

beforeAll(async () => {
  fixture = await brokenReportFixture();
  whole = await minimised();
}, HANG_MILLIS);

const environment = { PATH: process.env["PATH"] };
const agent = (exportName: string) => ({ module: reportAgent, exportName });
const minimiseWith = (options: Partial<MinimiseFixtureOptions> = {}) =>
  minimiseFixture(fixture, { agent: agent("broken"), fixtureId: "missing_report_min", environment, ...options });
const replay = (smaller: Fixture, exportName: string) =>
  replayFixture(smaller, agent(exportName), { environment, storeUrl: null });

async function minimised(options: Partial<MinimiseFixtureOptions> = {}) {
  const found = await minimiseWith(options);
  if (found.type !== "minimised") throw new Error(JSON.stringify(found));
  return found;
}

describe("a minimised fixture", { timeout: HANG_MILLIS }, () => {
  test("shows the same failure strictly, from its files, and says what was done to it", async () => {
    const reading = parseFixture(whole.fixture.id, fixtureTexts(whole.fixture));
    if (!reading.ok) throw new Error(JSON.stringify(reading.problems));
    expect(await replay(reading.fixture, "broken")).toMatchObject({
      outcome: "reproduced",
      verdict: { status: "failed", failureClass: "missing_artifact_ref" },
      cassette: { misses: [], unused: [], moved: [] },
    });
    const [before, after] = [contentOf(fixture), contentOf(reading.fixture)];
    expect(after.interactions.map((it) => it.path)).toEqual(["search#0"]);
    expect(reading.fixture.notes).toMatchObject({
      state: "candidate",
      certification: null,
      minimised: {
        source_fixture_id: "missing_report",
        bytes: { before: measure(before).bytes, after: measure(after).bytes },
        interactions: { before: 4, after: 1 },
        one_minimal: true,
      },
    });
  });

  test("loses the failure with any single element, each tried in a process of its own", async () => {
    const after = contentOf(whole.fixture);
    const elements = elementsOf(after);
    expect(elements.length).toBeGreaterThan(0);
    for (const element of elements) {
      const less = await replay(withContent(whole.fixture, reduced(after, [element])), "broken");
      expect([element, less.outcome]).not.toEqual([element, "reproduced"]);
    }
  });

  test("keeps what the fixed code needs, when that is given", async () => {
    // Without it nobody knows that a page is needed: there is nothing to write.
    expect(await replay(whole.fixture, "fixed")).not.toMatchObject({ outcome: "fixed" });
    const { fixture: guarded } = await minimised({ fixedAgent: agent("fixed") });
    expect(await replay(guarded, "fixed")).toMatchObject({ outcome: "fixed" });
    expect(await replay(guarded, "broken")).toMatchObject({ outcome: "reproduced" });
  });
});

describe("a search", { timeout: HANG_MILLIS }, () => {
  test("that was stopped goes on where it was and ends the same, with one job as with two", async () => {
    const saves: SavedSearch[] = [];
    const onSave = async (search: SavedSearch): Promise<void> => void saves.push(search);
    const stopped = await minimised({ maxReplays: 3, onSave });
    expect(stopped.isOneMinimal).toBe(false);
    expect(stopped.fixture.notes.minimised).toMatchObject({ one_minimal: false, candidates: 3 });
    const saved = saves.at(-1);
    if (saved === undefined) throw new Error("nothing was saved");
    const resumed = await minimised({ saved, jobs: 1 });
    expect(contentOf(resumed.fixture)).toEqual(contentOf(whole.fixture));
    expect(resumed.fixture.notes.minimised?.candidates).toBeGreaterThan(3);
  });

  test("that is interrupted gives the smallest so far", async () => {
    const interrupt = new AbortController();
    const found = await minimised({ onProgress: () => interrupt.abort(), signal: interrupt.signal });
    expect(found.isOneMinimal).toBe(false);
    expect(found.fixture.notes.minimised?.candidates).toBe(1);
  });

  test("never begins for code that does not show the failure, and says what it showed", async () => {
    expect(await minimiseWith({ agent: agent("fixed") })).toMatchObject({
      type: "not_reproduced",
      result: { outcome: "fixed" },
    });
    expect(await minimiseWith({ fixedAgent: agent("failsOtherwise") })).toMatchObject({
      type: "not_fixed",
      result: { outcome: "diverged" },
    });
  });
});
