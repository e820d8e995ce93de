import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseVerdict } from "../instrumentation/contract/parse-verdict.ts";
import type { Verdict } from "../instrumentation/contract/verdict.ts";
import { createSdkConsumer, packPackage, SDK_LINES, type SdkConsumer, type SdkLine } from "./testing/sdk-consumer.ts";

/**
 * The packed package inside an agent that owns its OpenTelemetry SDK and has no collector. Every play runs under SDK 2.x
 * and 3.x, and what it gives must be the same.
 */

const AGENT = fileURLToPath(new URL("./testing/judged-agent.mjs", import.meta.url));

interface ExportedSpan {
  readonly name: string;
  readonly spanId: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly events: readonly { readonly name: string; readonly attributes: Readonly<Record<string, string>> }[];
}

interface Played {
  readonly closed: Readonly<Record<string, Verdict | null>>;
  readonly spans: readonly ExportedSpan[];
  readonly warnings: readonly string[];
  /** What came out of the agent's own work. */
  readonly thrown?: string;
}

let directory: string;
let consumers: readonly SdkConsumer[];
let results: readonly Readonly<Record<string, Played>>[];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "runproof-pack-"));
  const { tarball } = await packPackage(directory);
  consumers = await Promise.all(SDK_LINES.map((line) => createSdkConsumer({ line, tarball })));
  results = await Promise.all(consumers.map((consumer, at) => playAll(consumer, SDK_LINES[at] ?? "3.x")));
});

afterAll(async () => {
  await Promise.all(consumers.map((consumer) => consumer.remove()));
  await rm(directory, { recursive: true, force: true });
});

async function playAll(consumer: SdkConsumer, line: SdkLine): Promise<Record<string, Played>> {
  const ran = await consumer.run(AGENT, [line], {
    // Nobody listens on the discard port.
    RUNPROOF_ENDPOINT: "http://127.0.0.1:9",
    RUNPROOF_STATE_DIR: join(consumer.folder, "state"),
  });
  expect(ran, `SDK ${line}`).toMatchObject({ code: 0, stderr: "" });
  return JSON.parse(ran.stdout) as Record<string, Played>;
}

/** What both lines gave for a play. */
function playOf(name: string): Played {
  const [two, three] = results.map((result) => result[name]);
  if (two === undefined || three === undefined) throw new Error(`nobody plays ${name}`);
  expect([two.thrown, three.thrown]).toEqual([undefined, undefined]);
  expect(comparable(two)).toEqual(comparable(three));
  return three;
}

/** Without what differs from run to run: ids, and the order in which runs at the same time end. */
const comparable = ({ closed, spans }: Played): unknown => ({
  closed: Object.entries(closed)
    .map((entry) => withoutIds(JSON.stringify(entry)))
    .sort(),
  spans: spans.map(({ name, attributes }) => `${name} ${attributes["runproof.verdict.status"]}`).sort(),
});
const withoutIds = (text: string): string =>
  text.replaceAll(/"[0-9a-f]{16}"/g, '"span"').replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, "run");

const statuses = ({ closed }: Played): Record<string, string | undefined> =>
  Object.fromEntries(Object.entries(closed).map(([name, verdict]) => [name, verdict?.status]));

const rootOf = ({ spans }: Played, taskId: string): ExportedSpan | undefined =>
  spans.find((span) => span.attributes["runproof.event"] === "run" && span.attributes["runproof.task.id"] === taskId);

describe("an agent with its own SDK and no collector", () => {
  it("is told the verdict when a run closes", () => {
    const { closed } = playOf("before");
    expect(closed).toMatchObject({
      good: { status: "passed", failureClass: null, reasons: [] },
      broken: {
        status: "failed",
        failureClass: "missing_artifact_ref",
        reasons: [{ code: "missing_artifact_ref", clause: "/artifacts/0" }],
      },
    });
    expect(closed["good"]?.proofs.map((proof) => proof.clause)).toEqual(
      expect.arrayContaining(["/artifacts/0", "/sideEffects/expected/0"]),
    );
  });

  it.each([
    ["good", "1", "every clause of the contract was proven"],
    ["broken", "0", expect.stringContaining("does not exist")],
  ])("exports the verdict on the root span of its %s run", (task, score, explanation) => {
    const played = playOf("before");
    expect(played.spans.map((span) => span.name).sort()).toEqual([
      "execute_tool write_file",
      "execute_tool write_file",
      "invoke_agent writer",
      "invoke_agent writer",
    ]);
    const { attributes = {}, events = [] } = rootOf(played, task) ?? {};
    const verdict = parseVerdict({
      status: attributes["runproof.verdict.status"],
      reasons: attributes["runproof.verdict.reasons"],
      proofs: attributes["runproof.verdict.proofs"],
    });
    expect(verdict).not.toBeNull();
    expect(verdict).toEqual(played.closed[task]);
    expect(attributes["runproof.verdict.failure_class"]).toBe(verdict?.failureClass ?? undefined);
    expect(attributes["runproof.verdict.failure_reason"]).toBe(verdict?.failureReason ?? undefined);
    expect(events.filter((event) => event.name === "gen_ai.evaluation.result")).toEqual([
      {
        name: "gen_ai.evaluation.result",
        attributes: {
          "gen_ai.evaluation.name": "runproof.verdict",
          "gen_ai.evaluation.score.label": verdict?.status,
          "gen_ai.evaluation.score.value": score,
          "gen_ai.evaluation.explanation": explanation,
        },
      },
    ]);
  });

  it("gets the same with the processor after the exporting one", () => {
    const played = playOf("after");
    expect(statuses(played)).toEqual({ good: "passed", broken: "failed" });
    expect(rootOf(played, "broken")?.attributes["runproof.verdict.status"]).toBe("failed");
  });

  it("gets each of twelve runs at the same time judged by its own calls", () => {
    const played = playOf("concurrent");
    expect(Object.keys(played.closed)).toHaveLength(12);
    for (const [name, status] of Object.entries(statuses(played))) {
      expect([name, status]).toEqual([name, name.startsWith("broken") ? "failed" : "passed"]);
      expect(rootOf(played, name)?.attributes["runproof.verdict.status"]).toBe(status);
    }
  });

  it("gets sub-runs judged by themselves: a broken child does not fail its parent", () => {
    expect(statuses(playOf("nested"))).toEqual({
      "broken-child": "failed",
      "good-grandchild": "passed",
      "good-child": "passed",
      "good-parent": "passed",
    });
  });

  it("keeps working when attributes of others cannot be turned into text", () => {
    const played = playOf("structuredAttributes");
    expect(statuses(played)).toEqual({ good: "passed" });
  });
});

describe("a run that the processor has not seen whole has no verdict here", () => {
  it.each([
    ["a sampler that drops everything", "dropped", 0],
    ["a sampler that records and exports nothing", "recordedUnsampled", 0],
    ["a sampler that drops the tool calls", "droppedCalls", 2],
  ])("with %s", (_what, name, spans) => {
    const played = playOf(name);
    expect(played.closed).toEqual({ good: null, broken: null });
    expect(played.spans).toHaveLength(spans);
    expect(played.spans.every((span) => span.attributes["runproof.verdict.status"] === undefined)).toBe(true);
  });

  it("with attribute limits that cut its evidence", () => {
    const played = playOf("limits");
    expect(played.closed).toEqual({ good: null, broken: null });
    expect(played.spans).toHaveLength(4);
  });

  it("beyond the bounds; the runs within them keep theirs", () => {
    const played = playOf("bounds");
    expect(statuses(played)).toEqual({
      "good-evicted": undefined,
      "good-middle": "passed",
      "good-newest": "passed",
      "good-after": "passed",
      "good-too-many-calls": undefined,
    });
    expect(played.warnings).toContainEqual(expect.stringContaining("more than 2 open runs"));
  });
});

describe("beside a span processor that throws", () => {
  it.each(["throwingOnStart", "throwingOnEndingBefore", "throwingOnEndingAfter", "throwingOnEnd"])(
    "the agent's work is done and no exception of it gets out (%s)",
    (name) => {
      const played = playOf(name);
      expect(Object.keys(played.closed).sort()).toEqual(["broken", "good"]);
      expect(played.closed["good"]?.status ?? "passed").toBe("passed");
      expect(played.closed["broken"]?.status ?? "failed").toBe("failed");
    },
  );
});
