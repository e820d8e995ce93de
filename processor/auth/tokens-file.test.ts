import { describe, expect, it } from "vitest";
import { parseTokensFile, readTokensFile } from "./tokens-file.ts";
import { tokenSha256 } from "./tokens.ts";

const TOKEN = "correct-horse-battery";
const SHA256 = tokenSha256(TOKEN);

/** The message of the error, which must never hold a token. */
function problemOf(content: unknown): string {
  try {
    parseTokensFile(typeof content === "string" ? content : JSON.stringify(content));
  } catch (error) {
    const text = `${String(error)} ${String((error as Error).cause)}`;
    expect(text).not.toContain(TOKEN);
    return (error as Error).message;
  }
  throw new Error("it was taken");
}

describe("a tokens file", () => {
  it("gives the same entry for a token and for its hash", () => {
    const shared = { project: "shop", scopes: ["write", "read"], expiresAt: "2027-01-01T00:00:00+01:00" };
    const [clear] = parseTokensFile(JSON.stringify({ tokens: [{ token: TOKEN, ...shared }] })).tokens;
    const [hashed] = parseTokensFile(JSON.stringify({ tokens: [{ sha256: SHA256.toUpperCase(), ...shared }] })).tokens;
    expect(clear).toEqual({
      sha256: SHA256,
      project: "shop",
      scopes: ["write", "read"],
      expiresAtMillis: Date.UTC(2026, 11, 31, 23),
    });
    expect(hashed).toEqual(clear);
  });

  it("maps certificates and limits to projects; a token may write by default", () => {
    const file = parseTokensFile(
      JSON.stringify({
        tokens: [{ token: TOKEN, project: "shop" }],
        clientCertificates: [{ name: "agent.bank.example", project: "bank" }],
        projects: { bank: { requestsPerSecond: 5 } },
      }),
    );
    expect(file.tokens[0]?.scopes).toEqual(["write"]);
    expect([...file.certificateProjects]).toEqual([["agent.bank.example", "bank"]]);
    expect([...file.rateLimits]).toEqual([["bank", { requestsPerSecond: 5 }]]);
  });

  it("knows the scopes write, read and admin and no other", () => {
    const scoped = (...scopes: string[]) => ({ tokens: [{ token: TOKEN, project: "shop", scopes }] });
    const [entry] = parseTokensFile(JSON.stringify(scoped("admin", "read", "write"))).tokens;
    expect(entry?.scopes).toEqual(["admin", "read", "write"]);
    expect(problemOf(scoped("root"))).toContain("tokens.0.scopes.0");
  });

  it("names every problem at once, and no token", () => {
    const problem = problemOf({
      tokens: [
        { token: TOKEN, sha256: SHA256, project: "shop" },
        { token: TOKEN, project: "../shop" },
        { project: "shop" },
        { sha256: "12", project: "shop", scopes: [], expiresAt: "soon" },
        { token: `${TOKEN} with spaces`, project: "shop", extra: 1 },
      ],
      more: true,
    });
    for (const part of ["tokens.0: needs either", "tokens.1.project", "tokens.2: needs either", "tokens.3.sha256"]) {
      expect(problem).toContain(part);
    }
    for (const part of ["tokens.3.scopes", "tokens.3.expiresAt", "tokens.4.token", "tokens.4: ", "file: "]) {
      expect(problem).toContain(part);
    }
  });

  it("refuses one token for two projects, also by its hash, and one certificate name", () => {
    const tokens = [
      { token: TOKEN, project: "shop" },
      { sha256: SHA256, project: "bank" },
    ];
    expect(problemOf({ tokens })).toContain("tokens.1: the same token appears before");
    const own = { name: "a.example", project: "shop" };
    expect(problemOf({ clientCertificates: [own, own] })).toContain("clientCertificates.1: the same name");
  });

  it("does not quote a file that is not JSON", () => {
    expect(problemOf(`{"tokens":[{"token":"${TOKEN}"`)).toContain("is not JSON");
  });

  it("says which file cannot be read", async () => {
    await expect(readTokensFile("does/not/exist.json")).rejects.toThrow(
      "tokensFile: cannot read does/not/exist.json (ENOENT)",
    );
  });
});
