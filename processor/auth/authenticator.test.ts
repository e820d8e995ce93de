import { describe, expect, it } from "vitest";
import { createAuthenticator } from "./authenticator.ts";
import { bearerToken, createTokenTable, type TokenEntry, tokenSha256 } from "./tokens.ts";

const entry = (token: string, overrides: Partial<TokenEntry> = {}): TokenEntry => ({
  sha256: tokenSha256(token),
  project: "shop",
  scopes: ["write"],
  ...overrides,
});

describe("a token table", () => {
  it("finds the entry of a token wherever it is, and nothing for another", () => {
    const table = createTokenTable([entry("one"), entry("two", { project: "bank" })]);
    expect(table.find("one")?.project).toBe("shop");
    expect(table.find("two")?.project).toBe("bank");
    for (const other of ["", "on", "one ", "ONE", tokenSha256("one")]) expect(table.find(other)).toBeUndefined();
  });

  it("does not know a token from the millisecond on in which it expires", () => {
    let now = 999;
    const table = createTokenTable([entry("one", { expiresAtMillis: 1_000 })], () => now);
    expect(table.find("one")).toBeDefined();
    now = 1_000;
    expect(table.find("one")).toBeUndefined();
  });
});

describe("an Authorization header", () => {
  it.each([
    ["Bearer abc.DEF-1_2~3+4/5==", "abc.DEF-1_2~3+4/5=="],
    ["bearer abc", "abc"],
    ["  Bearer   abc  ", "abc"],
    ["Basic abc", undefined],
    ["Bearer", undefined],
    ["Bearer ", undefined],
    ["Bearer a b", undefined],
    ["Bearer a=b", undefined],
    ["abc", undefined],
    ["", undefined],
    [`Bearer ${"a".repeat(5_000)}`, undefined],
  ])("%j holds the bearer token %j", (header, token) => {
    expect(bearerToken(header)).toBe(token);
  });
});

describe("an authenticator", () => {
  const certificateNames = () => ["agent.shop.example", "spiffe://x/shop"];
  const tokens = [entry("good"), entry("reader", { scopes: ["read"] }), entry("admin", { scopes: ["admin"] })];

  it("takes everybody as the unproven project default while nothing is configured", () => {
    const open = createAuthenticator();
    expect(open.open).toBe(true);
    for (const authorization of [undefined, "Bearer any", "nonsense"]) {
      expect(open.authenticate({ authorization }, "write")).toEqual({ project: "default", proven: false });
    }
  });

  it("takes the project from the token", () => {
    const authenticator = createAuthenticator({ tokens });
    expect(authenticator.open).toBe(false);
    expect(authenticator.authenticate({ authorization: "Bearer good" }, "write")).toEqual({
      project: "shop",
      proven: true,
    });
  });

  it.each([undefined, "", "Bearer", "Bearer wrong", "Basic good", "good"])("refuses %j", (authorization) => {
    const authenticator = createAuthenticator({ tokens });
    expect(authenticator.authenticate({ authorization }, "write")).toEqual({ refused: "unauthenticated" });
  });

  it("allows a token its scopes only", () => {
    const authenticator = createAuthenticator({ tokens });
    const ask = (token: string, scope: "read" | "write") =>
      authenticator.authenticate({ authorization: `Bearer ${token}` }, scope);
    expect(ask("reader", "read")).toMatchObject({ project: "shop" });
    expect(ask("reader", "write")).toEqual({ refused: "forbidden" });
    expect(ask("good", "read")).toEqual({ refused: "forbidden" });
    expect(ask("admin", "write")).toEqual({ refused: "forbidden" });
  });

  it("takes the project from a name on the client certificate when no token is shown", () => {
    const certificateProjects = new Map([["spiffe://x/shop", "shop"]]);
    const authenticator = createAuthenticator({ tokens, certificateProjects });
    const shown = { authorization: undefined, certificateNames };
    expect(authenticator.authenticate(shown, "write")).toEqual({ project: "shop", proven: true });
    expect(authenticator.authenticate({ ...shown, authorization: "Bearer wrong" }, "write")).toEqual({
      refused: "unauthenticated",
    });
    expect(authenticator.authenticate({ authorization: undefined, certificateNames: () => ["x"] }, "write")).toEqual({
      refused: "unauthenticated",
    });
  });

  it("believes no certificate that names two projects", () => {
    const certificateProjects = new Map([
      ["agent.shop.example", "shop"],
      ["spiffe://x/shop", "bank"],
    ]);
    const authenticator = createAuthenticator({ certificateProjects });
    expect(authenticator.authenticate({ authorization: undefined, certificateNames }, "write")).toEqual({
      refused: "unauthenticated",
    });
  });
});
