import { expect, test } from "vitest";
import { canarySchema, tiersOf } from "./canary-config.ts";

const tiers = (given: unknown) => tiersOf(canarySchema.parse({ tiers: given }));

test("without a configuration there are three tiers, most frequent first", () => {
  expect(tiersOf(undefined).map(({ name, everySeconds, mode }) => [name, everySeconds, mode])).toEqual([
    ["critical", 900, "cassette"],
    ["broad", 3_600, "cassette"],
    ["full", 86_400, "strict_if_possible"],
  ]);
});

test("what is given changes a tier, adds one, or takes one away", () => {
  const [own, critical, ...rest] = tiers({
    critical: { every: "5m", fixtures: ["pay*"] },
    smoke: { every: 30 },
    full: false,
  });
  expect(own).toMatchObject({ name: "smoke", everySeconds: 30, fixtures: [], mode: "cassette" });
  expect(critical).toMatchObject({ everySeconds: 300, fixtures: ["pay*"], states: ["certified", "flaky", "stale"] });
  expect(rest.map(({ name }) => name)).toEqual(["broad"]);
});

test.each([
  [{ tiers: { critical: { evry: 3 } } }],
  [{ tiers: { critical: { every: "soon" } } }],
  [{ tiers: { critical: { every: 0.5 } } }],
  [{ tiers: { critical: { every: "31d" } } }],
  [{ tiers: { critical: { states: ["retired"] } } }],
  [{ tiers: { "../etc": {} } }],
  [{ tiers: { constructor: 3 } }],
  [{ jobs: 0 }],
  [{ jitter: 2 }],
  [{ interval: 3 }],
])("refuses %j", (given) => {
  expect(canarySchema.safeParse(given).success).toBe(false);
});
