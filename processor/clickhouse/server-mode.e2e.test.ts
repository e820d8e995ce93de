import { createServer, type Server } from "node:https";
import { request } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { createTestAuthority } from "../receivers/testing/certificates.ts";
import { createServiceFixture, workFolder } from "../testing/running-service.ts";
import { insertNative } from "./native-insert.ts";
import { createRunReader } from "./run-reader.ts";
import { createStore } from "./store.ts";
import { startServerFixture, type ServerFixture } from "./testing/server-fixture.ts";
import { runRow, spanRow } from "./testing/row-samples.ts";

const RIGHTS = [
  "SELECT, INSERT, CREATE TABLE, CREATE VIEW, DROP TABLE, DROP VIEW, ALTER TABLE, ALTER VIEW ON runproof.*",
  ...["MergeTree", "ReplacingMergeTree", "AggregatingMergeTree"].map((engine) => `TABLE ENGINE ON ${engine}`),
];
const USERS = [
  { name: "svc", password: "s e/cret&", grants: RIGHTS },
  { name: "poor", password: "pw", grants: ["SELECT ON *.*"] },
];
const svc = { username: "svc", password: "s e/cret&", database: "runproof" };

/** The machine may be busy: the contract is not about time. */
const PATIENT = { AGENT_TIMEOUT_SECONDS: "60" };

let server: ServerFixture;
beforeAll(async () => {
  server = await startServerFixture({
    users: USERS.map((user) => ({ ...user, password: user.password.replace("&", "&amp;") })),
  });
  for (const name of ["runproof", "bare"]) await server.run(`CREATE DATABASE ${name} ENGINE = Atomic`);
});
afterAll(() => server.close());

const settings = (more: object = {}) => ({
  clickhouseUrl: server.url,
  clickhouseUser: "svc",
  clickhousePassword: svc.password,
  clickhouseDatabase: "runproof",
  ...more,
});

describe("the service on a ClickHouse server", () => {
  it("stores, judges and reads with the rights that are documented, also when the server was away", async () => {
    const fixture = await createServiceFixture(settings());
    const store = createStore({ url: server.url, ...svc });
    const reader = createRunReader(store);
    try {
      const service = await fixture.start();
      expect(service.enginePid()).toBeUndefined();
      const first = await fixture.agent("work", await workFolder(fixture, "first"), PATIENT);
      expect(await first.ended).toBe(0);
      await service.idle();
      expect((await reader.currentRun(first.runId))?.status).toBe("passed");
      await server.kill();
      const second = await fixture.agent("work", await workFolder(fixture, "second"), PATIENT);
      expect(await second.ended).toBe(0);
      await server.start();
      await service.idle();
      await expect.poll(() => reader.currentRun(second.runId)).toMatchObject({ status: "passed" });
      const run = (await reader.currentRun(second.runId))!;
      const spans = await reader.spansOfRun(run.trace_id);
      expect(new Set(spans.map((span) => span.SpanId)).size).toBe(spans.length);
    } finally {
      await store.close();
      await fixture.close();
    }
  });

  it.each([
    [
      "a wrong password",
      { clickhousePassword: "no" },
      /does not accept user svc; check RUNPROOF_CLICKHOUSE_SERVER_USER/,
    ],
    [
      "a database that is not there",
      { clickhouseDatabase: "nowhere" },
      /has no database nowhere; CREATE DATABASE nowhere/,
    ],
    [
      "missing rights",
      { clickhouseUser: "poor", clickhousePassword: "pw", clickhouseDatabase: "bare" },
      /does not allow user poor .*`runproof store check`/,
    ],
    ["nobody there", { clickhouseUrl: "http://127.0.0.1:9" }, /http:\/\/127\.0\.0\.1:9 cannot be reached/],
  ])("says at its start what is wrong: %s", async (_what, wrong, message) => {
    const fixture = await createServiceFixture(settings(wrong));
    try {
      const error = await fixture.start().catch((reason: unknown) => reason);
      expect(String(error)).toMatch(message);
      expect(String(error)).not.toContain(svc.password);
    } finally {
      await fixture.close();
    }
  });
});

describe("a server behind TLS", () => {
  let front: Server;
  const authority = createTestAuthority();
  beforeAll(async () => {
    const { cert, key } = authority.issue("localhost", "IP:127.0.0.1");
    front = createServer({ cert, key }, (incoming, outgoing) => {
      const { method, headers, url } = incoming;
      const forwarded = request(
        { host: "127.0.0.1", port: server.ports.http, method, headers, path: url },
        (response) => {
          outgoing.writeHead(response.statusCode ?? 500, response.headers);
          response.pipe(outgoing);
        },
      );
      incoming.pipe(forwarded);
    });
    await new Promise<void>((resolve) => front.listen(0, "127.0.0.1", resolve));
  });
  afterAll(() => {
    front.close();
    front.closeAllConnections();
    authority[Symbol.dispose]();
  });

  const url = () => `https://127.0.0.1:${(front.address() as AddressInfo).port}`;

  it("is used with its authority, for every kind of insert and for reads", async () => {
    const options = { url: url(), ...svc, ca: authority.ca };
    const store = createStore(options);
    await store.migrate();
    await store.verifySchema();
    await store.insertSpans([spanRow({ TraceId: "a".repeat(32) })]);
    await store.insertRuns([runRow({ run_id: "tls" })]);
    // One column of type String with one row.
    const text = (value: string) => [value.length, ...Buffer.from(value)];
    const block = Buffer.from([1, 1, ...text("TraceId"), ...text("String"), ...text("b".repeat(32))]);
    await insertNative({ ...options, table: "otel_traces", columns: ["TraceId"], token: "tls-1" }, [block]);
    const reader = createRunReader(store);
    expect(await reader.currentRun("tls")).toBeDefined();
    expect(
      await store.query("SELECT TraceId FROM otel_traces WHERE TraceId IN ({ids:Array(String)})", {
        ids: ["b".repeat(32)],
      }),
    ).toHaveLength(1);
    await store.close();
  });

  it("is not trusted without it", async () => {
    const store = createStore({ url: url(), ...svc });
    await expect(store.migrate()).rejects.toMatchObject({ code: "unreachable" });
    await store.close();
  });
});
