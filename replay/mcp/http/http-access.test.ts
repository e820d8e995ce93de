import { describe, expect, test } from "vitest";
import { tokenSha256 } from "../../../processor/auth/tokens.ts";
import type { Scope } from "../../../processor/auth/identity.ts";
import { createHttpAccess } from "./http-access.ts";

const OWN = "own-token-0123456789";
const bearer = (token: string): string => `Bearer ${token}`;
const entry = (token: string, project: string, ...scopes: Scope[]) => ({
  sha256: tokenSha256(token),
  project,
  scopes,
});
const tokens = [
  entry("shop-reads-0123456789", "shop", "read"),
  entry("shop-all-0123456789ab", "shop", "read", "write"),
  entry("shop-sends-0123456789", "shop", "write"),
  entry("bank-all-0123456789ab", "bank", "read", "write"),
  entry("admin-0123456789abcdef", "ops", "admin"),
  { ...entry("old-0123456789abcdefg", "shop", "read"), expiresAtMillis: 1_000 },
];

describe("access over HTTP", () => {
  test("is open to everybody for reading while no token is configured", () => {
    const access = createHttpAccess({});
    expect(access.open).toBe(true);
    expect(access.of(undefined)).toMatchObject({ ok: true, grant: { writes: false } });
  });

  test("takes the server's own token and no other", () => {
    const access = createHttpAccess({ token: OWN });
    expect(access.open).toBe(false);
    expect(access.of(bearer(OWN))).toMatchObject({ ok: true, grant: { writes: true } });
    for (const wrong of [undefined, "", bearer(""), bearer(`${OWN}x`), OWN, `Basic ${OWN}`]) {
      expect(access.of(wrong)).toEqual({ ok: false, status: 401 });
    }
  });

  test("gives a token of the service what its scopes allow, in this server's project", () => {
    const access = createHttpAccess({ tokens, project: "shop", now: () => 2_000 });
    const grantOf = (token: string) => access.of(bearer(token));
    expect(grantOf("shop-reads-0123456789")).toMatchObject({ ok: true, grant: { writes: false } });
    expect(grantOf("shop-all-0123456789ab")).toMatchObject({
      ok: true,
      // The service itself decides what the token sees.
      grant: { writes: true, serviceToken: "shop-all-0123456789ab" },
    });
    expect(grantOf("admin-0123456789abcdef")).toMatchObject({ ok: true, grant: { writes: false } });
    expect(grantOf("shop-sends-0123456789")).toEqual({ ok: false, status: 403 });
    expect(grantOf("bank-all-0123456789ab")).toEqual({ ok: false, status: 403 });
    expect(grantOf("old-0123456789abcdefg")).toEqual({ ok: false, status: 401 });
    expect(grantOf("nobody-0123456789abcd")).toEqual({ ok: false, status: 401 });
  });

  test("lets only admin in where the server has no project", () => {
    const access = createHttpAccess({ tokens });
    expect(access.of(bearer("shop-all-0123456789ab"))).toEqual({ ok: false, status: 403 });
    expect(access.of(bearer("admin-0123456789abcdef"))).toMatchObject({ ok: true });
  });

  test("tells sessions of different credentials apart", () => {
    const access = createHttpAccess({ token: OWN, tokens, project: "shop" });
    const holders = [OWN, "shop-reads-0123456789", "shop-all-0123456789ab"].map((token) => {
      const found = access.of(bearer(token));
      return found.ok ? found.grant.holder : undefined;
    });
    expect(new Set(holders).size).toBe(3);
  });
});
