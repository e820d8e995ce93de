import { describe, expect, it } from "vitest";
import { explore, type Exploration } from "./testing/explore.ts";
import type { ModelScenario } from "./testing/model-run.ts";
import { DEEP_SCENARIOS, SMALL_SCENARIOS } from "./testing/model-scenarios.ts";
import type { ScopeResolverOptions } from "./scope-resolver.ts";
import type { WritableScopeSource } from "./scope-source.ts";

const isLong = process.env["RUNPROOF_LONG_TESTS"] === "1";
/** All interleavings of the small scenarios, and at least 100,000 in all, in the long version. */
const SMALL = isLong ? { depth: 64, maxSequences: 1_000_000 } : { depth: 64, maxSequences: 600 };
const DEEP = isLong ? { depth: 11, maxSequences: 12_000 } : { depth: 6, maxSequences: 250 };
const HANG_GUARD_MILLIS = 1_200_000;

async function exploreAll(): Promise<ReadonlyMap<ModelScenario, Exploration>> {
  const found = new Map<ModelScenario, Exploration>();
  for (const scenario of SMALL_SCENARIOS) found.set(scenario, await explore(scenario, SMALL));
  for (const scenario of DEEP_SCENARIOS) found.set(scenario, await explore(scenario, DEEP));
  return found;
}

describe("two processes and a changing world, every step in every order", () => {
  it(
    "never execute in a scope that is unresolved or unauthorised, never write silently, and converge",
    async () => {
      const found = await exploreAll();
      const lines = [...found].map(
        ([{ name }, one]) =>
          `${String(one.sequences).padStart(7)} ${one.exhaustive ? "all" : "   "} ` +
          `${String(one.executed).padStart(7)} executed ${String(one.refused).padStart(7)} refused ` +
          `${String(one.written).padStart(7)} written  ${name}`,
      );
      const sequences = [...found.values()].reduce((sum, one) => sum + one.sequences, 0);
      console.log([...lines, `${String(sequences).padStart(7)} sequences`].join("\n"));
      for (const [{ name }, { broken }] of found)
        expect([name, broken?.violations, broken?.steps]).toEqual([name, undefined, undefined]);
      // The model would prove nothing if nothing happened in it.
      const sum = (key: "executed" | "refused" | "written") =>
        [...found.values()].reduce((all, one) => all + one[key], 0);
      for (const key of ["executed", "refused", "written"] as const) expect(sum(key)).toBeGreaterThan(300);
      if (isLong) {
        expect(sequences).toBeGreaterThanOrEqual(100_000);
        for (const scenario of SMALL_SCENARIOS) expect(found.get(scenario)?.exhaustive).toBe(true);
      }
    },
    HANG_GUARD_MILLIS,
  );
});

type Fault = (options: ScopeResolverOptions) => ScopeResolverOptions;
const cloudWith =
  (change: (cloud: WritableScopeSource) => Partial<WritableScopeSource>): Fault =>
  (options) => {
    const cloud = options.sources.cloud as WritableScopeSource;
    return { ...options, sources: { ...options.sources, cloud: { ...cloud, ...change(cloud) } } };
  };

describe("the model finds", () => {
  it.each<[string, string, string, Fault]>([
    [
      "an authoriser whose errors are swallowed",
      "the authoriser goes away",
      "executed in",
      (options) => ({
        ...options,
        authorize: async (request, signal) => {
          try {
            return await options.authorize(request, signal);
          } catch {
            return { allowed: true };
          }
        },
      }),
    ],
    [
      "a cloud that is taken for silent when it is out of reach",
      "the cloud goes away",
      "executed in safe",
      cloudWith((cloud) => ({
        read: async (signal) => {
          try {
            return await cloud.read(signal);
          } catch {
            return { kind: "absent", version: "none" };
          }
        },
      })),
    ],
    [
      "a write over whatever is there now",
      "both reconcile",
      "without a journal entry",
      cloudWith((cloud) => ({
        write: async (write, signal) => {
          const reading = await cloud.read(signal);
          return cloud.write({ ...write, expected: "version" in reading ? reading.version : "" }, signal);
        },
      })),
    ],
    [
      "a value that was cached for good",
      "one works twice",
      "did not converge",
      cloudWith((cloud) => {
        let first: ReturnType<WritableScopeSource["read"]> | undefined;
        return { read: (signal) => (first ??= cloud.read(signal)) };
      }),
    ],
    [
      "a journal that keeps nothing",
      "both reconcile",
      "without a journal entry",
      (options) => ({ ...options, newId: () => "x", journal: { append: async () => {}, entries: async () => [] } }),
    ],
  ])("%s", async (_name, where, violation, options) => {
    const scenario = [...SMALL_SCENARIOS, ...DEEP_SCENARIOS].find(({ name }) =>
      name.startsWith(where),
    ) as ModelScenario;
    const { broken } = await explore(
      { ...scenario, options: (given) => options(scenario.options?.(given) ?? given) },
      { depth: 8, maxSequences: 2_000 },
    );
    expect(broken?.violations.join("\n")).toContain(violation);
  });
});
