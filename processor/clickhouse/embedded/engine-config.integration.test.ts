import { availableParallelism } from "node:os";
import { expect, it, onTestFinished } from "vitest";
import { rowsOf, startEngineFixture } from "../testing/engine-fixture.ts";

it("an engine merges as much at a time as there are cores, and lets large merges begin all the same", async () => {
  const fixture = await startEngineFixture();
  onTestFinished(() => fixture.close());
  const values = await rowsOf<{ name: string; value: string }>(
    fixture.service,
    "SELECT name, value FROM system.server_settings UNION ALL SELECT name, value FROM system.merge_tree_settings",
  );
  const slots = String(Math.max(2, availableParallelism()));
  expect(Object.fromEntries(values.map(({ name, value }) => [name, value]))).toMatchObject({
    background_pool_size: slots,
    background_merges_mutations_concurrency_ratio: "1",
    number_of_free_entries_in_pool_to_lower_max_size_of_merge: slots,
    number_of_free_entries_in_pool_to_execute_mutation: "1",
    old_parts_lifetime: "60",
  });
});
