import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { RECEIVER_VARIABLES, type ReceiverConfig, receiverConfigShape, receiverGuardsFrom } from "./receiver-config.ts";

const schema = z.strictObject(receiverConfigShape);
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "runproof-receivers-"));
});

afterAll(() => rm(directory, { recursive: true }));

const config = (given: Partial<ReceiverConfig> = {}): ReceiverConfig => schema.parse(given);

describe("the receivers' configuration", () => {
  it("has defaults that ask nobody and limit nobody", () => {
    expect(config()).toEqual({ otlpGrpcPort: 4317, allowUnauthenticated: false });
  });

  it("takes numbers and flags as text, as variables bring them", () => {
    const text = { otlpGrpcPort: "0", rateLimitBytesPerSecond: "1000000.5", allowUnauthenticated: "true" };
    expect(schema.parse(text)).toEqual({
      otlpGrpcPort: 0,
      rateLimitBytesPerSecond: 1_000_000.5,
      allowUnauthenticated: true,
    });
  });

  it.each([
    { otlpGrpcPort: "65536" },
    { otlpGrpcPort: "" },
    { rateLimitRequestsPerSecond: "0" },
    { rateLimitBytesPerSecond: "-1" },
    { allowUnauthenticated: "yes" },
    { tokensFile: "" },
    { tlsCert: "x" },
  ])("refuses %j", (given) => {
    expect(schema.safeParse(given).success).toBe(false);
  });

  it("has a variable for every key", () => {
    expect(Object.values(RECEIVER_VARIABLES).sort()).toEqual(Object.keys(receiverConfigShape).sort());
  });
});

describe("the guards of a configuration", () => {
  it("are open without a tokens file, and share one budget", async () => {
    const guards = await receiverGuardsFrom(config());
    expect(guards.authenticator.open).toBe(true);
    expect(guards.rateLimiter.charge("default", 1e9)).toBe(0);
    expect(guards).not.toHaveProperty("tls");
    expect(guards.budget.usedBytes).toBe(0);
  });

  it("take tokens and the limits of single projects from the tokens file, general limits from the keys", async () => {
    const tokensFile = join(directory, "tokens.json");
    await writeFile(
      tokensFile,
      JSON.stringify({
        tokens: [{ token: "correct-horse-battery", project: "shop" }],
        projects: { shop: { requestsPerSecond: 0.2 } },
      }),
    );
    const { authenticator, rateLimiter } = await receiverGuardsFrom(
      config({ tokensFile, rateLimitRequestsPerSecond: 0.4 }),
    );
    const shown = { authorization: "Bearer correct-horse-battery" };
    expect(authenticator.authenticate(shown, "write")).toEqual({ project: "shop", proven: true });
    expect([rateLimiter.charge("shop", 1), rateLimiter.charge("shop", 1) > 4]).toEqual([0, true]);
    expect([rateLimiter.charge("bank", 1), rateLimiter.charge("bank", 1)]).toEqual([0, 0]);
  });

  it("tell all problems at once", async () => {
    const wrong = config({ tokensFile: join(directory, "none.json"), tlsKeyFile: "key.pem" });
    await expect(receiverGuardsFrom(wrong)).rejects.toThrow(/tokensFile: cannot read.*\n.*tlsCertFile: is needed/);
    await expect(receiverGuardsFrom(config({ tlsCertFile: "a" }))).rejects.toThrow("tlsKeyFile: is needed");
  });
});
