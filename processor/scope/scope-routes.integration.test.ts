import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createMemorySource, type MemorySource } from "../../instrumentation/scope/testing/memory-source.ts";
import { type ScopeService, startScopeService } from "./testing/scope-service.ts";

let kept: MemorySource;
let service: ScopeService | undefined;
beforeEach(() => void (kept = createMemorySource("production")));
afterEach(async () => {
  await service?.close();
  service = undefined;
});

async function ask(path: string, token?: string, body?: unknown) {
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const answer = await fetch(`${service?.url}${path}`, {
    headers: { ...authorization, ...(body === undefined ? {} : { "content-type": "application/json" }) },
    ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }),
  });
  return { status: answer.status, body: (await answer.json()) as object };
}

const SHOP = "token-of-the-shop-1";

describe("the scope routes", () => {
  it("answer each credential with its own project, refuse another one, and let nobody change that", async () => {
    service = await startScopeService(kept, { [SHOP]: "shop" });
    expect((await ask("/v1/scope/status", SHOP)).body).toMatchObject({
      request: { state: "SYNCED", authorized: true, resolved_scope: "shop" },
      cloud: { scope: "shop", proven: true, writable: false },
    });
    expect((await ask("/v1/scope/status?project=bank", SHOP)).body).toMatchObject({
      request: { state: "DRIFTED", authorized: false, resolved_scope: "bank" },
    });
    expect((await ask("/v1/scope/cloud", SHOP, { scope: "bank", expected: "0" })).status).toBe(403);
    expect((await ask("/v1/scope/status")).status).toBe(401);
    expect(kept.get()).toBe("production");
  });

  it("keep a project for those who show no credential, changed only by who knows its version", async () => {
    service = await startScopeService(kept);
    expect((await ask("/v1/scope/status")).body).toMatchObject({
      service: { at_start_up: { state: "SYNCED" }, now: { state: "SYNCED", resolved_scope: "production" } },
      request: { resolved_scope: "production", resolved_from: "cloud" },
      cloud: { kind: "present", scope: "production", version: "0", proven: false, writable: true, problem: null },
    });
    expect((await ask("/v1/scope/cloud", undefined, { scope: "staging", expected: "7" })).status).toBe(409);
    expect((await ask("/v1/scope/cloud", undefined, { scope: "staging", expected: "0" })).status).toBe(200);
    expect(kept.get()).toBe("staging");
  });

  it.each([[[]], [{}], [{ scope: "x" }], [{ scope: "a b", expected: "0" }], [{ scope: "x", expected: "0", more: 1 }]])(
    "refuse %j",
    async (body) => {
      service = await startScopeService(kept);
      expect((await ask("/v1/scope/cloud", undefined, body)).status).toBe(400);
      expect(kept.get()).toBe("production");
    },
  );

  it("say that the cloud cannot be read, and resolve nothing then", async () => {
    service = await startScopeService(kept);
    kept.break("the store is away");
    expect((await ask("/v1/scope/status")).body).toMatchObject({
      service: { now: { state: "DRIFTED", authorized: false, resolved_scope: null } },
      cloud: { kind: "unreadable", version: null, problem: "the store is away" },
    });
    expect((await ask("/v1/scope/status?project=a%20b")).body).toMatchObject({ request: { resolved_scope: null } });
  });
});
