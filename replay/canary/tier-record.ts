import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";

const count = z.int().min(0);
const time = z.number();

const recordSchema = z.strictObject({
  format_version: z.literal(1),
  tier: z.string(),
  /** The newest slot that is dealt with, milliseconds since the epoch: where the schedule goes on. */
  last_slot: time,
  every_seconds: z.number().positive(),
  /** Where slots stand on the interval. */
  phase_ms: z.number().min(0),
  /** The last round that was done to its end. */
  round: z.strictObject({
    round_id: z.string(),
    slot: time,
    shard: z.string(),
    started_at: z.iso.datetime(),
    ended_at: z.iso.datetime(),
    /** Slots before it that went by without a round. */
    missed_slots: count,
    counts: z.strictObject({ passing: count, failing: count, stale: count, unknown: count }),
  }),
  /** Since the file is there: slots without a round, because nobody was there, or because a round took too long. */
  missed_slots_total: count,
  skipped_slots_total: count,
});

/** How far a tier is, as it is kept across restarts. */
export type TierRecord = z.output<typeof recordSchema>;

/** What is remembered of each tier, in a file of its own. */
export interface TierRecords {
  /** `null`: there is none. One that cannot be read is set aside, and there is none. */
  read(tier: string): Promise<TierRecord | null>;
  write(record: TierRecord): Promise<void>;
}

export function createTierRecords(directory: string, log: (message: string) => void): TierRecords {
  const pathOf = (tier: string): string => join(directory, `${tier}.json`);
  return {
    async read(tier) {
      const path = pathOf(tier);
      const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT") return undefined;
        throw error;
      });
      if (text === undefined) return null;
      const record = recordFrom(text);
      if (record !== undefined && record.tier === tier) return record;
      await rename(path, `${path}.corrupt`);
      log(`canaries: ${path} cannot be read; it is now ${path}.corrupt, and the tier ${tier} is due`);
      return null;
    },
    async write(record) {
      await mkdir(directory, { recursive: true });
      const path = pathOf(record.tier);
      // Through a rename: a file cut short by a crash would be no memory.
      const staged = `${path}.${process.pid}.tmp`;
      await writeFile(staged, `${JSON.stringify(record, null, 2)}\n`, { flush: true });
      await rename(staged, path);
    },
  };
}

function recordFrom(text: string): TierRecord | undefined {
  try {
    return recordSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
