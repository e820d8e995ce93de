import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Fixture } from "../fixture/fixture-format.ts";
import { writeFixture } from "../fixture/fixture-store.ts";
import { runFactsFromSpans } from "../../processor/evidence/run-facts-from-spans.ts";
import { judge } from "../../processor/verdict/judge.ts";
import { openOtlpTap } from "../sandbox/otlp-tap.ts";
import { findBubblewrap } from "../sandbox/strict/bubblewrap.ts";
import { reportAgent } from "../testing/record-run.ts";
import { brokenReportFixture } from "../testing/recorded-fixture.ts";
import { replayFixture } from "./replay-fixture.ts";
import type { ReplayResult } from "./replay-result.ts";

const scratch = mkdtempSync(join(tmpdir(), "runproof-strict-replay-test-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
let fixture: Fixture;

beforeAll(async () => {
  fixture = await brokenReportFixture();
});

const environment = { PATH: process.env["PATH"] };

async function replay(exportName: string, module = reportAgent, storeUrl: string | null = null): Promise<ReplayResult> {
  const options = { environment, storeUrl, timeoutMillis: 50_000, mode: "strict" } as const;
  const result = await replayFixture(fixture, { module, exportName }, options);
  if (result.outcome === "refused") throw new Error(result.explanation);
  return result;
}

describe.skipIf(process.platform !== "linux")("a strict replay", () => {
  test("gives the verdicts that a cassette replay gives, behind a wall, and tries nothing by itself", async () => {
    const broken = await replay("broken");
    expect(broken).toMatchObject({ outcome: "reproduced", mode: "strict", strict: { attempts: [], faults: [] } });
    const fixed = await replay("fixed");
    expect(fixed).toMatchObject({ outcome: "fixed", verdict: { status: "passed" }, strict: { attempts: [] } });
  });

  test("fails for an operation that was not recorded, also when the agent hides the error", async () => {
    const result = await replay("callsHome");
    expect(result).toMatchObject({
      outcome: "diverged",
      verdict: { status: "failed", failureClass: "unrecorded_operation" },
      cassette: { misses: [] },
      stored: false,
    });
    expect(result.strict?.attempts).toEqual([
      expect.objectContaining({ layer: "code", kind: "network", operation: "net.connect", target: "home.example:80" }),
    ]);
    expect(result.verdict?.failureReason).toContain("net.connect home.example:80 (network)");
  });

  test("is stored with what it tried, so that the service judges it the same", async () => {
    const service = await openOtlpTap();
    try {
      const result = await replay("callsHome", reportAgent, service.url);
      expect(result).toMatchObject({ stored: true, verdict: { failureClass: "unrecorded_operation" } });
      const { contract } = fixture.expected;
      const facts = runFactsFromSpans(result.run?.runId ?? "", service.rows, { contract });
      expect(judge(facts.evidence, contract)).toEqual(result.verdict);
    } finally {
      await service.close();
    }
  });

  test("fails for a call that was not recorded", async () => {
    const result = await replay("callsHomeInTool");
    expect(result).toMatchObject({ outcome: "diverged", verdict: { failureClass: "unrecorded_operation" } });
    expect(result.verdict?.failureReason).toContain("no recorded answer for tool call fetch_page");
  });

  test("names the tool an operation was tried in", async () => {
    const module = join(scratch, "tool-agent.mjs");
    const library = new URL("../../instrumentation/index.ts", import.meta.url).href;
    writeFileSync(
      module,
      `import { defineContract, withRun, wrapTool } from ${JSON.stringify(library)};
       import { execFileSync } from "node:child_process";
       const contract = defineContract({ agent: "report-agent", artifacts: [{ name: "report", path: "report.md" }] });
       const search = wrapTool({ name: "search", sideEffect: "read", referenceOf: () => {
         try { execFileSync("curl", ["http://home.example"]); } catch {}
         return null;
       } }, () => null);
       export default () => withRun(contract, () => search({ query: "otters" }));`,
    );
    const result = await replay("default", pathToFileURL(module).href);
    expect(result.strict?.attempts).toEqual([
      expect.objectContaining({
        kind: "process",
        operation: "child_process.execFileSync",
        target: "curl http://home.example",
      }),
    ]);
  });

  test("is told by its exit code: 0 fixed, 1 with a finding, 5 where no wall stands", async () => {
    const writing = await writeFixture(scratch, fixture);
    if (writing.status !== "written") throw new Error(JSON.stringify(writing));
    const run = (exportName: string, flags: readonly string[] = []) => agentReplay(writing.path, exportName, flags);
    expect(await run("fixed")).toMatchObject({ code: 0 });
    const hidden = await run("callsHome");
    expect(hidden.code).toBe(1);
    expect(JSON.parse(hidden.stdout)).toMatchObject({
      mode: "strict",
      verdict: { failure_class: "unrecorded_operation" },
      strict: { attempts: [{ operation: "net.connect", target: "home.example:80", call_path: null }] },
    });
    const refused = await run("fixed", ["--no-experimental-ffi"]);
    expect(refused.code).toBe(5);
    expect(JSON.parse(refused.stdout)).toMatchObject({ result: "refused", run: null, agent: { type: "refused" } });
  });
});

const COMMAND = fileURLToPath(new URL("../agent-replay.ts", import.meta.url));
const withoutBubblewrap = (process.env["PATH"] ?? "")
  .split(delimiter)
  .filter((folder) => findBubblewrap(folder) === undefined)
  .join(delimiter);

function agentReplay(folder: string, exportName: string, flags: readonly string[]) {
  const args = ["--fixture", folder, "--mode", "strict", "--no-store", "--json"];
  const agent = ["--agent", fileURLToPath(reportAgent), "--export", exportName];
  const env = { PATH: withoutBubblewrap, HOME: scratch };
  return new Promise<{ code: number; stdout: string }>((resolve) => {
    const started = execFile(process.execPath, [...flags, COMMAND, ...args, ...agent], { env }, (_error, stdout) =>
      resolve({ code: started.exitCode ?? -1, stdout }),
    );
  });
}
