import { tiersOf } from "../canary/canary-config.ts";
import { countsText } from "../canary/round.ts";
import { slotAt } from "../canary/slot.ts";
import { createTierRecords, type TierRecord } from "../canary/tier-record.ts";
import type { Tier } from "../canary/tier.ts";
import { loadConfig } from "../config.ts";
import { safeJson, safeLine } from "../safe-text.ts";
import { EXIT } from "../worker/exit-codes.ts";
import { canaryDirectory, dataDirectoryFrom } from "./canary-rounds.ts";
import type { CommandContext } from "./context.ts";
import { table } from "./table.ts";

export interface CanaryStatusFlags {
  readonly dataDir?: string;
  readonly json?: true;
}

/** `runproof canary status`: where each tier stands, by what is kept in the data directory. */
export async function canaryStatus(flags: CanaryStatusFlags, context: CommandContext): Promise<number> {
  const loaded = await loadConfig(context.cwd);
  const log = (message: string): void => void context.stderr.write(`note: ${safeLine(message, 2_000)}\n`);
  const records = createTierRecords(canaryDirectory(dataDirectoryFrom(flags, context)), log);
  const rows = await Promise.all(
    tiersOf(loaded.config.canary).map(async (tier) => statusOf(tier, await records.read(tier.name), Date.now())),
  );
  if (flags.json) context.stdout.write(safeJson(rows));
  else {
    const cells = rows.map((it) => [
      it.tier,
      `${it.interval_seconds} s`,
      it.last_round?.ended_at ?? "never",
      it.last_round === null ? "-" : countsText(it.last_round.counts),
      it.next_slot,
      String(it.missed_slots),
    ]);
    context.stdout.write(table(["TIER", "INTERVAL", "LAST ROUND", "OUTCOMES", "NEXT", "MISSED"], cells));
  }
  return EXIT.ok;
}

function statusOf({ name, everySeconds, states, mode }: Tier, record: TierRecord | null, now: number) {
  const grid = { everyMillis: everySeconds * 1_000, phaseMillis: (record?.phase_ms ?? 0) % (everySeconds * 1_000) };
  const slot = slotAt(now, grid);
  // A round under way is not known here: its slot counts as missed once the next one has begun.
  const since = record === null ? 0 : Math.max(0, Math.floor((slot - record.last_slot) / grid.everyMillis) - 1);
  return {
    tier: name,
    interval_seconds: everySeconds,
    states,
    mode,
    last_round: record?.round ?? null,
    next_slot: new Date(slot + grid.everyMillis).toISOString(),
    /** Since the last round. */
    missed_slots: since,
    missed_slots_total: (record?.missed_slots_total ?? 0) + since,
    skipped_slots_total: record?.skipped_slots_total ?? 0,
  };
}
