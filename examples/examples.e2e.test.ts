import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { startLocalModel } from "./local-model/local-model.ts";
import { readFixture } from "../replay/fixture/fixture-store.ts";
import { replayFixture } from "../replay/worker/replay-fixture.ts";
import type { ReplayResult } from "../replay/worker/replay-result.ts";
import type { Played } from "./scenarios/play-scenario.ts";

// Whole processes, and a browser among them, on a machine that may be busy: a guard against hanging.
vi.setConfig({ testTimeout: 120_000 });

const ROOT = fileURLToPath(new URL("..", import.meta.url));
let folder = "";
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), "runproof-examples-"))));
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function node(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  const { OPENAI_API_KEY: _key, OTEL_EXPORTER_OTLP_ENDPOINT: _endpoint, ...rest } = process.env;
  const options = { cwd: folder, env: { ...rest, ...env }, timeout: 220_000 };
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [...args], options, (_error, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    );
  });
}

const example = (agent: string, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Promise<Ended> =>
  node([join(ROOT, "examples", agent, "main.ts"), ...args], env);

interface Report {
  readonly ok: boolean;
  readonly scenarios: readonly Played[];
}

/** What must be found, told here once more: a scenario that changes its mind is noticed. */
const FOUND: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  "research-agent": {
    good: [],
    good_streamed: [],
    report_missing: ["missing_artifact_ref"],
    evidence_empty: ["evidence_path_missing"],
    schema_wrong: ["schema_mismatch"],
  },
  "coding-agent": {
    good: [],
    good_with_changelog: [],
    tests_not_run: ["verification_failed"],
    forbidden_file: ["forbidden_path"],
    claimed_unchanged: ["expected_change_missing", "verification_failed"],
  },
  "browser-agent": {
    good: [],
    good_careful: [],
    unleased_navigation: ["origin_not_leased"],
    redirected_away: ["origin_not_leased"],
    lease_kept: ["lease_not_released"],
    screenshot_empty: ["empty_output"],
  },
  "queue-worker": {
    good: [],
    good_empty_queue: [],
    item_dropped: ["claim_unresolved"],
    wrong_item: ["unclaimed_item", "claim_unresolved"],
    released_without_reason: ["release_unexplained"],
  },
  "revenue-agent": {
    good: [],
    good_repeated_request: [],
    good_after_outage: [],
    double_charge: ["side_effect_repeated"],
    refund_unconfirmed: ["side_effect_unconfirmed"],
    extra_credit: ["side_effect_unexpected"],
    wrong_amount: ["side_effect_unexpected", "side_effect_missing"],
  },
  "ledger-agent": {
    good: [],
    amount_misread: ["schema_mismatch"],
    page_dropped: ["schema_mismatch"],
  },
  "pricing-agent": {
    good: [],
    good_after_throttling: [],
    blocked_by_throttling: ["blocked_dependency", "missing_artifact_ref", "retries_exhausted"],
    stale_rates: ["retries_exhausted"],
  },
  "dispatch-agent": {
    good: [],
    blocked_by_maintenance: ["blocked_dependency", "missing_artifact_ref", "side_effect_missing"],
    outage_as_success: ["side_effect_missing"],
    outage_as_bad_parcel: ["side_effect_unexpected", "side_effect_missing"],
  },
  "oncall-agent": {
    good: [],
    good_after_outage: [],
    alert_resolved: ["side_effect_unexpected"],
    alert_storm: ["side_effect_repeated"],
    alert_lost: ["side_effect_missing"],
  },
};

/** Work that is missing while a dependency is away, and that the agent says is missing, is no failure of the agent's. */
const statusOf = ([first]: readonly string[]): string =>
  first === undefined ? "passed" : first === "blocked_dependency" ? "blocked" : "failed";

/** The Chromium of the example is one for Linux. */
const playable = Object.entries(FOUND).filter(([agent]) => agent !== "browser-agent" || process.platform === "linux");

describe("an example agent", () => {
  test.each(playable)("%s: every planted failure is found, and no good run is", async (agent, found) => {
    const { code, stdout, stderr } = await example(agent, ["--json"]);
    expect(stderr).toBe("");
    const { ok, scenarios } = JSON.parse(stdout) as Report;
    const told = scenarios.map(({ scenario, status, failure_class: failureClass, reasons }) => ({
      scenario,
      status,
      failureClass,
      reasons,
    }));
    const wanted = Object.entries(found).map(([scenario, reasons]) => ({
      scenario,
      status: statusOf(reasons),
      failureClass: reasons[0] ?? null,
      reasons,
    }));
    expect(told).toEqual(wanted);
    // Silent: each one told its user something.
    expect(scenarios.every(({ answer }) => (answer ?? "").length > 20)).toBe(true);
    expect({ ok, code }).toEqual({ ok: true, code: 0 });
  });

  test("asks the provider when there is a key, and ends with 1 when a verdict is not the expected one", async () => {
    let asked = 0;
    const provider = await startLocalModel({
      "provider-model": () => {
        asked += 1;
        return { say: "I would rather not." };
      },
    });
    const env = { OPENAI_API_KEY: "k", OPENAI_BASE_URL: provider.url, OPENAI_MODEL: "provider-model" };
    const { code, stdout } = await example("research-agent", ["--scenario", "good"], env);
    await provider.close();
    expect(asked).toBe(1);
    expect(stdout).toMatch(/^good +passed +failed .*MISMATCH$/m);
    expect(code).toBe(1);
  });

  test("ends with 2 for a scenario it does not have", async () => {
    const { code, stderr } = await example("revenue-agent", ["--scenario", "triple_charge"]);
    expect(stderr).toContain("double_charge");
    expect(code).toBe(2);
  });
});

describe("a shipped fixture", () => {
  // The wall of strict mode: whoever starts a browser or asks a network is refused, and it is written down.
  const mode = process.platform === "linux" ? "strict" : "cassette";

  async function replay(id: string, module: string): Promise<ReplayResult> {
    const reading = await readFixture(join(ROOT, "fixtures", "agent_failure_forensics", id));
    if (!reading.ok) throw new Error(JSON.stringify(reading.problems));
    const agent = { module: pathToFileURL(join(ROOT, "examples", module)).href, exportName: "default" };
    const options = {
      environment: { PATH: process.env["PATH"] },
      storeUrl: null,
      timeoutMillis: 50_000,
      mode,
    } as const;
    const result = await replayFixture(reading.fixture, agent, options);
    if (result.outcome === "refused") throw new Error(result.explanation);
    return result;
  }

  test.each([
    ["unleased_navigation", "browser-agent", "origin_not_leased", "passed"],
    ["double_charge", "revenue-agent", "side_effect_repeated", "passed"],
    ["misread_amount", "ledger-agent", "schema_mismatch", "passed"],
    ["swallowed_retries", "pricing-agent", "retries_exhausted", "blocked"],
    ["outage_taken_for_success", "dispatch-agent", "side_effect_missing", "blocked"],
    ["alert_resolved_as_duplicate", "oncall-agent", "side_effect_unexpected", "passed"],
  ])("%s fails on the broken %s (%s), is %s on the fixed one, and reaches nothing", async (...row) => {
    const [id, agent, failureClass, status] = row;
    const [broken, fixed] = await Promise.all([replay(id, `${agent}/broken.ts`), replay(id, `${agent}/fixed.ts`)]);
    expect(broken).toMatchObject({ outcome: "reproduced", verdict: { status: "failed", failureClass } });
    expect(fixed).toMatchObject({ outcome: "fixed", verdict: { status } });
    for (const { cassette, strict } of [broken, fixed]) {
      expect(cassette.misses).toEqual([]);
      expect(strict?.attempts ?? []).toEqual([]);
    }
  });
});
