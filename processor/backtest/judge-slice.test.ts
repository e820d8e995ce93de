import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { closing, contract } from "../testing/evidence.ts";
import type { StoredHistory } from "./testing/memory-history.ts";
import { createMemoryHistory } from "./testing/memory-history.ts";
import { type StoredRunPlan, storedRuns } from "./testing/stored-runs.ts";
import { newestOf } from "./finding.ts";
import type { Finding } from "./finding.ts";
import { judgeAgain } from "./judge-again.ts";
import { judgeSlice } from "./judge-slice.ts";
import { planSlices } from "./plan-slices.ts";
import { DEFAULT_LIMITS, type SliceLimits } from "./portions.ts";
import { createRecordedContracts } from "./recorded-contracts.ts";
import { addTallies, EMPTY_TALLY, type Tally } from "./tally.ts";

const STRICT = contract({
  sideEffects: { expected: [{ tool: "send" }], others: "allow" },
  tools: { forbidden: ["drop"] },
});
const SCOPE = { agent: STRICT.agent, runType: "live" } as const;
const T0 = 1_795_000_000_000;

interface Outcome {
  readonly tally: Tally;
  readonly findings: readonly Finding[];
}

/** As long as a bucket is, and as little as is in hand at a time. */
interface Cut {
  readonly bucketMillis: number;
  readonly limits: SliceLimits;
}

async function judgeAll(stored: StoredHistory, { bucketMillis, limits }: Cut): Promise<Outcome> {
  const history = createMemoryHistory(stored);
  const extent = await history.extent(SCOPE, T0);
  if (extent === undefined) return { tally: EMPTY_TALLY, findings: [] };
  const widthNanos = BigInt(bucketMillis) * 1_000_000n;
  const slices = planSlices(extent, await history.buckets(SCOPE, extent, widthNanos), {
    widthNanos,
    maxRows: limits.maxRows,
  });
  const judging = { history, scope: SCOPE, contract: STRICT, recorded: createRecordedContracts(history), limits };
  const outcome = { tally: EMPTY_TALLY, findings: [] as readonly Finding[] };
  for (const slice of slices) {
    for await (const part of judgeSlice(slice, judging)) {
      outcome.tally = addTallies([outcome.tally, part.tally]);
      outcome.findings = newestOf(outcome.findings, part.findings, 1_000);
    }
  }
  return outcome;
}

/** Each run by itself, with all spans there are. */
function judgeEach(stored: StoredHistory): Tally {
  const current = stored.versions.filter(({ version }) => version === 2);
  return addTallies(
    current.map((run) => {
      const spans = stored.spans.filter(
        (span) => span.TraceId === run.traceId && (span.ResourceAttributes["runproof.project"] ?? "") === run.project,
      );
      return judgeAgain(STRICT, { run, spans, recorded: null }).tally;
    }),
  );
}

const plan = fc.record<StoredRunPlan>({
  id: fc.nat(40),
  project: fc.constantFrom("", "shop", "bank"),
  startMillis: fc.oneof(fc.constant(T0 + 60_000), fc.integer({ min: T0 + 60_000, max: T0 + 86_400_000 })),
  recorded: fc.constant(contract({})),
  calls: fc.array(fc.constantFrom("send", "search", "drop"), { maxLength: 3 }),
  evidence: fc.constantFrom({}, { error: { errorClass: "TypeError", message: "no" } }, { claim: closing().claim }),
  status: fc.constantFrom("passed", "failed", "inconclusive", "started"),
  end: fc.constantFrom("root", "close", "none"),
  lateMillis: fc.constantFrom(0, 30_000, 7_200_000, 90_000_000),
  isDoubled: fc.boolean(),
  lost: fc.constantFrom(0, 0, 0, 1),
  correctedMillis: fc.constantFrom(0, 0, 5, 50_000),
});

/** One run of an id in each project, and an id without a project only where no project has it: its spans are anybody's. */
const plans = fc
  .uniqueArray(plan, { maxLength: 40, selector: ({ id, project }) => `${project}/${id}` })
  .map((all) =>
    all.filter(({ id, project }) => project !== "" || all.every((one) => one.id !== id || one.project === "")),
  );

const cuts = fc.record({
  bucketMillis: fc.constantFrom(1, 1_000, 3_600_000, 100_000_000),
  limits: fc.record({
    maxRows: fc.constantFrom(1, 2, 7, 1_000),
    maxSpans: fc.constantFrom(1, 6, 20, 1_000),
    maxBytes: fc.constantFrom(10, 4_000, 1_000_000),
    maxFindings: fc.constant(Infinity),
  }),
});

describe("judging slices of history", () => {
  it("comes to the same however history is cut, and to what each run comes to by itself", async () => {
    await fc.assert(
      fc.asyncProperty(plans, cuts, async (all, cut) => {
        const stored = storedRuns(all);
        const whole = await judgeAll(stored, { bucketMillis: 100_000_000, limits: DEFAULT_LIMITS });
        expect(whole.tally).toEqual(judgeEach(stored));
        expect(await judgeAll(stored, cut)).toEqual(whole);
        expect(whole.findings).toHaveLength(whole.tally.silent.runs);
      }),
      { numRuns: process.env["RUNPROOF_LONG_TESTS"] === "1" ? 2_000 : 60 },
    );
  });

  const good: StoredRunPlan = {
    id: 1,
    project: "",
    startMillis: T0 + 60_000,
    recorded: contract({}),
    calls: ["send"],
    evidence: {},
    status: "passed",
    end: "root",
    lateMillis: 0,
    isDoubled: false,
    lost: 0,
    correctedMillis: 0,
  };
  const one = async (changes: Partial<StoredRunPlan>): Promise<Outcome> =>
    judgeAll(storedRuns([{ ...good, ...changes }]), { bucketMillis: 1_000, limits: DEFAULT_LIMITS });

  it("finds the runs that ended well and break the contract, with the reason and the evidence", async () => {
    const { tally, findings } = await one({ calls: ["send", "drop"] });
    expect(tally.silent.runs).toBe(1);
    expect(findings).toMatchObject([
      {
        runId: "run-1",
        storedStatus: "passed",
        failureClass: "tool_not_allowed",
        reasons: [{ code: "tool_not_allowed", clause: "/tools/forbidden", evidence: [{ kind: "tool_call" }] }],
      },
    ]);
  });

  it.each<[string, Partial<StoredRunPlan>]>([
    ["one that keeps the contract", {}],
    ["one whose record says failed", { calls: [], status: "failed" }],
    ["one whose record says blocked", { calls: [], status: "blocked" }],
    ["one that threw", { calls: [], evidence: { error: { errorClass: "TypeError", message: "no" } } }],
    ["one that never ended", { calls: ["drop"], end: "none" }],
    ["one that has lost spans since", { calls: ["drop"], lost: 1 }],
  ])("does not call silent %s", async (_what, changes) => {
    const { tally, findings } = await one(changes);
    expect(tally.silent.runs).toBe(0);
    expect(findings).toEqual([]);
  });

  it("does not judge a run that is open, nor one of which spans are gone", async () => {
    expect((await one({ end: "none", status: "started" })).tally).toMatchObject({ runs: 0, open: 1 });
    expect((await one({ lost: 2 })).tally).toMatchObject({ runs: 0, gone: 1 });
  });

  it("finds the calls of a run that began long after its record says it closed", async () => {
    expect((await one({ lateMillis: 90_000_000 })).tally.judged).toEqual(new Map([["passed", 1]]));
  });

  it("judges a run at the place of its newest record, once", async () => {
    const { tally } = await one({ correctedMillis: 3_600_000 });
    expect(tally.runs).toBe(1);
  });
});
