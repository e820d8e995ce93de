import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { createServer as createHttp2Server, type ServerHttp2Stream } from "node:http2";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { gunzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { decodeTracesProtobuf } from "../otlp/index.ts";
import { encodeTracesProtobuf } from "../otlp/testing/encode-protobuf.ts";
import { largeTrace, tracesNamed } from "./testing/bodies.ts";
import { createOddServer, type OddServer } from "./testing/downstream.ts";
import { type ForwardingCollector, type ForwardingSettings, startForwarding } from "./testing/forwarding-collector.ts";

const WITHIN = { timeout: 60_000, interval: 20 };
const MIB = 1024 * 1024;

let directory: string;
const cleanUps: (() => Promise<unknown>)[] = [];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "runproof-forward-"));
});
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
  await rm(directory, { recursive: true, force: true });
});

async function collector(endpoint: string, settings: Partial<ForwardingSettings> = {}): Promise<ForwardingCollector> {
  const config = { forwardTimeoutSeconds: 0.5, ...settings.config };
  const started = await startForwarding({ directory, endpoint, ...settings, config });
  cleanUps.push(() => started.shutdown());
  return started;
}

async function oddServer(...args: Parameters<typeof createOddServer>): Promise<OddServer> {
  const server = await createOddServer(...args);
  cleanUps.push(() => server.close());
  return server;
}

/** Any TCP server. */
async function tcpServer(onSocket: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on("error", () => {}));
    onSocket(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanUps.push(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as { port: number }).port}`;
}

const send = async (to: ForwardingCollector, ...names: readonly string[]): Promise<void> => {
  for (const name of names) await to.post("traces", "protobuf", encodeTracesProtobuf(tracesNamed(name)));
};

const drained = (from: ForwardingCollector): Promise<void> =>
  vi.waitFor(() => expect(from.forward.stats().backlog.bodies.bytes).toBe(0), WITHIN);

/** Writes for as long as somebody reads, up to a GiB; tells how much was taken. */
async function pour(response: { write(piece: Buffer): boolean; destroyed: boolean } & NodeJS.EventEmitter) {
  const piece = Buffer.alloc(MIB, 0x61);
  let taken = 0;
  response.on("error", () => {});
  while (!response.destroyed && taken < 1024) {
    taken++;
    if (!response.write(piece)) await Promise.race([once(response, "drain"), once(response, "close")]).catch(() => {});
  }
  return taken;
}

describe("a server over HTTP", () => {
  it("that answers a GiB is read to 4 MiB, whatever its status", async () => {
    const taken: number[] = [];
    let status = 503;
    const server = await oddServer((request, response: ServerResponse) => {
      request.resume();
      response.writeHead(status);
      status = 200;
      void pour(response).then((mebibytes) => taken.push(mebibytes));
    });
    const from = await collector(server.endpoint, { config: { forwardTimeoutSeconds: 10 } });
    await send(from, "a");
    await drained(from);
    await vi.waitFor(() => expect(taken).toHaveLength(2), WITHIN);
    // The rest fills buffers of the connection.
    expect(Math.max(...taken)).toBeLessThan(32);
    expect(from.forward.stats().traces).toMatchObject({ sent: { records: 1 }, retries: 1 });
  });

  it("that never answers costs one timeout an attempt, and a stop does not wait for it", async () => {
    const server = await oddServer((request) => request.resume());
    const from = await collector(server.endpoint, {
      shutdownTimeoutMillis: 200,
      config: { forwardTimeoutSeconds: 60 },
    });
    await send(from, "a");
    await vi.waitFor(() => expect(server.requests).toBe(1), WITHIN);
    const begin = Date.now();
    await from.shutdown();
    expect(Date.now() - begin).toBeLessThan(30_000);
    server.answer = (request, response) => request.resume().on("end", () => response.end());
    const again = await collector(server.endpoint);
    await drained(again);
    expect(again.forward.stats().traces.sent.records).toBe(1);
  });

  it("that answers slower than anybody waits is given up", async () => {
    const server = await oddServer(async (request, response) => {
      request.resume();
      response.writeHead(200, { "content-type": "application/x-protobuf" });
      for (let at = 0; at < 100 && !response.destroyed; at++) {
        response.write("x");
        await sleep(100);
      }
    });
    const from = await collector(server.endpoint);
    await send(from, "a");
    await vi.waitFor(() => expect(from.forward.stats().traces.retries).toBeGreaterThan(1), WITHIN);
    expect(from.forward.stats().lastError?.message).toBe("no answer in time");
    server.answer = (request, response) => request.resume().on("end", () => response.end());
    await drained(from);
  });

  it.each([
    ["speaks something else", (socket: Socket) => socket.end("SSH-2.0-OpenSSH_9.9\r\n")],
    ["hangs up", (socket: Socket) => socket.destroy()],
    ["says nothing", (socket: Socket) => socket.resume()],
    ["has no end of headers", (socket: Socket) => socket.write(`HTTP/1.1 200 OK\r\n${"x: y\r\n".repeat(50_000)}`)],
  ])("that %s is tried again", async (_, onSocket) => {
    const endpoint = await tcpServer((socket) => socket.once("data", () => onSocket(socket)));
    const from = await collector(endpoint);
    await send(from, "a");
    await vi.waitFor(() => expect(from.forward.stats().traces.retries).toBeGreaterThan(2), WITHIN);
    expect(from.forward.stats()).toMatchObject({ traces: { sent: { records: 0 }, lost: {} } });
    expect(from.forward.stats().backlog.bodies.bytes).toBeGreaterThan(0);
  });

  it("that asks for an hour does not keep the backlog over its bound", async () => {
    const server = await oddServer((request, response) => {
      request.resume().on("end", () => response.writeHead(503, { "retry-after": "3600" }).end());
    });
    const config = { forwardMaxBytes: 1_048_576 };
    const from = await collector(server.endpoint, { config, batchBytes: 100_000 });
    for (let at = 0; at < 40; at++) await from.post("traces", "protobuf", largeTrace(`s${at}`, 50_000));
    await vi.waitFor(() => expect(from.forward.stats().backlog.bodies.bytes).toBeLessThan(1_400_000), WITHIN);
    expect(from.forward.stats().traces.lost).toMatchObject({ backlog_full: { records: expect.any(Number) } });
  });

  it("that leads elsewhere is not followed", async () => {
    const elsewhere = await oddServer((_, response) => response.end());
    const server = await oddServer((request, response) => {
      request.resume();
      response.writeHead(307, { location: `${elsewhere.endpoint}/v1/traces` }).end();
    });
    const from = await collector(server.endpoint);
    await send(from, "a");
    await drained(from);
    expect(from.forward.stats().traces.lost).toMatchObject({ http_307: { records: 1 } });
    expect(elsewhere.requests).toBe(0);
  });

  it("that refuses a request for another reason than its content is not asked again for each part", async () => {
    const server = await oddServer(
      (request, response) => void request.resume().on("end", () => response.writeHead(404).end()),
    );
    const from = await collector(server.endpoint, { lingerMillis: 300, concurrency: 1 });
    await send(from, "a", "b", "c", "d");
    await drained(from);
    expect(from.forward.stats().traces.lost).toMatchObject({ http_404: { records: 4, bodies: 4 } });
    expect(server.requests).toBeLessThan(4);
  });

  it("that is taken only so much at a time gets smaller requests", async () => {
    const names: string[] = [];
    const server = await oddServer(async (request, response) => {
      const chunks: Buffer[] = await request.toArray();
      const spans = decodeTracesProtobuf(gunzipSync(Buffer.concat(chunks))).resourceSpans.flatMap(({ scopeSpans }) =>
        scopeSpans.flatMap((scope) => scope.spans.map(({ name }) => name)),
      );
      if (spans.length > 2) return response.writeHead(413).end();
      names.push(...spans);
      return response.end();
    });
    const from = await collector(server.endpoint, { lingerMillis: 300, concurrency: 1 });
    const all = Array.from({ length: 9 }, (_, at) => `s${at}`);
    await send(from, ...all);
    await drained(from);
    expect(names.toSorted()).toEqual(all);
    expect(from.forward.stats().traces).toMatchObject({ sent: { records: 9 }, lost: {} });
  });
});

describe("a server over gRPC", () => {
  const grpc = { forwardProtocol: "grpc" as const };

  it.each([
    ["speaks something else", (socket: Socket) => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")],
    ["hangs up", (socket: Socket) => socket.destroy()],
    ["says nothing", (socket: Socket) => socket.resume()],
  ])("that %s is tried again", async (_, onSocket) => {
    const endpoint = await tcpServer((socket) => socket.once("data", () => onSocket(socket)));
    const from = await collector(endpoint, { config: grpc });
    await send(from, "a");
    await vi.waitFor(() => expect(from.forward.stats().traces.retries).toBeGreaterThan(2), WITHIN);
    expect(from.forward.stats()).toMatchObject({ traces: { sent: { records: 0 }, lost: {} } });
  });

  it("that answers a GiB is not read", async () => {
    const taken: number[] = [];
    const server = createHttp2Server();
    server.on("stream", (stream: ServerHttp2Stream) => {
      stream.resume();
      stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
      stream.write(Buffer.from([0, 0x40, 0, 0, 0]));
      void pour(stream).then((mebibytes) => taken.push(mebibytes));
    });
    const sessions = new Set<{ destroy(): void }>();
    server.on("session", (session) => void sessions.add(session));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    cleanUps.push(async () => {
      for (const session of sessions) session.destroy();
      await new Promise((resolve) => server.close(resolve));
    });
    const { port } = server.address() as { port: number };
    const from = await collector(`http://127.0.0.1:${port}`, { config: { ...grpc, forwardTimeoutSeconds: 10 } });
    await send(from, "a");
    await drained(from);
    await vi.waitFor(() => expect(taken).not.toEqual([]), WITHIN);
    expect(Math.max(...taken)).toBeLessThan(32);
    expect(from.forward.stats().traces.lost).toMatchObject({ grpc_resource_exhausted: { records: 1 } });
  });
});
