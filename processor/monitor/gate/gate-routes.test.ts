import { afterEach, describe, expect, it } from "vitest";
import { type AdminServer, createAdminServer } from "../../admin/admin-server.ts";
import { probe, type ProbeOptions } from "../../admin/testing/probe.ts";
import { createAuthenticator } from "../../auth/authenticator.ts";
import { tokenSha256 } from "../../auth/tokens.ts";
import { type GateDecision, type GateReason, STRICT_POLICY } from "./gate-input.ts";
import { gateRoutes } from "./gate-routes.ts";
import type { OverrideOutcome } from "./overrides.ts";

const ADMIN = "admin-token-0123456789";
const READER = "reader-token-0123456789";
const OPEN: GateDecision = { open: true, reasons: [], overridden: [], overrides: [] };
const reason = (code: GateReason["code"], fixture_id: string): GateReason => ({
  code,
  message: `The fixture ${fixture_id} fails`,
  details: { fixture_id },
});

let server: AdminServer;
afterEach(() => server.shutdown());

interface Served {
  readonly decision?: GateDecision;
  readonly withTokens?: boolean;
  readonly outcome?: OverrideOutcome;
}

async function serve({ decision = OPEN, withTokens = false, outcome = { status: "unknown" } }: Served) {
  const entry = (token: string, scopes: ("admin" | "read")[]) => ({
    sha256: tokenSha256(token),
    project: "shop",
    scopes,
  });
  const tokens = withTokens ? [entry(ADMIN, ["admin"]), entry(READER, ["read"])] : [];
  const asked: unknown[] = [];
  const overrides = {
    add: async (request: unknown) => (asked.push(request), outcome),
    revoke: async (request: unknown) => (asked.push(request), outcome),
  };
  const projects: (string | undefined)[] = [];
  const decide = (project?: string) => (projects.push(project), decision);
  const routes = gateRoutes({ decide, policy: STRICT_POLICY, overrides, tellsEverybody: !withTokens, now: () => 0 });
  server = createAdminServer({
    port: 0,
    liveness: () => [],
    readiness: () => [],
    metrics: async () => ({ status: "unavailable", message: "" }),
    authenticator: createAuthenticator({ tokens }),
    routes: () => routes,
  });
  await server.start();
  const ask = async (path: string, options: ProbeOptions = {}) => {
    const { status, body } = await probe(`http://127.0.0.1:${server.address().port}${path}`, options);
    return { status, body: JSON.parse(body) as Record<string, unknown> };
  };
  return { ask, asked, projects };
}
const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });
const post = (body: unknown, token?: string): ProbeOptions => ({
  method: "POST",
  headers: { "content-type": "application/json", ...(token && bearer(token).headers) },
  body: JSON.stringify(body),
});

describe("GET /v1/gate", () => {
  it("answers 200 while it is open and 503 with every reason while it is closed", async () => {
    const { ask } = await serve({});
    expect(await ask("/v1/gate")).toMatchObject({ status: 200, body: { open: true, status: "open", reasons: [] } });
    await server.shutdown();
    const closed = { ...OPEN, open: false, reasons: [reason("fixture_failing", "one")] };
    const again = await serve({ decision: closed });
    expect(await again.ask("/v1/gate?project=shop")).toMatchObject({
      status: 503,
      body: { open: false, status: "closed", reasons: closed.reasons, policy: STRICT_POLICY },
    });
    expect(again.projects).toEqual(["shop"]);
  });

  it("tells probes without a credential the codes and nothing else, where credentials are configured", async () => {
    const reasons = [reason("fixture_failing", "secret-one"), reason("fixture_failing", "secret-two")];
    const { ask } = await serve({ decision: { ...OPEN, open: false, reasons }, withTokens: true });
    const bare = { status: 503, body: { open: false, status: "closed", reasons: [{ code: "fixture_failing" }] } };
    expect(await ask("/v1/gate")).toEqual(bare);
    expect(await ask("/v1/gate", bearer(READER))).toEqual(bare);
    expect(await ask("/v1/gate", bearer("wrong-token-0123456789"))).toEqual(bare);
    expect((await ask("/v1/gate", bearer(ADMIN))).body).toMatchObject({ reasons });
  });

  it("stays small however many fixtures fail, and says how many it leaves out", async () => {
    const reasons = Array.from({ length: 5_000 }, (_none, index) => reason("fixture_failing", `f${index}`));
    const { ask } = await serve({
      decision: { ...OPEN, open: false, reasons: [...reasons, reason("fixture_stale", "s")] },
    });
    const { body } = await ask("/v1/gate");
    expect(body["reasons"]).toHaveLength(101);
    expect(body["reasons_left_out"]).toBe(4_900);
  });
});

describe("POST /v1/gate/overrides", () => {
  const override = {
    id: "o",
    codes: ["fixture_stale"],
    reason: "r",
    by: "b",
    created_at: 0,
    expires_at: 1_000,
  } as const;

  it("takes the scope admin where credentials are configured, and JSON from no web page", async () => {
    const { ask, asked } = await serve({ withTokens: true });
    expect((await ask("/v1/gate/overrides", post({}))).status).toBe(401);
    expect((await ask("/v1/gate/overrides", post({}, READER))).status).toBe(403);
    const page = post({}, ADMIN);
    expect(
      (await ask("/v1/gate/overrides", { ...page, headers: { ...page.headers, origin: "http://x" } })).status,
    ).toBe(403);
    expect(asked).toEqual([]);
    await ask("/v1/gate/overrides", post({ a: 1 }, ADMIN));
    expect(asked).toEqual([{ a: 1 }]);
  });

  it("answers with the override, what was wrong with it, or that there is none", async () => {
    const { ask } = await serve({ outcome: { status: "done", override } });
    expect(await ask("/v1/gate/overrides", post({}))).toMatchObject({
      status: 201,
      body: { id: "o", expires_at: "1970-01-01T00:00:01.000Z" },
    });
    await server.shutdown();
    const wrong = await serve({ outcome: { status: "invalid", message: "codes: none" } });
    expect(await wrong.ask("/v1/gate/overrides", post({}))).toEqual({ status: 400, body: { error: "codes: none" } });
    await server.shutdown();
    const none = await serve({});
    expect((await none.ask("/v1/gate/overrides/revoke", post({}))).status).toBe(404);
  });
});
