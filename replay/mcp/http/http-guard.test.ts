import { describe, expect, test } from "vitest";
import { strangerProblem } from "./http-guard.ts";

describe("who is a stranger to a server on loopback", () => {
  test.each(["127.0.0.1:9465", "localhost:9465", "LOCALHOST", "[::1]:9465", "127.8.9.1"])("not Host %s", (host) => {
    expect(strangerProblem({ host }, "127.0.0.1")).toBeUndefined();
    expect(strangerProblem({ host, origin: `http://${host}` }, "127.0.0.1")).toBeUndefined();
  });

  test.each([
    [{}, /needed/],
    [{ host: "" }, /needed/],
    [{ host: "evil.example" }, /unknown Host/],
    [{ host: "evil.example:9465" }, /unknown Host/],
    [{ host: "127.0.0.1.evil.example:9465" }, /unknown Host/],
    [{ host: "localhost:9465", origin: "http://evil.example" }, /unknown Origin/],
    [{ host: "localhost:9465", origin: "http://localhost:3000" }, /unknown Origin/],
    [{ host: "localhost:9465", origin: "null" }, /unknown Origin/],
    [{ host: "localhost:9465", origin: "" }, /unknown Origin/],
  ])("%j", (headers, reason) => {
    expect(strangerProblem(headers, "127.0.0.1")).toMatch(reason);
  });

  test("beyond loopback names differ, and pages from elsewhere stay out", () => {
    expect(strangerProblem({ host: "mcp.intra.example" }, "0.0.0.0")).toBeUndefined();
    expect(strangerProblem({ host: "mcp.intra.example", origin: "https://evil.example" }, "0.0.0.0")).toMatch(/Origin/);
  });
});
