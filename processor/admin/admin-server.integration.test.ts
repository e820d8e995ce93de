import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { createAuthenticator } from "../auth/authenticator.ts";
import { tokenSha256 } from "../auth/tokens.ts";
import { createSpool } from "../spool/index.ts";
import { type AdminServer, type AdminServerOptions, createAdminServer } from "./admin-server.ts";
import { createSpoolCheck } from "./checks.ts";
import { ok } from "./health-check.ts";
import { checkOf, probe, reportOf } from "./testing/probe.ts";

let server: AdminServer | undefined;
afterEach(async () => {
  await server?.shutdown();
  server = undefined;
});

async function serve(changes: Partial<AdminServerOptions> = {}): Promise<string> {
  server = createAdminServer({
    port: 0,
    liveness: () => [ok("alive")],
    readiness: () => [ok("ready")],
    metrics: async () => ({ status: "ok", text: "up 1\n" }),
    authenticator: createAuthenticator(),
    ...changes,
  });
  await server.start();
  return `http://127.0.0.1:${server.address().port}`;
}

describe("the operations endpoint", () => {
  it("answers probes and metrics, with a body for GET and without one for HEAD", async () => {
    const url = await serve();
    for (const path of ["/healthz", "/readyz", "/metrics", "/readyz?verbose"]) {
      const got = await probe(url + path);
      expect(got.status).toBe(200);
      const head = await probe(url + path, { method: "HEAD" });
      expect(head).toMatchObject({ status: 200, body: "" });
      expect(head.headers["content-length"]).toBe(String(got.body.length));
    }
    expect(reportOf(await probe(`${url}/healthz`))).toEqual({
      status: "ok",
      checks: [{ name: "alive", status: "ok", message: "" }],
    });
    expect((await probe(`${url}/metrics`)).headers["content-type"]).toContain("version=0.0.4");
  });

  it("refuses everything else", async () => {
    const url = await serve();
    expect((await probe(`${url}/`)).status).toBe(404);
    expect((await probe(`${url}/v1/traces`)).status).toBe(404);
    expect((await probe(`${url}//`)).status).toBe(404);
    for (const method of ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"]) {
      const refused = await probe(`${url}/metrics`, { method });
      expect(refused).toMatchObject({ status: 405, headers: { allow: "GET, HEAD" } });
    }
    const withBody = await probe(`${url}/healthz`, { headers: { "content-length": "5" }, body: "hello" });
    expect(withBody).toMatchObject({ status: 413, headers: { connection: "close" } });
    const long = await probe(`${url}/healthz`, { headers: { "x-long": "a".repeat(9_000) } });
    expect(long.status).toBe(431);
  });

  it("does not answer to foreign names on loopback", async () => {
    const url = await serve();
    const { port } = new URL(url);
    for (const host of [`localhost:${port}`, `127.0.0.1:${port}`, `[::1]:${port}`, "127.0.0.1"]) {
      expect((await probe(`${url}/metrics`, { headers: { host } })).status, host).toBe(200);
    }
    for (const host of ["evil.example", `evil.example:${port}`, "127.0.0.1.evil.example", "10.0.0.1"]) {
      expect((await probe(`${url}/metrics`, { headers: { host } })).status, host).toBe(403);
    }
  });

  it("shows metrics to admin tokens only, where there are tokens; probes stay open", async () => {
    const entry = (token: string, scopes: readonly ("read" | "write" | "admin")[], expiresAtMillis?: number) => ({
      sha256: tokenSha256(token),
      project: "shop",
      scopes,
      ...(expiresAtMillis !== undefined && { expiresAtMillis }),
    });
    const tokens = [entry("a", ["admin"]), entry("r", ["read", "write"]), entry("old", ["admin"], 1)];
    const url = await serve({ authenticator: createAuthenticator({ tokens, now: () => 2 }) });
    const statusWith = async (authorization?: string): Promise<number> =>
      (await probe(`${url}/metrics`, authorization === undefined ? {} : { headers: { authorization } })).status;
    expect(await statusWith("Bearer a")).toBe(200);
    expect(await statusWith("Bearer r")).toBe(403);
    for (const bad of [undefined, "Bearer x", "Bearer old", "Basic YTph", "a"]) expect(await statusWith(bad)).toBe(401);
    expect((await probe(`${url}/healthz`)).status).toBe(200);
    expect((await probe(`${url}/readyz`)).status).toBe(200);
  });

  it("shows no metrics beyond loopback to everybody, unless told so", async () => {
    const closed = await serve({ host: "0.0.0.0" });
    expect((await probe(`${closed}/metrics`)).status).toBe(403);
    expect((await probe(`${closed}/readyz`, { headers: { host: "collector.monitoring.svc" } })).status).toBe(200);
    await server?.shutdown();
    const open = await serve({ host: "0.0.0.0", allowUnauthenticated: true });
    expect((await probe(`${open}/metrics`)).status).toBe(200);
  });

  it("says what to install when there are no metrics", async () => {
    const url = await serve({ metrics: async () => ({ status: "unavailable", message: "npm install x" }) });
    expect(await probe(`${url}/metrics`)).toMatchObject({ status: 501, body: '{"error":"npm install x"}\n' });
  });

  it("takes a check that throws for a failure, and goes on", async () => {
    const url = await serve({
      readiness: () => {
        throw new Error("broken");
      },
    });
    const probed = await probe(`${url}/readyz`);
    expect(probed.status).toBe(503);
    expect(checkOf(probed, "checks")).toBe("fail");
    expect((await probe(`${url}/healthz`)).status).toBe(200);
  });

  it("is not held by clients that say nothing", async () => {
    const url = await serve();
    const { port } = new URL(url);
    const silent = Array.from({ length: 80 }, () => connect(Number(port), "127.0.0.1").on("error", () => {}));
    const slow = connect(Number(port), "127.0.0.1").on("error", () => {});
    slow.write("GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\nx: ");
    // The silent ones fill its connections until their time is over; then it answers again.
    await vi.waitFor(async () => expect((await probe(`${url}/healthz`)).status).toBe(200), { timeout: 60_000 });
    await server?.shutdown();
    for (const socket of [...silent, slow]) socket.destroy();
  }, 240_000);
});

describe("readiness", () => {
  it("is lost while the spool is full and comes back when it is emptied", async () => {
    const directory = await mkdtemp(join(tmpdir(), "runproof-ready-"));
    const maxBytes = 1_048_576;
    const spool = createSpool({ directory: join(directory, "spool"), maxBytes, now: Date.now, onError: () => {} });
    await spool.start();
    const check = createSpoolCheck({ stats: () => spool.stats(), maxBytes });
    const url = await serve({ readiness: () => [check()] });
    const ready = async (): Promise<number> => (await probe(`${url}/readyz`)).status;
    expect(await ready()).toBe(200);
    const record = {
      kind: "traces",
      encoding: "protobuf",
      lane: "bulk",
      project: "",
      receivedAtMillis: Date.now(),
      payload: new Uint8Array(100_000),
    } as const;
    while ((await spool.append(record)) === "durable");
    expect(await ready()).toBe(503);
    for (let batch = await spool.read(maxBytes); batch !== undefined; batch = await spool.read(maxBytes)) {
      await spool.commit(batch);
    }
    await vi.waitFor(async () => expect(await ready()).toBe(200), { timeout: 60_000, interval: 200 });
    await spool.shutdown();
    expect(await ready()).toBe(503);
    await rm(directory, { recursive: true, force: true });
  }, 240_000);
});
