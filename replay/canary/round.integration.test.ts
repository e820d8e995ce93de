import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writeFixture } from "../fixture/fixture-store.ts";
import { builtFixture } from "../testing/facts.ts";
import { agentSource, FORGETS_REPORT, WRITES_REPORT } from "../testing/git-repository.ts";
import { createLanes } from "./lanes.ts";
import { createOutbox } from "./outbox.ts";
import { runRound, type RoundOptions } from "./round.ts";
import { ownTier, type Tier } from "./tier.ts";

/** Rounds with real replays; what they tell stays in the outbox, because nobody answers. */
let folder: string;
const modules: Record<string, string> = {};
const everything: Tier = { ...ownTier("broad"), timeoutSeconds: 60 };
const SLOT = Date.parse("2026-03-01T00:00:00Z");

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "runproof-round-"));
  const sources = {
    fixed: WRITES_REPORT,
    broken: FORGETS_REPORT,
    hanging: agentSource("await new Promise((done) => setTimeout(done, 600_000));"),
    // What really runs beside the recorded calls; strict stops it.
    spawning: agentSource(
      'try { (await import("node:child_process")).execFileSync("true"); } catch {}\n writeFileSync("report.md", `${hits} hits`);',
    ),
  };
  for (const [name, source] of Object.entries(sources)) {
    await writeFile(join(folder, `${name}.mjs`), source);
    modules[name] = pathToFileURL(join(folder, `${name}.mjs`)).href;
  }
  for (const id of ["report_one", "report_two"]) {
    await writeFixture(join(folder, "fixtures"), builtFixture(undefined, id));
  }
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Given {
  readonly tier?: Partial<Tier>;
  readonly shard?: { readonly index: number; readonly count: number };
  readonly options?: Partial<RoundOptions>;
}

async function round(agent: string, { tier = {}, shard = { index: 1, count: 1 }, options = {} }: Given = {}) {
  const directory = await mkdtemp(join(folder, "outbox-"));
  const module = modules[agent];
  const report = await runRound(
    { tier: { ...everything, ...tier }, slot: SLOT, shard, missedSlots: 0 },
    {
      roots: [join(folder, "fixtures")],
      lifeCycle: { repository: null, maxAgeDays: 90, now: Date.now() },
      agentOf: (name) =>
        module === undefined
          ? { problem: `nobody knows ${name}` }
          : { agent: { module, exportName: "default" }, ignore: [] },
      replay: { environment: { PATH: process.env["PATH"] }, storeUrl: null, runType: "canary" },
      lanes: createLanes(2),
      outbox: createOutbox({ directory, url: "http://127.0.0.1:9", pausesMillis: [] }),
      sender: { hostId: "host", version: "1", codeVersion: "c-1", project: null },
      signal: new AbortController().signal,
      now: Date.now,
      ...options,
    },
  );
  return { report, events: await eventsIn(directory) };
}

type Attributes = Readonly<Record<string, string>>;

/** Attributes of the events by name, in the order they were told. */
async function eventsIn(directory: string): Promise<Attributes[]> {
  const names = (await readdir(directory)).toSorted();
  const texts = await Promise.all(names.map((name) => readFile(join(directory, name), "utf8")));
  return texts.map((text) => {
    const { resource, scopeLogs } = JSON.parse(text) as {
      resource: { attributes: { key: string; value: { stringValue: string } }[] };
      scopeLogs: [{ logRecords: [{ eventName: string; attributes: { key: string; value: object }[] }] }];
    };
    const [{ logRecords }] = scopeLogs;
    const pairs = logRecords[0].attributes.map(({ key, value }) => [key, String(Object.values(value)[0])]);
    const project = resource.attributes.find(({ key }) => key === "runproof.project")?.value.stringValue;
    return { project, event: logRecords[0].eventName, ...Object.fromEntries(pairs) } as Attributes;
  });
}

const ONE = { fixtures: ["report_one"] };

test("a round tells that it began, what each fixture shows, and that it ended", async () => {
  const { report, events } = await round("broken", { tier: ONE });
  expect(report).toMatchObject({ complete: true, counts: { failing: 1 }, unsent: 3, unstored: 0 });
  expect(events.map((it) => [it["event"], it["runproof.canary.phase"]])).toEqual([
    ["runproof.canary.round", "started"],
    ["runproof.canary.result", undefined],
    ["runproof.canary.round", "ended"],
  ]);
  const place = {
    "runproof.canary.tier": "broad",
    "runproof.canary.round_id": "broad@2026-03-01T00:00:00.000Z",
    "runproof.canary.slot": String(SLOT),
    "runproof.canary.interval_seconds": "3600",
    "runproof.canary.shard": "1/1",
    "runproof.code.version": "c-1",
  };
  for (const event of events) expect(event).toMatchObject(place);
  expect(events[0]).toMatchObject({
    "runproof.canary.fixtures": '["report_one"]',
    "runproof.canary.missed_slots": "0",
  });
  expect(events[1]).toMatchObject({
    "runproof.fixture.id": "report_one",
    "gen_ai.agent.name": "researcher",
    "runproof.run.type": "canary",
    "runproof.run.id": report.results[0]?.run?.runId,
    "runproof.canary.outcome": "failing",
    "runproof.canary.fixture_state": "candidate",
    "runproof.canary.protects": "missing_artifact_ref",
  });
});

test("shards of a round have one id, list all fixtures, and together replay each once", async () => {
  const shards = await Promise.all([1, 2].map((index) => round("fixed", { shard: { index, count: 2 } })));
  const ids = shards.flatMap(({ report }) => report.results.map(({ fixtureId }) => fixtureId));
  expect(ids.toSorted()).toEqual(["report_one", "report_two"]);
  for (const { report, events } of shards) {
    expect(report).toMatchObject({ roundId: "broad@2026-03-01T00:00:00.000Z", complete: true });
    expect(report.fixtureIds).toEqual(["report_one", "report_two"]);
    expect(events[0]?.["runproof.canary.fixtures"]).toBe('["report_one","report_two"]');
  }
});

test("an agent that is killed, or that nobody knows, shows nothing", async () => {
  const killed = await round("hanging", { tier: { ...ONE, timeoutSeconds: 2 } });
  expect(killed.report.results).toMatchObject([{ outcome: "unknown", state: "candidate" }]);
  const nobody = await round("nobody", { tier: ONE });
  expect(nobody.report.results).toMatchObject([
    { outcome: "unknown", run: null, explanation: "nobody knows researcher" },
  ]);
});

test("strict where it is possible: what the wall stops counts only for what was proven behind one", async () => {
  const { report } = await round("spawning", { tier: { ...ONE, mode: "strict_if_possible" } });
  expect(report.results).toMatchObject([
    { outcome: "passing", explanation: expect.stringContaining("in mode cassette") },
  ]);
});

test("an interrupted round says so, and has no results of what was not done", async () => {
  const ending = new AbortController();
  const { report, events } = await round("hanging", {
    options: {
      lanes: {
        run: (_, work) => {
          setTimeout(() => ending.abort(), 300);
          return work();
        },
      },
      signal: ending.signal,
    },
  });
  expect(report).toMatchObject({ complete: false, results: [] });
  expect(events.map((it) => it["runproof.canary.phase"])).toEqual(["started", "interrupted"]);
  expect(events[1]?.["runproof.canary.explanation"]).toContain("2 fixtures were not done");
});

test("a fixture is listed and heard in the same project: its own, or that of the sender", async () => {
  const root = join(folder, "projects");
  for (const project of ["acme", "beta"]) {
    const fixture = builtFixture(undefined, `of_${project}`);
    const source = { ...fixture.notes.source, project };
    await writeFixture(root, { ...fixture, notes: { ...fixture.notes, source } });
  }
  const own = await round("nobody", { options: { roots: [root] } });
  expect(own.events.map((it) => [it["project"], it["runproof.canary.fixtures"] ?? it["runproof.fixture.id"]])).toEqual([
    ["acme", '["of_acme"]'],
    ["beta", '["of_beta"]'],
    ["acme", "of_acme"],
    ["beta", "of_beta"],
    ["acme", '["of_acme"]'],
    ["beta", '["of_beta"]'],
  ]);
  const sender = { hostId: "host", version: "1", codeVersion: "", project: "ours" };
  const one = await round("nobody", { options: { roots: [root], sender } });
  expect(one.events.map((it) => it["project"])).toEqual(["ours", "ours", "ours", "ours"]);
  expect(one.events[0]?.["runproof.canary.fixtures"]).toBe('["of_acme","of_beta"]');
});

test("a tier without fixtures is told as one", async () => {
  const { report, events } = await round("fixed", { options: { roots: [join(folder, "nowhere")] } });
  expect(report).toMatchObject({ complete: true, fixtureIds: [] });
  expect(events.map((it) => [it["project"], it["runproof.canary.fixtures"]])).toEqual([
    ["default", "[]"],
    ["default", "[]"],
  ]);
});
