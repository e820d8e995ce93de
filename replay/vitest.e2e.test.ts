import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writeFixture } from "./fixture/fixture-store.ts";
import { recordRun, reportAgent } from "./testing/record-run.ts";
import { fixtureOfRows } from "./testing/recorded-fixture.ts";

/** A project of its own with a real vitest, whose one test file calls `describeFixtures()`. */

const root = fileURLToPath(new URL("..", import.meta.url));
let folder: string;

interface TestResult {
  readonly title: string;
  readonly status: string;
  readonly failureMessages: readonly string[];
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "runproof-vitest-test-"));
  await mkdir(join(folder, ".git"));
  await symlink(join(root, "node_modules"), join(folder, "node_modules"), "junction");
  await writeFile(join(folder, "package.json"), '{"type":"module"}');
  const rows = await recordRun("broken");
  for (const fixtureId of ["missing_report", "retired_report"]) {
    const fixture = fixtureOfRows(rows, fixtureId);
    const { notes } = fixture;
    const state = fixtureId.startsWith("retired") ? "retired" : notes.state;
    await writeFixture(join(folder, "fixtures"), { ...fixture, notes: { ...notes, state } });
  }
});

afterAll(() => rm(folder, { recursive: true, force: true }));

async function runVitest(exportName: string, options = "{}"): Promise<TestResult[]> {
  const config = { agents: { "report-agent": { module: fileURLToPath(reportAgent), export: exportName } } };
  await writeFile(join(folder, "runproof.config.mjs"), `export default ${JSON.stringify(config)};`);
  const entry = join(root, "replay", "vitest.ts");
  const source = `import { describeFixtures } from ${JSON.stringify(entry)};\ndescribeFixtures("fixtures", ${options});\n`;
  await writeFile(join(folder, "fixtures.test.ts"), source);
  const vitest = join(root, "node_modules", "vitest", "vitest.mjs");
  const outputFile = join(folder, "report.json");
  const args = [vitest, "run", "--root", folder, "--reporter", "json", "--outputFile", outputFile, "--no-cache"];
  const { PATH } = process.env;
  const said = await new Promise<string>((resolve) => {
    execFile(process.execPath, args, { cwd: folder, env: { PATH } }, (_error, out, err) => resolve(out + err));
  });
  const report = JSON.parse(await readFile(outputFile, "utf8")) as {
    testResults: { assertionResults: TestResult[]; message: string }[];
  };
  const [file] = report.testResults;
  if (file === undefined || file.assertionResults.length === 0) throw new Error(`${said} ${file?.message}`);
  return file.assertionResults;
}

test("a fixture is a test that passes when the fixed code is replayed; a retired one is skipped", async () => {
  const results = await runVitest("fixed");
  expect(results.map(({ title, status }) => [title, status])).toEqual([
    ["missing_report (candidate)", "passed"],
    ["retired_report (retired)", "skipped"],
  ]);
});

test("it fails with the verdict and its reasons when the failure reproduces", async () => {
  const [failed] = await runVitest("broken", '{ filter: "missing*" }');
  expect(failed).toMatchObject({ title: "missing_report (candidate)", status: "failed" });
  expect(failed?.failureMessages[0]).toMatch(/the candidate's failure reproduces: the run is failed as recorded/);
  expect(failed?.failureMessages[0]).toMatch(/verdict {2}failed\n {4}missing_artifact_ref \/artifacts\/0/);
});

test("it fails with the miss and the nearest recording when the code asks something else", async () => {
  const [failed] = await runVitest("asksMore", '{ shard: "1/1", concurrent: false }');
  expect(failed?.failureMessages[0]).toMatch(/nearest recording #0 search at search#0/);
  expect(failed?.failureMessages[0]).toContain('/arguments/query recorded "otters", asked "otters in rivers"');
});
