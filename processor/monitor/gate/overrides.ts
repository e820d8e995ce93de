import type { Journal } from "../journal.ts";
import { type GateOverride, isInForce, MAX_OVERRIDE_MILLIS, overrideRequest, revokeRequest } from "./override.ts";

export type OverrideOutcome =
  | { readonly status: "done"; readonly override: GateOverride }
  | { readonly status: "invalid"; readonly message: string }
  | { readonly status: "unknown" };

export interface OverridesOptions {
  readonly journal: Journal;
  readonly now: () => number;
  readonly newId: () => string;
  /** Told after it is durable. Its rejection is the caller's to report. */
  readonly onChange: (override: GateOverride) => void;
}

/** Who opened this gate by hand, and until when. On this machine's disk: a restart changes nothing. */
export interface Overrides {
  open(): Promise<void>;
  /** Also those that have expired or were taken back, as far as they are remembered; newest last. */
  all(): readonly GateOverride[];
  /** From a request's JSON. Rejects when the disk does not take it: then it does not hold. */
  add(request: unknown): Promise<OverrideOutcome>;
  revoke(request: unknown): Promise<OverrideOutcome>;
  close(): Promise<void>;
}

/** More than one person can mean. */
const MAX_IN_FORCE = 200;
const KEPT = 500;

export function createOverrides({ journal, now, newId, onChange }: OverridesOptions): Overrides {
  const overrides = new Map<string, GateOverride>();

  async function keep(override: GateOverride): Promise<OverrideOutcome> {
    await journal.append([override]);
    overrides.set(override.id, override);
    onChange(override);
    return { status: "done", override };
  }

  return {
    async open() {
      for (const entry of await journal.open()) {
        const override = entry as GateOverride;
        overrides.set(override.id, override);
      }
      const kept = [...overrides.values()].slice(-KEPT);
      for (const id of overrides.keys()) if (!kept.some((one) => one.id === id)) overrides.delete(id);
      await journal.rewrite(kept);
    },
    all: () => [...overrides.values()],
    async add(request) {
      const parsed = overrideRequest.safeParse(request);
      if (!parsed.success) return invalid(parsed.error.issues);
      const { expires_at, for: millis, codes, ...asked } = parsed.data;
      const at = now();
      const until = expires_at ?? at + (millis ?? 0);
      if (until <= at) return { status: "invalid", message: "expires_at: it has expired already" };
      if (until - at > MAX_OVERRIDE_MILLIS)
        return { status: "invalid", message: "expires_at: at most 7 days from now" };
      if ([...overrides.values()].filter((one) => isInForce(one, at)).length >= MAX_IN_FORCE) {
        return { status: "invalid", message: `there are ${MAX_IN_FORCE} overrides in force: revoke some` };
      }
      return keep({ id: newId(), ...asked, codes: [...new Set(codes)], created_at: at, expires_at: until });
    },
    async revoke(request) {
      const parsed = revokeRequest.safeParse(request);
      if (!parsed.success) return invalid(parsed.error.issues);
      const found = overrides.get(parsed.data.id);
      if (found === undefined) return { status: "unknown" };
      if (found.revoked_at !== undefined) return { status: "done", override: found };
      return keep({ ...found, revoked_at: now(), revoked_by: parsed.data.by });
    },
    close: () => journal.close(),
  };
}

const invalid = (issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[]) => ({
  status: "invalid" as const,
  message: issues.map(({ path, message }) => `${path.join(".") || "request"}: ${message}`).join("; "),
});
