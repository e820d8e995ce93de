import { expect, test } from "vitest";
import { canaryExitCode } from "./canary-exit-code.ts";

const counts = { passing: 2, failing: 0, stale: 0, unknown: 0 };
const good = { counts, fixtureIds: ["a", "b"], unstored: 0, problem: null };

test.each([
  ["all pass", {}, 0],
  ["one fails", { counts: { ...counts, failing: 1, stale: 1 } }, 1],
  ["one is stale", { counts: { ...counts, stale: 1 } }, 4],
  ["one is unknown", { counts: { ...counts, unknown: 1 } }, 4],
  ["a tier has no fixtures", { counts: { ...counts, passing: 0 }, fixtureIds: [] }, 4],
  ["a shard has none of the tier's", { counts: { ...counts, passing: 0 } }, 0],
  ["the service was not told of a failure", { counts: { ...counts, failing: 1 }, problem: "gone" }, 3],
  ["the service did not take a run", { unstored: 1 }, 3],
])("when %s", (_, given, code) => {
  expect(canaryExitCode({ ...good, ...given })).toBe(code);
});
