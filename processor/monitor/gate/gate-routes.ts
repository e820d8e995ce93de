import type { ApiReply, ApiRoute } from "../../api/api-route.ts";
import type { GateDecision, GatePolicy, GateReason } from "./gate-input.ts";
import type { GateOverride } from "./override.ts";
import type { OverrideOutcome, Overrides } from "./overrides.ts";

export interface GateRoutes {
  /** Of one project, or of all. */
  readonly decide: (project?: string) => GateDecision;
  readonly policy: GatePolicy;
  readonly overrides: Pick<Overrides, "add" | "revoke">;
  /** Whoever can ask may be told everything without a credential. */
  readonly tellsEverybody: boolean;
  readonly now: () => number;
}

/** Answers stay readable, and small enough for a probe, however many fixtures fail. */
const MAX_OF_CODE = 100;

export const gateRoutes = (gate: GateRoutes): ApiRoute[] => [
  {
    method: "GET",
    path: "/v1/gate",
    access: "open",
    handle({ query, identity }) {
      const project = query.get("project");
      const decision = gate.decide(project === null ? undefined : project);
      const tellsAll = gate.tellsEverybody || identity !== undefined;
      return { status: decision.open ? 200 : 503, body: tellsAll ? whole(decision, gate) : codesOnly(decision) };
    },
  },
  {
    method: "POST",
    path: "/v1/gate/overrides",
    access: "admin",
    handle: async ({ body }) => replyTo(await gate.overrides.add(body), 201),
  },
  {
    method: "POST",
    path: "/v1/gate/overrides/revoke",
    access: "admin",
    handle: async ({ body }) => replyTo(await gate.overrides.revoke(body), 200),
  },
];

const status = ({ open }: GateDecision) => ({ open, status: open ? "open" : "closed" });

const codesOnly = (decision: GateDecision): object => ({
  ...status(decision),
  reasons: [...new Set(decision.reasons.map(({ code }) => code))].map((code) => ({ code })),
});

function whole(decision: GateDecision, { policy, now }: GateRoutes): object {
  const reasons = bounded(decision.reasons);
  return {
    ...status(decision),
    checked_at: new Date(now()).toISOString(),
    reasons,
    reasons_left_out: decision.reasons.length - reasons.length,
    overridden: bounded(decision.overridden),
    overrides: decision.overrides.map(overrideJson),
    policy,
  };
}

function bounded<Reason extends GateReason>(reasons: readonly Reason[]): Reason[] {
  const seen = new Map<string, number>();
  return reasons.filter(({ code }) => {
    const count = (seen.get(code) ?? 0) + 1;
    seen.set(code, count);
    return count <= MAX_OF_CODE;
  });
}

const overrideJson = ({ created_at, expires_at, revoked_at, ...rest }: GateOverride) => ({
  ...rest,
  created_at: new Date(created_at).toISOString(),
  expires_at: new Date(expires_at).toISOString(),
  ...(revoked_at !== undefined && { revoked_at: new Date(revoked_at).toISOString() }),
});

function replyTo(outcome: OverrideOutcome, done: number): ApiReply {
  if (outcome.status === "done") return { status: done, body: overrideJson(outcome.override) };
  if (outcome.status === "unknown") return { status: 404, body: { error: "There is no override with this id." } };
  return { status: 400, body: { error: outcome.message } };
}
