import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { builtFixture } from "../testing/facts.ts";
import type { ReplayOutcome, ReplayResult } from "../worker/replay-result.ts";
import { githubAnnotations, withoutCommands } from "./github-annotations.ts";
import { junitXml } from "./junit.ts";
import { isInShard, parseShard } from "./shard.ts";
import { claimedState, judgedEntry, type SuiteEntry, type SuiteStatus } from "./suite-entry.ts";
import { suiteExitCode } from "./suite-exit-code.ts";
import { progressLine, suiteJson, suiteReport } from "./suite-report.ts";
import { matchesFilter } from "./suite-selection.ts";

const fixture = builtFixture();

const resultOf = (outcome: ReplayOutcome, explanation = "because"): ReplayResult =>
  ({
    fixtureId: fixture.id,
    mode: "cassette",
    outcome,
    explanation,
    run: null,
    verdict: null,
    requiredStatus: ["passed"],
    observed: fixture.notes.observed,
    cassette: { hits: 0, moved: [], misses: [], unused: [] },
    agent: { type: "returned" },
    stored: false,
    notes: [],
    output: { stdout: "", stderr: "" },
    transcriptSha256: "",
  }) as ReplayResult;

const entryOf = (status: SuiteStatus, entry: Partial<SuiteEntry> = {}): SuiteEntry => ({
  fixtureId: `a_${status}_fixture`,
  path: `/repo/fixtures/a_${status}_fixture`,
  agentName: "researcher",
  state: "candidate",
  status,
  explanation: "because",
  result: null,
  durationMillis: 1_234,
  ...entry,
});

/** What an agent could put where its texts go. */
const HOSTILE = `]]>"&<'\u0000\u001b[31m\ud800\ufffe\r\n::error::x%0A##[add-mask]y,:\t`;

describe("shards", () => {
  test("part the fixtures: each is in exactly one, and stays there when others come", () => {
    const ids = Array.from({ length: 500 }, (_, i) => `fixture_${i}`);
    const places = ids.map((id) => [1, 2, 3, 4].filter((index) => isInShard(id, { index, count: 4 })));
    expect(places.every((place) => place.length === 1)).toBe(true);
    const sizes = [1, 2, 3, 4].map((index) => places.filter(([place]) => place === index).length);
    expect(Math.min(...sizes)).toBeGreaterThan(80);
  });

  test("are the documented ones: SHA-256 of the id, 8 hex digits, modulo the count", () => {
    // printf missing_report | sha256sum
    const index = (0xa10cf3b5 % 7) + 1;
    expect(isInShard("missing_report", { index, count: 7 })).toBe(true);
    expect(isInShard("missing_report", { index: (index % 7) + 1, count: 7 })).toBe(false);
  });

  test("are read from index/count only", () => {
    expect(parseShard("2/4")).toEqual({ index: 2, count: 4 });
    for (const text of ["0/4", "5/4", "1", "1/0", "a/b", "1/4/2", " 1/4", "-1/4", "1/100000"])
      expect(parseShard(text), text).toBeUndefined();
  });
});

test.each([
  ["a_b_c", "b", true],
  ["a_b_c", "x", false],
  ["a_b_c", "a*", true],
  ["a_b_c", "*b*", true],
  ["a_b_c", "b*", false],
  ["a_b_c", "a*b*c", true],
  ["ab", "a*b*b", false],
  ["aa", "aa*aa", false],
  ["anything", "*", true],
])("id %s against the filter %s: %s", (id, filter, matches) => {
  expect(matchesFilter(id, filter)).toBe(matches);
});

describe("a fixture's status", () => {
  test.each([
    ["candidate", "fixed", "passed"],
    ["candidate", "reproduced", "failed"],
    ["certified", "fixed", "passed"],
    ["certified", "reproduced", "failed"],
    ["certified", "diverged", "failed"],
    ["stale", "fixed", "inconclusive"],
    ["flaky", "fixed", "inconclusive"],
    ["stale", "reproduced", "failed"],
    ["candidate", "errored", "errored"],
    ["certified", "refused", "no_wall"],
    ["candidate", "inconclusive", "inconclusive"],
  ] as const)("of a %s one that is %s is %s", (state, outcome, status) => {
    expect(judgedEntry(state, resultOf(outcome)).status).toBe(status);
  });

  test("claims no more than it can: certified without a certificate is a candidate", () => {
    expect(claimedState({ ...fixture.notes, state: "certified" })).toBe("candidate");
    expect(claimedState({ ...fixture.notes, state: "retired" })).toBe("retired");
  });
});

test.each<[SuiteStatus[], number]>([
  [[], 0],
  [["passed", "skipped"], 0],
  [["passed", "inconclusive"], 4],
  [["inconclusive", "failed", "passed"], 1],
  [["failed", "errored"], 3],
  [["failed", "no_wall", "errored"], 5],
  [["failed", "errored", "refused"], 2],
])("the exit code of %j is %i", (statuses, code) => {
  expect(suiteExitCode(statuses.map((status) => ({ status })))).toBe(code);
});

describe("JUnit XML", () => {
  const entries = [
    entryOf("passed"),
    entryOf("failed", {
      explanation: HOSTILE,
      fixtureId: HOSTILE,
      agentName: HOSTILE,
      result: resultOf("diverged", HOSTILE),
    }),
    entryOf("errored"),
    entryOf("refused", { agentName: "" }),
    entryOf("inconclusive"),
    entryOf("skipped", { explanation: HOSTILE }),
  ];
  const xml = junitXml(entries, { name: HOSTILE });

  test("counts failures, errors and skipped ones", () => {
    const counts = 'tests="6" failures="2" errors="2" skipped="1" time="7.404"';
    expect(xml).toContain(`<testsuites name="runproof" ${counts}>`);
    expect(xml.match(/<testcase /g)).toHaveLength(6);
    expect(xml).toContain('<error type="errored" message="because">because</error>');
  });

  test("holds nothing that XML 1.0 forbids, whatever the texts are", () => {
    // oxlint-disable-next-line no-control-regex -- what must not be there
    expect(xml).not.toMatch(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\]\]>/);
    expect(xml.isWellFormed()).toBe(true);
    const bare = xml.replace(
      /<\?xml[^>]*>|<\/?(?:testsuites?|testcase|failure|error|skipped)(?: [a-z]+="[^"<]*")*\/?>/g,
      "",
    );
    expect(bare).not.toMatch(/[<>]/);
    expect(bare.replace(/&(?:amp|lt|gt|quot|#\d+);/g, "")).not.toContain("&");
  });

  const hasPython = spawnSync("python3", ["--version"]).status === 0;
  test.skipIf(!hasPython)("is read back by an XML parser, name for name", () => {
    const script =
      "import sys, json, xml.etree.ElementTree as E; r = E.fromstring(sys.stdin.buffer.read())\n" +
      "print(json.dumps([[c.get('name'), [k.tag for k in c]] for c in r.iter('testcase')]))";
    const read = spawnSync("python3", ["-c", script], { input: xml, encoding: "utf8" });
    expect(read.stderr).toBe("");
    const cases = JSON.parse(read.stdout) as [string, string[]][];
    expect(cases.map(([, kinds]) => kinds)).toEqual([[], ["failure"], ["error"], ["error"], ["failure"], ["skipped"]]);
    const expected = HOSTILE.replace("\u0000", "\ufffd")
      .replace("\u001b", "\ufffd")
      .toWellFormed()
      .replace("\ufffe", "\ufffd");
    expect(cases[1]?.[0]).toBe(expected);
  });
});

describe("GitHub annotations", () => {
  test("name the notes of each fixture that did not pass, from the checkout", () => {
    const text = githubAnnotations(
      [entryOf("passed"), entryOf("failed"), entryOf("inconclusive"), entryOf("skipped")],
      "/repo",
    );
    expect(text.split("\n")).toEqual([
      "::error file=fixtures/a_failed_fixture/notes.json,title=a_failed_fixture%3A failed::because",
      "::warning file=fixtures/a_inconclusive_fixture/notes.json,title=a_inconclusive_fixture%3A inconclusive::because",
      "",
    ]);
  });

  test("stay one command whatever the texts are", () => {
    const entry = entryOf("failed", { fixtureId: HOSTILE, path: `/repo/${HOSTILE}`, explanation: HOSTILE });
    const text = githubAnnotations([entry], "/repo");
    expect(text.trimEnd().split(/\r|\n/)).toHaveLength(1);
    expect(/^::error file=([^,]*),title=([^,:]*)::/.exec(text)?.[1]).not.toMatch(/[:,]/);
    expect(text).toContain("%250A");
  });

  test("are the only commands of the log", () => {
    const log = withoutCommands("  ::set-output name=a::b\nok ##[add-mask]x\na::b\n");
    expect(log).toBe("  : :set-output name=a::b\nok ## [add-mask]x\na::b\n");
  });
});

describe("the report", () => {
  const plain = (_format: unknown, text: string): string => text;

  test("tells what did not pass, then the counts", () => {
    const entries = [entryOf("passed"), entryOf("skipped", { explanation: "the fixture is retired" })];
    expect(suiteReport(entries, plain)).toBe(
      "skipped  a_skipped_fixture: the fixture is retired\n\n1 passed, 1 skipped\n",
    );
    expect(suiteReport([], plain)).toBe("no fixtures\n");
    expect(suiteReport([entryOf("failed", { result: resultOf("reproduced") })], plain)).toMatch(
      /^FAILED {2}a_failed.*\n {2}REPRODUCED/,
    );
  });

  test("is safe for a terminal, and one document as JSON", () => {
    const entries = [
      entryOf("failed", { explanation: HOSTILE, fixtureId: HOSTILE, result: resultOf("diverged", HOSTILE) }),
    ];
    const text = suiteReport(entries, plain) + progressLine(entries[0] as SuiteEntry, { done: 1, total: 12 }, plain);
    // oxlint-disable-next-line no-control-regex -- what must not be there
    expect(text).not.toMatch(/[\u0000\u001b\r]/);
    expect(suiteJson(entries, 1)).toMatchObject({ exit_code: 1, counts: { failed: 1, passed: 0 } });
  });
});
