import { z } from "zod";
import { GATE_CODES, type GateCode } from "./gate-codes.ts";
import type { GateReason } from "./gate-input.ts";

/** Somebody answers for going on in spite of these reasons, for a while. Times are milliseconds since the epoch. */
export interface GateOverride {
  readonly id: string;
  readonly codes: readonly GateCode[];
  /** Only for this fixture; other reasons of the same codes stay. */
  readonly fixture?: string | undefined;
  readonly reason: string;
  readonly by: string;
  readonly created_at: number;
  readonly expires_at: number;
  readonly revoked_at?: number | undefined;
  readonly revoked_by?: string | undefined;
}

/** Nobody knows today whether it is right to go on next month. */
export const MAX_OVERRIDE_MILLIS = 7 * 86_400_000;

const line = z
  .string()
  .trim()
  .min(1)
  .max(500)
  // oxlint-disable-next-line no-control-regex -- what a person writes is shown on terminals
  .regex(/^[^\u0000-\u001f\u007f-\u009f]*$/, { error: "must be one line of plain text" });

const duration = z
  .string()
  .regex(/^[1-9]\d{0,5}[smhd]$/, { error: "must be a time such as 30m, 2h or 1d" })
  .transform((text) => Number(text.slice(0, -1)) * (UNITS[text.slice(-1)] ?? 0));

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** What is asked for: until when, or for how long. */
export const overrideRequest = z
  .strictObject({
    reason: line,
    by: line,
    codes: z.array(z.enum(GATE_CODES)).min(1).max(GATE_CODES.length),
    fixture: z.string().min(1).max(256).optional(),
    expires_at: z.iso.datetime({ offset: true }).transform(Date.parse).optional(),
    for: duration.optional(),
  })
  .refine((asked) => (asked.expires_at === undefined) !== (asked.for === undefined), {
    error: "needs either expires_at or for",
  });

export const revokeRequest = z.strictObject({ id: z.string().min(1).max(100), by: line });

export const isInForce = (override: GateOverride, now: number): boolean =>
  override.revoked_at === undefined && now >= override.created_at && now < override.expires_at;

/** Only what it names: a fixture of its own leaves the others closed, and reasons without a fixture too. */
export const covers = ({ codes, fixture }: GateOverride, { code, details }: GateReason): boolean =>
  codes.includes(code) && (fixture === undefined || details["fixture_id"] === fixture);
