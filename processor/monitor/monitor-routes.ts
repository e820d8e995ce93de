import { z } from "zod";
import type { ApiReply, ApiRequest, ApiRoute } from "../api/api-route.ts";
import { alertJson } from "./alert-json.ts";
import { countOutcomes, type MonitorFigures } from "./figures.ts";
import type { Monitor } from "./monitor.ts";
import type { OutboxStats } from "./outbox.ts";

export interface MonitorRoutes {
  readonly monitor: Monitor;
  /** As they are now; of one project, or of all. */
  readonly figures: (project?: string) => MonitorFigures | undefined;
  readonly outbox: () => OutboxStats;
  readonly intervalSeconds: number;
  readonly now: () => number;
}

export const monitorRoutes = (routes: MonitorRoutes): ApiRoute[] => [
  { method: "GET", path: "/v1/monitor", access: "admin", handle: (request) => figuresReply(request, routes) },
  { method: "GET", path: "/v1/alerts", access: "admin", handle: (request) => alertsReply(request, routes) },
  { method: "POST", path: "/v1/alerts/resolve", access: "admin", handle: (request) => resolveReply(request, routes) },
];

function figuresReply(
  { query }: ApiRequest,
  { monitor, figures, outbox, intervalSeconds, now }: MonitorRoutes,
): ApiReply {
  const { problem, alerting, leading } = monitor.state();
  const found = figures(query.get("project") ?? undefined);
  const head = { interval_seconds: intervalSeconds, leading, problem: problem ?? null, alerting: alerting ?? null };
  if (found === undefined) return { status: 503, body: { ...head, error: "The store has not been read yet." } };
  const { alerts, tiers, ...rest } = found;
  const body = {
    ...head,
    age_seconds: (now() - found.read_at) / 1_000,
    ...rest,
    tiers: tiers.map((tier) => ({ ...tier, counts: countOutcomes(tier) })),
    alerts: alerts.map((alert) => alertJson(alert).data),
    outbox: outbox(),
  };
  return { status: 200, body };
}

const STATES = ["firing", "resolved", "all"] as const;
const RESOLVED_MILLIS = 35 * 86_400_000;

async function alertsReply({ query }: ApiRequest, { monitor, now }: MonitorRoutes): Promise<ApiReply> {
  const state = STATES.find((one) => one === (query.get("state") ?? "firing"));
  const limit = Number(query.get("limit") ?? "100");
  if (state === undefined) return { status: 400, body: { error: `state: one of ${STATES.join(", ")}` } };
  if (!Number.isInteger(limit) || limit < 1 || limit > 1_000)
    return { status: 400, body: { error: "limit: 1 to 1000" } };
  const [id, project] = [query.get("id"), query.get("project")];
  const all = await monitor.alerts(now() - RESOLVED_MILLIS);
  const found = all.filter(
    (alert) =>
      (id === null || alert.alert_id === id) &&
      (project === null || alert.project === project) &&
      (id !== null || state === "all" || alert.state === state),
  );
  const newest = found.toSorted((a, b) => b.alerted_at - a.alerted_at).slice(0, limit);
  return { status: 200, body: { alerts: newest.map((alert) => alertJson(alert).data), total: found.length } };
}

const resolveRequest = z.strictObject({
  id: z.string().min(1).max(100),
  by: z.string().trim().min(1).max(200),
  reason: z.string().trim().min(1).max(500),
});

async function resolveReply({ body }: ApiRequest, { monitor }: MonitorRoutes): Promise<ApiReply> {
  const parsed = resolveRequest.safeParse(body);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path, message }) => `${path.join(".") || "request"}: ${message}`);
    return { status: 400, body: { error: problems.join("; ") } };
  }
  const { id, by, reason } = parsed.data;
  const outcome = await monitor.resolve(id, by, reason);
  if (outcome === "resolved") return { status: 200, body: { id, state: "resolved" } };
  if (outcome === "unknown") return { status: 404, body: { error: "No alert with this id was heard of lately." } };
  if (outcome === "not_firing") return { status: 409, body: { error: "The alert does not fire." } };
  return { status: 503, body: { error: "The alerts' outbox is full; try again later." } };
}
