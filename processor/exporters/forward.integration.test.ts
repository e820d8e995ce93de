import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createAuthenticator } from "../auth/authenticator.ts";
import { tokenSha256 } from "../auth/tokens.ts";
import { encodeLogsJson, encodeTracesJson } from "../otlp/testing/encode-json.ts";
import { encodeLogsProtobuf, encodeTracesProtobuf } from "../otlp/testing/encode-protobuf.ts";
import { stampProject } from "../receivers/stamp-project.ts";
import { readTlsFiles } from "../receivers/receiver-tls.ts";
import { createTestAuthority } from "../receivers/testing/certificates.ts";
import { ForwardLoopError } from "./forward.ts";
import { logRows, logsNamed, largeTrace, spanRows, tracesNamed } from "./testing/bodies.ts";
import { createDownstream, type Downstream } from "./testing/downstream.ts";
import { type ForwardingCollector, type ForwardingSettings, startForwarding } from "./testing/forwarding-collector.ts";

const PROTOCOLS = ["http/protobuf", "grpc"] as const;
type Protocol = (typeof PROTOCOLS)[number];
const WITHIN = { timeout: 60_000, interval: 20 };

let directory: string;
const cleanUps: (() => Promise<unknown>)[] = [];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "runproof-forward-"));
});
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
  await rm(directory, { recursive: true, force: true });
});

async function downstreamOf(...args: Parameters<typeof createDownstream>): Promise<Downstream> {
  const downstream = await createDownstream(...args);
  cleanUps.push(() => downstream.stop());
  return downstream;
}

async function collector(
  protocol: Protocol,
  endpoint: string,
  settings: Partial<ForwardingSettings> = {},
): Promise<ForwardingCollector> {
  const config = { forwardProtocol: protocol, ...settings.config };
  const started = await startForwarding({ directory, endpoint, ...settings, config });
  cleanUps.push(() => started.shutdown());
  return started;
}

const namesOf = (downstream: Downstream): string[] => downstream.traces.rows.map(({ SpanName }) => SpanName);
const numbered = (count: number, prefix = "s"): string[] => Array.from({ length: count }, (_, at) => `${prefix}${at}`);

async function send(to: ForwardingCollector, names: readonly string[]): Promise<void> {
  for (const name of names) {
    expect(await to.post("traces", "protobuf", encodeTracesProtobuf(tracesNamed(name)))).toBe(200);
  }
}

describe.each(PROTOCOLS)("forwarding over %s", (protocol) => {
  it("passes everything on once, field by field, whatever it came as", async () => {
    const downstream = await downstreamOf(protocol);
    const from = await collector(protocol, downstream.endpoint);
    const [a, b] = [tracesNamed("a", "b"), tracesNamed("c")];
    const [c, d] = [logsNamed("d"), logsNamed("e", "f")];
    await from.post("traces", "protobuf", encodeTracesProtobuf(a));
    await from.post("traces", "json", encodeTracesJson(b));
    await from.post("logs", "protobuf", encodeLogsProtobuf(c));
    await from.post("logs", "json", encodeLogsJson(d));
    await vi.waitFor(() => expect(from.forward.stats().backlog.bodies.bytes).toBe(0), WITHIN);
    const byName = (x: { SpanName: string }, y: { SpanName: string }): number => (x.SpanName < y.SpanName ? -1 : 1);
    expect(downstream.traces.rows.toSorted(byName)).toEqual([...spanRows(a), ...spanRows(b)]);
    expect(downstream.logs.rows.toSorted((x, y) => (x.EventName < y.EventName ? -1 : 1))).toEqual([
      ...logRows(c),
      ...logRows(d),
    ]);
    const { traces, logs, lastError } = from.forward.stats();
    expect([traces.sent.records, traces.sent.bodies, logs.sent.records, lastError]).toEqual([3, 2, 3, undefined]);
  });

  it("catches up by itself when the other side was away, and loses nothing", async () => {
    const downstream = await downstreamOf(protocol);
    const from = await collector(protocol, downstream.endpoint);
    await send(from, ["before"]);
    await vi.waitFor(() => expect(namesOf(downstream)).toEqual(["before"]), WITHIN);
    await downstream.stop();
    await send(from, numbered(30));
    await vi.waitFor(() => expect(from.forward.stats().traces.retries).toBeGreaterThan(1), WITHIN);
    expect(from.forward.stats()).toMatchObject({ lastError: expect.anything(), traces: { sent: { records: 1 } } });
    expect(from.forward.stats().backlog.bodies.bytes).toBeGreaterThan(1_000);
    await downstream.start();
    await vi.waitFor(() => expect(from.forward.stats().backlog.bodies.bytes).toBe(0), WITHIN);
    expect(new Set(namesOf(downstream))).toEqual(new Set(["before", ...numbered(30)]));
    expect(from.forward.stats().traces).toMatchObject({ sent: { records: 31, bodies: 31 }, lost: {} });
  });

  it("goes on after a restart with what was not sent", async () => {
    const downstream = await downstreamOf(protocol);
    await downstream.stop();
    const first = await collector(protocol, downstream.endpoint, { shutdownTimeoutMillis: 500 });
    await send(first, numbered(20));
    await first.forward.forwardLogRows(logRows(logsNamed("verdict")));
    await first.shutdown();
    expect(first.forward.stats().traces).toMatchObject({ sent: { records: 0 }, lost: {} });
    await downstream.start();
    await collector(protocol, downstream.endpoint);
    await vi.waitFor(() => expect(new Set(namesOf(downstream))).toEqual(new Set(numbered(20))), WITHIN);
    await vi.waitFor(() => expect(downstream.logs.rows.map(({ EventName }) => EventName)).toEqual(["verdict"]), WITHIN);
  });

  it("sends what waits before it stops", async () => {
    const downstream = await downstreamOf(protocol);
    const from = await collector(protocol, downstream.endpoint, { lingerMillis: 2_000 });
    await send(from, numbered(5));
    await from.shutdown();
    expect(new Set(namesOf(downstream))).toEqual(new Set(numbered(5)));
  });

  it("gives up the oldest beyond the bound and counts it to the record", async () => {
    const downstream = await downstreamOf(protocol);
    await downstream.stop();
    const settings = { config: { forwardMaxBytes: 1_048_576 }, batchBytes: 100_000 };
    const from = await collector(protocol, downstream.endpoint, settings);
    const names = numbered(60);
    for (const name of names) expect(await from.post("traces", "protobuf", largeTrace(name, 50_000))).toBe(200);
    const lost = () => from.forward.stats().traces.lost["backlog_full"]?.records ?? 0;
    // Two requests under way come on top.
    const most = 1_048_576 + 250_000;
    await vi.waitFor(() => expect(from.forward.stats().backlog.bodies.bytes).toBeLessThan(most), WITHIN);
    expect(lost()).toBeGreaterThanOrEqual(34);
    await downstream.start();
    await vi.waitFor(() => expect(from.forward.stats().backlog.bodies.bytes).toBe(0), WITHIN);
    const { sent } = from.forward.stats().traces;
    expect([sent.records + lost(), sent.bodies]).toEqual([60, sent.records]);
    expect(sent.records).toBeGreaterThan(15);
    expect(namesOf(downstream)).toHaveLength(sent.records);
    // The newest are there; of the older, only what was under way when room was made.
    expect(namesOf(downstream)).toEqual(expect.arrayContaining(names.slice(-15)));
  });

  it("marks what a project's credential sent, whatever the sender claimed", async () => {
    const downstream = await downstreamOf(protocol);
    const token = { sha256: tokenSha256("secret-of-the-shop"), project: "shop", scopes: ["write" as const] };
    const guards = { authenticator: createAuthenticator({ tokens: [token] }) };
    const from = await collector(protocol, downstream.endpoint, { guards });
    const model = tracesNamed("a");
    model.resourceSpans[0]!.resource.attributes.push({
      key: "runproof.project",
      value: { type: "stringValue", value: "bank" },
    });
    await from.post("traces", "protobuf", encodeTracesProtobuf(model), "secret-of-the-shop");
    await from.post("traces", "json", encodeTracesJson(model), "secret-of-the-shop");
    await vi.waitFor(() => expect(downstream.traces.rows).toHaveLength(2), WITHIN);
    const expected = spanRows(model);
    stampProject(expected, "shop");
    expect(downstream.traces.rows).toEqual([...expected, ...expected]);
  });

  it("proves itself to the other side with headers over TLS", async () => {
    using authority = createTestAuthority();
    const tls = await readTlsFiles(authority.issue("collector", "IP:127.0.0.1"));
    const token = { sha256: tokenSha256("token-of-the-backend"), project: "backend", scopes: ["write" as const] };
    const authenticator = createAuthenticator({ tokens: [token] });
    const downstream = await downstreamOf(protocol, { tls, authenticator });
    const trusting = { ca: [authority.ca.toString()] };
    const forwardHeaders = { authorization: "Bearer token-of-the-backend" };
    const from = await collector(protocol, downstream.endpoint, { ...trusting, config: { forwardHeaders } });
    await send(from, ["a"]);
    await vi.waitFor(() => expect(from.forward.stats().lastError ?? namesOf(downstream)).toEqual(["a"]), WITHIN);
    const forged = { config: { forwardHeaders: { authorization: "Bearer hunter2hunter2" } } };
    const other = join(directory, "other");
    const refused = await collector(protocol, downstream.endpoint, { ...trusting, ...forged, directory: other });
    await send(refused, ["b"]);
    await vi.waitFor(() => expect(refused.forward.stats().backlog.bodies.bytes).toBe(0), WITHIN);
    const reason = protocol === "grpc" ? "grpc_unauthenticated" : "http_401";
    expect(refused.forward.stats().traces.lost).toMatchObject({ [reason]: { records: 1 } });
    expect(JSON.stringify(refused.forward.stats())).not.toContain("hunter2");
    const misplaced = await readTlsFiles(authority.issue("collector", "IP:10.1.2.3,DNS:address.invalid"));
    const elsewhere = await downstreamOf(protocol, { tls: misplaced, authenticator });
    const config = { forwardHeaders };
    const fooled = await collector(protocol, elsewhere.endpoint, {
      ...trusting,
      config,
      directory: join(directory, "4"),
    });
    await send(fooled, ["d"]);
    await vi.waitFor(() => expect(fooled.forward.stats().traces.retries).toBeGreaterThan(0), WITHIN);
    expect(namesOf(elsewhere)).toEqual([]);
    const suspicious = await collector(protocol, downstream.endpoint, { directory: join(directory, "third") });
    await send(suspicious, ["c"]);
    await vi.waitFor(() => expect(suspicious.forward.stats().traces.retries).toBeGreaterThan(0), WITHIN);
    expect(namesOf(downstream)).toEqual(["a"]);
  });

  it("carries verdict events with their score as a number", async () => {
    const downstream = await downstreamOf(protocol);
    const from = await collector(protocol, downstream.endpoint);
    const [row] = logRows(logsNamed("gen_ai.evaluation.result"));
    const event = { ...row!, LogAttributes: { "gen_ai.evaluation.score.value": "0.5", "runproof.run.id": "r1" } };
    await from.forward.forwardLogRows([event]);
    await vi.waitFor(() => expect(downstream.logs.rows).toHaveLength(1), WITHIN);
    expect({ ...downstream.logs.rows[0] }).toEqual(event);
    await vi.waitFor(() => expect(from.forward.stats().logs.sent.records).toBe(1), WITHIN);
  });

  it("counts what the other side takes only in part", async () => {
    const downstream = await downstreamOf(protocol);
    downstream.traces.answer = () => ({ status: "partial", rejected: 2, message: "two are bad" });
    const from = await collector(protocol, downstream.endpoint);
    await from.post("traces", "protobuf", encodeTracesProtobuf(tracesNamed("a", "b", "c")));
    await vi.waitFor(() => expect(from.forward.stats().traces.rejected).toBe(2), WITHIN);
    expect(from.forward.stats().lastError?.message).toContain("two are bad");
  });

  it("waits as long as it is asked to", async () => {
    const downstream = await downstreamOf(protocol);
    const times: number[] = [];
    downstream.traces.answer = () => {
      times.push(Date.now());
      return times.length > 1
        ? { status: "accepted" }
        : { status: "retryable", message: "later", retryAfterSeconds: 2 };
    };
    const from = await collector(protocol, downstream.endpoint);
    await send(from, ["a"]);
    await vi.waitFor(() => expect(namesOf(downstream)).toEqual(["a"]), WITHIN);
    expect(times[1]! - times[0]!).toBeGreaterThanOrEqual(1_990);
  });

  it("drops the body that is refused and no other of its request", async () => {
    const downstream = await downstreamOf(protocol);
    await downstream.stop();
    const from = await collector(protocol, downstream.endpoint);
    const names = [...numbered(5), "poison", ...numbered(5, "t")];
    await send(from, names);
    let accepted = 0;
    downstream.traces.answer = () => ({ status: "accepted" });
    const { consume } = downstream.traces;
    downstream.traces.consume = async (rows) => {
      if (rows.some(({ SpanName }) => SpanName === "poison")) return { status: "permanent", message: "not this one" };
      accepted += rows.length;
      return consume(rows);
    };
    await downstream.start();
    await vi.waitFor(() => expect(from.forward.stats().backlog.bodies.bytes).toBe(0), WITHIN);
    expect(accepted).toBe(10);
    expect(namesOf(downstream).toSorted()).toEqual(names.filter((name) => name !== "poison").toSorted());
    const reason = protocol === "grpc" ? "grpc_invalid_argument" : "http_400";
    expect(from.forward.stats().traces.lost).toMatchObject({ [reason]: { records: 1, bodies: 1 } });
  });

  it("sends a body that is larger than a request alone", async () => {
    const downstream = await downstreamOf(protocol);
    const from = await collector(protocol, downstream.endpoint, { batchBytes: 10_000 });
    await from.post("traces", "protobuf", largeTrace("large", 6_000_000));
    await send(from, ["small"]);
    await vi.waitFor(() => expect(namesOf(downstream).toSorted()).toEqual(["large", "small"]), WITHIN);
  });
});

describe("forwarding", () => {
  it("refuses to send to itself", async () => {
    const listeners = [{ host: "127.0.0.1", port: 4318 }];
    const start = collector("http/protobuf", "http://localhost:4318", { listeners });
    await expect(start).rejects.toThrow(ForwardLoopError);
  });
});
