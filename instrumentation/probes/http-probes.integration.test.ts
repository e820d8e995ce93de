import http from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ArtifactObservation } from "../contract/evidence.ts";
import { sha256Hex } from "../json/canonical.ts";
import { probeClickHouseRow, type ClickHouseTarget } from "./clickhouse-probe.ts";
import { probeHttp } from "./http-probe.ts";

let server: http.Server;
let origin: string;
let answer: (request: http.IncomingMessage, response: http.ServerResponse, body: string) => void;
beforeEach(async () => {
  server = http.createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += String(chunk)));
    request.on("end", () => answer(request, response, body));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});
const context = { cwd: "/", timeoutMillis: 400 };

describe("probeHttp", () => {
  const probe = (ref = origin): Promise<ArtifactObservation> => probeHttp({ name: "page", kind: "url", ref }, context);

  it("sees what is there", async () => {
    answer = (_request, response) => response.end("hello");
    expect(await probe()).toEqual({
      ...{ name: "page", kind: "url", ref: origin, state: "present", bytes: 5 },
      ...{ sha256: sha256Hex("hello"), schemaErrors: null, detail: null },
    });
  });

  it.each([
    [404, "missing"],
    [410, "missing"],
    [403, "unreadable"],
    [500, "unreadable"],
    [304, "unreadable"],
  ])("takes HTTP %i for %s", async (status, state) => {
    answer = (_request, response) => response.writeHead(status).end();
    expect(await probe()).toMatchObject({ state, detail: `HTTP ${status}` });
  });

  it("follows three redirects and no more", async () => {
    answer = ({ url }, response) => {
      const left = Number(url?.slice(1));
      if (left === 0) response.end("there");
      else response.writeHead(302, { location: `/${left - 1}` }).end();
    };
    expect(await probe(`${origin}/3`)).toMatchObject({ state: "present", bytes: 5 });
    expect(await probe(`${origin}/4`)).toMatchObject({ state: "unreadable", detail: "more than 3 redirects" });
  });

  it("is not led to other kinds of URL", async () => {
    answer = (_request, response) => response.writeHead(302, { location: "file:///etc/hostname" }).end();
    expect(await probe()).toMatchObject({ state: "unreadable", detail: "file: is not http or https" });
    for (const ref of ["file:///etc/hostname", "ftp://127.0.0.1/", "nonsense", "http://u:p@127.0.0.1/"]) {
      expect((await probe(ref)).state).toBe("unreadable");
    }
  });

  it.each<[string, (response: http.ServerResponse) => void]>([
    ["never answers", () => {}],
    ["hangs in the body", (response) => void response.write("some")],
    [
      "breaks off",
      (response) => {
        response.writeHead(200, { "content-length": 10 }).write("some", () => response.destroy());
      },
    ],
  ])("calls a page unreadable whose server %s", async (_name, misbehave) => {
    answer = (_request, response) => misbehave(response);
    const start = performance.now();
    expect((await probe()).state).toBe("unreadable");
    expect(performance.now() - start).toBeLessThan(30_000);
  });

  it("is unreadable when nobody listens", async () => {
    expect(await probe("http://127.0.0.1:9/")).toMatchObject({ state: "unreadable" });
  });
});

describe("probeClickHouseRow", () => {
  const target = (changes: Partial<ClickHouseTarget> = {}): ClickHouseTarget => ({
    ...{ name: "order", kind: "row", ref: "orders/7", url: origin, user: "u", password: "p" },
    ...{ query: "SELECT * FROM orders WHERE id = {id:String}", params: { id: "7\t'; DROP TABLE x" } },
    ...changes,
  });

  it("binds values, asks for reading only, and hashes the canonical rows", async () => {
    let seen: URL | undefined;
    answer = (request, response, body) => {
      seen = new URL(request.url ?? "", origin);
      expect(body).toBe("SELECT * FROM orders WHERE id = {id:String}");
      expect(request.headers).toMatchObject({ "x-clickhouse-user": "u", "x-clickhouse-key": "p" });
      response.end('{"id":"7","a":1}\n');
    };
    const canonical = '{"a":1,"id":"7"}';
    expect(await probeClickHouseRow(target(), context)).toMatchObject({
      ...{ state: "present", bytes: canonical.length, sha256: sha256Hex(canonical), ref: "orders/7" },
    });
    expect(seen?.searchParams.get("param_id")).toBe("7\\t'; DROP TABLE x");
    expect(seen?.searchParams.get("readonly")).toBe("1");
  });

  it("takes no row for missing", async () => {
    answer = (_request, response) => response.end("");
    expect(await probeClickHouseRow(target(), context)).toMatchObject({ state: "missing", detail: "no row" });
  });

  it.each<[string, (response: http.ServerResponse) => void]>([
    ["an error", (response) => response.writeHead(404).end("Code: 60. DB::Exception: Unknown table")],
    ["an error after rows", (response) => response.end('{"id":1}\nCode: 241. DB::Exception: Memory limit')],
    ["silence", () => {}],
  ])("takes %s for unreadable", async (_name, misbehave) => {
    answer = (_request, response) => misbehave(response);
    expect(await probeClickHouseRow(target(), context)).toMatchObject({ state: "unreadable", sha256: null });
  });

  it("holds the row against a schema", async () => {
    answer = (_request, response) => response.end('{"id":7}\n');
    const schema = { properties: { id: { type: "string" } } };
    expect((await probeClickHouseRow(target({ schema }), context)).schemaErrors).toEqual([
      expect.stringMatching(/^\/id: /),
    ]);
  });

  it("sends nothing that is no SELECT", async () => {
    answer = () => expect.unreachable();
    expect(await probeClickHouseRow(target({ query: "DROP TABLE orders" }), context)).toMatchObject({
      state: "unreadable",
    });
  });
});
