import { z } from "zod";
import { CANARY_MODES, DEFAULT_TIERS, ownTier, type Tier, TIER_STATES } from "./tier.ts";

const UNITS = { s: 1, m: 60, h: 3_600, d: 86_400 } as const;

/** Seconds as a number, or text with a unit. */
const seconds = z.union([z.number(), z.string()]).transform((given, context) => {
  const [, count, unit] = typeof given === "number" ? [] : (/^(\d{1,9}(?:\.\d{1,3})?)\s*([smhd])$/.exec(given) ?? []);
  const value = typeof given === "number" ? given : Number(count) * UNITS[unit as keyof typeof UNITS];
  if (value >= 1 && value <= 30 * UNITS.d) return value;
  context.addIssue({ code: "custom", message: 'must be 1 second to 30 days: 900, "15m", "1h", "1d"' });
  return z.NEVER;
});

const tierSchema = z.strictObject({
  /** Time between rounds: seconds, or text with a unit such as `15m`. A tier of one's own: default an hour. */
  every: seconds.optional(),
  /** Text in the id, or a pattern of the whole id with `*`. Default: all fixtures in the states below. */
  fixtures: z.array(z.string().min(1).max(1_000)).max(10_000).optional(),
  /** States now; a fixture that ever had a certificate counts as `certified` too. Default: all but retired. */
  states: z.array(z.enum(TIER_STATES)).min(1).optional(),
  /** Default `cassette`. */
  mode: z.enum(CANARY_MODES).optional(),
  /** A replay is killed after this many. Default 300. */
  timeoutSeconds: z.number().positive().max(86_400).optional(),
});

/** The section `canary` of `runproof.config.ts`. */
export const canarySchema = z.strictObject({
  /**
   * By name. `critical` (15 minutes), `broad` (an hour) and `full` (a day) are there already: what is given for them
   * changes only that, and `false` takes one away.
   */
  tiers: z
    .record(
      z.string().regex(/^[a-z][a-z0-9_-]{0,39}$/, "must be a name of a-z, 0-9, _ and -"),
      tierSchema.or(z.literal(false)),
    )
    .default({}),
  /** Replays at the same time, over all tiers. Default: one inside the service, one for each core in `canary run`. */
  jobs: z.int().min(1).max(256).optional(),
  /** Share of the interval over which hosts are spread, 0 to 1. Default 0.1. */
  jitter: z.number().min(0).max(1).default(0.1),
  /** Whether `runproof serve` runs them; `--canary` and RUNPROOF_CANARY win. Default false. */
  serve: z.boolean().default(false),
});

export type CanaryConfig = z.output<typeof canarySchema>;

/** The tiers of a configuration, most frequent first: in this order they give way to one another. */
export function tiersOf(config: CanaryConfig | undefined): readonly Tier[] {
  const given = Object.entries(config?.tiers ?? {});
  const known = new Map(DEFAULT_TIERS.map((tier) => [tier.name, tier]));
  for (const [name, own] of given) {
    if (own === false) known.delete(name);
    else known.set(name, changed(known.get(name) ?? ownTier(name), own));
  }
  return [...known.values()].toSorted((a, b) => a.everySeconds - b.everySeconds);
}

function changed(tier: Tier, { every, ...own }: z.output<typeof tierSchema>): Tier {
  const given = Object.fromEntries(Object.entries(own).filter(([, value]) => value !== undefined)) as Partial<Tier>;
  return { ...tier, ...given, ...(every !== undefined && { everySeconds: every }) };
}
