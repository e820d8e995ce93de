import { beforeAll, describe, expect, test } from "vitest";
import { ATTR_FIXTURE_ID, ATTR_RUN_ID, ATTR_RUN_TYPE } from "../../instrumentation/semconv.ts";
import type { Fixture } from "../fixture/fixture-format.ts";
import { openOtlpTap } from "../sandbox/otlp-tap.ts";
import { reportAgent } from "../testing/record-run.ts";
import { brokenReportFixture } from "../testing/recorded-fixture.ts";
import { replayFixture, type ReplayOptions } from "./replay-fixture.ts";

let fixture: Fixture;

beforeAll(async () => {
  fixture = await brokenReportFixture();
});

const environment = { PATH: process.env["PATH"] };

const replay = (exportName: string, options: Partial<ReplayOptions> = {}) =>
  replayFixture(
    fixture,
    { module: reportAgent, exportName },
    { environment, storeUrl: null, timeoutMillis: 20_000, ...options },
  );

describe("a recorded failure", () => {
  test("is a fixture of its missing artifact, with every call and its error", () => {
    expect(fixture.notes).toMatchObject({ failure_class: "missing_artifact_ref", observed: { status: "failed" } });
    expect(fixture.cassette.interactions.map((it) => [it.path, it.outcome])).toEqual([
      ["search#0", "returned"],
      ["fetch_page#0", "returned"],
      ["fetch_page#1", "returned"],
      ["fetch_page#2", "threw"],
    ]);
    expect(fixture.cassette.interactions[3]).toMatchObject({ error: { class: "dependency_unavailable" } });
  });

  test("is reproduced by the broken code", async () => {
    const result = await replay("broken");
    expect(result).toMatchObject({
      outcome: "reproduced",
      verdict: { status: "failed", failureClass: "missing_artifact_ref" },
      cassette: { hits: 4, moved: [], misses: [], unused: [] },
      stored: false,
    });
    expect(result.notes).toEqual(["the run was not stored: storing is off"]);
  });

  test("is fixed by code that writes the artifact, and the proof names it", async () => {
    const result = await replay("fixed");
    expect(result).toMatchObject({ outcome: "fixed", verdict: { status: "passed" }, cassette: { misses: [] } });
    expect(JSON.stringify(result.verdict?.proofs)).toContain("report");
  });

  test("is fixed by another implementation that asks in another order and for less", async () => {
    const result = await replay("fixedDifferently");
    expect(result).toMatchObject({
      outcome: "fixed",
      cassette: { hits: 3, misses: [], unused: [{ path: "fetch_page#2" }] },
    });
    expect(result.cassette.moved).toHaveLength(2);
  });

  test("diverges, whatever the status, when the code asks what was not recorded", async () => {
    const result = await replay("asksMore");
    expect(result).toMatchObject({ outcome: "diverged", verdict: { status: "passed" } });
    expect(result.explanation).toContain('/arguments/query recorded "otters", asked "otters in rivers"');
  });

  test("diverges when the code fails otherwise, and says how", async () => {
    const result = await replay("failsOtherwise");
    expect(result).toMatchObject({ outcome: "diverged", verdict: { status: "failed" } });
    expect(result.explanation).toMatch(/another failure: .*recorded was failed \(missing_artifact_ref\)/);
  });

  test("is judged as abandoned when the process dies", async () => {
    const result = await replay("crashes");
    expect(result).toMatchObject({ outcome: "diverged", agent: { type: "exited", code: 9 } });
    expect(result.verdict?.reasons.map((reason) => reason.code)).toContain("run_abandoned");
  });

  test("is an error when the agent opens no run", async () => {
    expect(await replay("withoutRun")).toMatchObject({ outcome: "errored", run: null, verdict: null });
  });
});

describe("storing", () => {
  test("hands the service the run, marked as a replay of its fixture", async () => {
    const service = await openOtlpTap();
    try {
      const result = await replay("fixed", { storeUrl: service.url });
      expect(result).toMatchObject({ outcome: "fixed", stored: true, notes: [] });
      const own = service.rows.filter((row) => row.SpanAttributes[ATTR_RUN_ID] === result.run?.runId);
      const root = own.find((row) => row.SpanId === own.find((it) => it.ParentSpanId === "")?.SpanId);
      expect(root?.SpanAttributes).toMatchObject({ [ATTR_RUN_TYPE]: "replay", [ATTR_FIXTURE_ID]: "missing_report" });
    } finally {
      await service.close();
    }
  });

  test("changes nothing but a note when there is no service", async () => {
    const result = await replay("fixed", { storeUrl: "http://127.0.0.1:9" });
    expect(result).toMatchObject({ outcome: "fixed", stored: false });
    expect(result.notes[0]).toContain("no service at http://127.0.0.1:9");
  });
});
