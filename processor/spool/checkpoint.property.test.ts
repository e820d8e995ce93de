import fc from "fast-check";
import { expect, it } from "vitest";
import { MAX_OPEN_BATCHES } from "./batch-ledger.ts";
import { type Checkpoint, CHECKPOINT_SLOT_BYTES, createCheckpointFile } from "./checkpoint.ts";
import { createVolatileFs } from "./testing/volatile-fs.ts";

const PATH = "/d/checkpoint";
const place = fc.nat({ max: 2 ** 31 - 1 });
const checkpoint: fc.Arbitrary<Checkpoint> = fc.record({
  position: fc.record({ segment: place, offset: place }),
  batches: fc.array(fc.record({ segment: place, start: place, end: place, done: fc.boolean() }), {
    maxLength: MAX_OPEN_BATCHES,
  }),
});

it("loads the newest checkpoint, also in a later process", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(checkpoint, { minLength: 1, maxLength: 6 }), async (saved) => {
      const fs = createVolatileFs();
      for (const one of saved) {
        const file = createCheckpointFile(fs, PATH);
        await file.load();
        await file.save(one);
        expect(await createCheckpointFile(fs, PATH).load()).toEqual(one);
      }
    }),
  );
});

it("has the newest or the one before after any damage to one slot, and never anything else", async () => {
  await fc.assert(
    fc.asyncProperty(
      checkpoint,
      checkpoint,
      fc.nat({ max: 2 * CHECKPOINT_SLOT_BYTES - 1 }),
      fc.uint8Array({ minLength: 1, maxLength: 64 }),
      async (one, two, at, noise) => {
        const fs = createVolatileFs();
        const file = createCheckpointFile(fs, PATH);
        await file.load();
        await file.save(one);
        await file.save(two);
        const inSlot = noise.subarray(0, CHECKPOINT_SLOT_BYTES - (at % CHECKPOINT_SLOT_BYTES));
        await (await fs.open(PATH, "r+")).writev([inSlot], at);
        expect([one, two]).toContainEqual(await createCheckpointFile(fs, PATH).load());
      },
    ),
    { numRuns: 1_000 },
  );
});

it("fits the largest checkpoint into a slot", async () => {
  const big = { segment: 2 ** 40, start: 2 ** 40, end: 2 ** 40, done: true };
  const largest = {
    position: { segment: 2 ** 40, offset: 2 ** 40 },
    batches: Array.from({ length: MAX_OPEN_BATCHES }, () => big),
  };
  const fs = createVolatileFs();
  const file = createCheckpointFile(fs, PATH);
  await file.load();
  for (let round = 0; round < 3; round++) await file.save(largest);
  expect(await createCheckpointFile(fs, PATH).load()).toEqual(largest);
});
