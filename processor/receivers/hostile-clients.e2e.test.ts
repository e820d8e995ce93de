import { once } from "node:events";
import { connect, type Socket } from "node:net";
import type { ClientHttp2Session, ClientHttp2Stream } from "node:http2";
import { status } from "@grpc/grpc-js";
import { afterEach, describe, expect, it } from "vitest";
import { encodeTracesProtobuf } from "../otlp/testing/encode-protobuf.ts";
import { span, traces } from "../otlp/testing/model-builders.ts";
import {
  deepJson,
  deepProtobuf,
  doubleGzip,
  gzipBomb,
  longKey,
  manyAttributes,
  manyJsonAttributes,
} from "./testing/bombs.ts";
import {
  codeOf,
  type HostileBody,
  openStream,
  overGrpc,
  overHttp,
  prefixOf,
  type Sent,
} from "./testing/hostile-senders.ts";
import { openSession as connectSession, type Wire } from "./testing/hostile-senders.ts";
import { type ReceiverProcessOptions, type RunningReceivers, startReceivers } from "./testing/running-receivers.ts";

/**
 * Both receivers in a process of their own, under clients that mean it no good (spec F, test 10). Times are for
 * `bench/bombs.ts`: here a busy machine must not matter, so work and memory are bounded, work as a guard only.
 */

const MIB = 1024 ** 2;
/** CPU time of a receiver that has fallen for a bomb; the bombs take a tenth of it at most. */
const GUARD_CPU_MILLIS = 5_000;
const oneSpan: HostileBody = { bytes: encodeTracesProtobuf(traces([span()])), gzip: false };

const started: RunningReceivers[] = [];
const sockets: Socket[] = [];
const sessions: ClientHttp2Session[] = [];

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const session of sessions.splice(0)) session.destroy();
  for (const running of started.splice(0)) await running.stop();
});

async function start(options: ReceiverProcessOptions = {}): Promise<RunningReceivers> {
  const running = await startReceivers(options);
  started.push(running);
  return running;
}

function openSession(port: number): ClientHttp2Session {
  const session = connectSession(port);
  sessions.push(session);
  return session;
}

const send = (running: RunningReceivers, wire: Wire, body: HostileBody): Promise<Sent> =>
  wire === "gRPC" ? overGrpc(running.grpcPort, body) : overHttp(running.httpPort, body);

const OK = [200, status.OK];
const BAD = [400, status.INVALID_ARGUMENT];
const TOO_LARGE = [413, status.RESOURCE_EXHAUSTED];

const TOO_MANY = TOO_LARGE;

interface Bomb extends Omit<HostileBody, "bytes"> {
  readonly name: string;
  readonly make: () => Promise<Uint8Array> | Uint8Array;
  /** By wire. JSON comes over HTTP alone. */
  readonly codes: readonly number[];
}

describe("a bomb is answered and costs little", () => {
  // Attributes and keys over the limits are cut and counted, not refused: their span is stored with the loss named.
  const bombs: Bomb[] = [
    { name: "1 MiB of gzip that inflates to 1 GiB", make: () => gzipBomb(), gzip: true, codes: TOO_LARGE },
    { name: "4 MiB of gzip that inflates to 4 GiB", make: () => gzipBomb(4), gzip: true, codes: TOO_LARGE },
    { name: "gzip in gzip", make: doubleGzip, gzip: true, codes: BAD },
    { name: "JSON nested 5,000,000 deep", make: deepJson, gzip: false, json: true, codes: [400] },
    { name: "protobuf nested 100,000 deep", make: deepProtobuf, gzip: false, codes: BAD },
    { name: "1,000,000 attributes", make: manyAttributes, gzip: false, codes: OK },
    { name: "1,000,000 attributes of JSON", make: manyJsonAttributes, gzip: false, json: true, codes: [TOO_MANY[0]!] },
    { name: "a key of 32 MiB", make: longKey, gzip: false, codes: OK },
  ];
  const cases = bombs.flatMap((bomb) =>
    bomb.codes.flatMap((code, at) =>
      // What makes rows at once is the same behind both wires.
      (at === 0 ? (["bodies", "rows"] as const) : (["bodies"] as const)).map(
        (sink) => ({ ...bomb, code, sink, wire: at === 0 ? "HTTP" : "gRPC" }) as const,
      ),
    ),
  );

  it.each(cases)("$name over $wire, taken as $sink", async ({ make, code, wire, sink, gzip, json = false }) => {
    const running = await start({ sink });
    const bytes = await make();
    await send(running, wire, oneSpan);
    const before = await running.reset();
    expect((await send(running, wire, { bytes, gzip, json })).code).toBe(code);
    const after = await running.figures();
    expect(after.cpuMillis - before.cpuMillis).toBeLessThan(GUARD_CPU_MILLIS);
    expect((after.peakBytes - before.peakBytes) / MIB).toBeLessThan(sink === "bodies" ? 64 + bytes.length / MIB : 160);
    expect(after).toMatchObject({ defects: 0, budgetBytes: 0 });
    expect((await send(running, wire, oneSpan)).code).toBe(wire === "gRPC" ? status.OK : 200);
  });
});

describe("200 slow clients", () => {
  async function holdOpen(port: number, head: string | undefined): Promise<Promise<unknown>[]> {
    return Promise.all(
      Array.from({ length: 200 }, async () => {
        const socket = connect(port, "127.0.0.1").resume();
        socket.on("error", () => {});
        sockets.push(socket);
        await once(socket, "connect");
        if (head !== undefined) socket.write(head);
        return Promise.resolve({ closed: once(socket, "close") });
      }),
    ).then((all) => all.map(({ closed }) => closed));
  }

  it.each([
    ["HTTP headers that do not end", "HTTP" as const, "POST /v1/traces HTTP/1.1\r\nHost: x\r\nX-Slow: "],
    [
      "HTTP bodies that do not end",
      "HTTP" as const,
      "POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n{",
    ],
    ["HTTP/2 connections that say nothing", "gRPC" as const, undefined],
    ["half an HTTP/2 preface", "gRPC" as const, "PRI * HTTP/2.0\r\n"],
  ])("with %s are disconnected, and a normal client does not notice", async (_name, wire, head) => {
    const running = await start({ limits: { headersTimeoutMillis: 1_000, requestTimeoutMillis: 1_500 } });
    const before = await running.figures();
    const closed = await holdOpen(wire === "gRPC" ? running.grpcPort : running.httpPort, head);
    for (let count = 0; count < 50; count++) {
      const sent = await send(running, wire, oneSpan);
      expect(sent.code).toBe(wire === "gRPC" ? status.OK : 200);
    }
    await Promise.all(closed);
    await expect.poll(async () => (await running.figures()).budgetBytes).toBe(0);
    const after = await running.figures();
    expect((after.peakBytes - before.peakBytes) / MIB).toBeLessThan(64);
    expect(after.defects).toBe(0);
  });
});

describe("more slow clients than there are places", () => {
  it.each([
    ["HTTP", "POST /v1/traces HTTP/1.1\r\nHost: x\r\nX-Slow: "],
    ["gRPC", "PRI * HTTP/2.0\r\n"],
  ] as const)("over %s do not lock out a normal one", async (wire, head) => {
    const running = await start({ limits: { maxConnections: 50 } });
    const port = wire === "gRPC" ? running.grpcPort : running.httpPort;
    for (let count = 0; count < 100; count++) {
      const socket = connect(port, "127.0.0.1")
        .on("error", () => {})
        .resume();
      sockets.push(socket);
      socket.write(head);
    }
    const sendOnce = () =>
      send(running, wire, oneSpan).then(
        ({ code }) => code,
        () => "refused",
      );
    // A place is held by those who say nothing for about a second.
    await expect.poll(sendOnce, { interval: 100 }).toBe(wire === "gRPC" ? status.OK : 200);
  });
});

describe("10,000 gRPC streams at once", () => {
  /** Opening them takes a busy machine longer than a client is given. */
  const PATIENT = { headersTimeoutMillis: 120_000, requestTimeoutMillis: 120_000 };
  const CONNECTIONS = 100;
  const STREAMS = 100;

  async function openStreams(port: number): Promise<{ stream: ClientHttp2Stream; code: Promise<number> }[]> {
    const opened = Array.from({ length: CONNECTIONS }, () => openSession(port));
    await Promise.all(opened.map((session) => once(session, "connect")));
    return opened.flatMap((session) =>
      Array.from({ length: STREAMS }, () => {
        const stream = openStream(session);
        const code = codeOf(stream);
        // The message is announced and does not come yet.
        stream.write(prefixOf(oneSpan.bytes.length, false));
        return { stream, code };
      }),
    );
  }

  it("are held in bounded memory and all served", async () => {
    const running = await start({ limits: PATIENT });
    const before = await running.figures();
    const streams = await openStreams(running.grpcPort);
    await expect.poll(async () => (await running.figures()).budgetBytes).toBe(10_000 * 16 * 1024);
    for (const { stream } of streams) stream.end(oneSpan.bytes);
    const codes = await Promise.all(streams.map(({ code }) => code));
    expect(codes.filter((code) => code === status.OK)).toHaveLength(10_000);
    const after = await running.figures();
    expect(after).toMatchObject({ records: 10_000, defects: 0, budgetBytes: 0 });
    expect((after.peakBytes - before.peakBytes) / MIB).toBeLessThan(256);
  });

  it("are refused with UNAVAILABLE where the budget ends", async () => {
    const running = await start({ limits: { ...PATIENT, maxBytesInMemory: 16 * MIB } });
    const streams = await openStreams(running.grpcPort);
    const places = (16 * MIB) / (16 * 1024);
    let answered = 0;
    for (const { code } of streams) void code.then(() => answered++);
    await expect.poll(() => answered).toBe(10_000 - places);
    for (const { stream } of streams) stream.end(oneSpan.bytes);
    const codes = await Promise.all(streams.map(({ code }) => code));
    const served = codes.filter((code) => code === status.OK).length;
    expect(codes.filter((code) => code === status.UNAVAILABLE)).toHaveLength(10_000 - served);
    // The messages of those that hold a place need room too, so the first of them may find none.
    expect(served).toBeGreaterThan(places * 0.9);
    expect(served).toBeLessThanOrEqual(places);
    expect(await running.figures()).toMatchObject({ records: served, defects: 0, budgetBytes: 0 });
  });

  it("more than 100 on one connection wait at the client", async () => {
    const running = await start({ limits: PATIENT });
    const session = openSession(running.grpcPort);
    await once(session, "remoteSettings");
    expect(session.remoteSettings.maxConcurrentStreams).toBe(100);
    const streams = Array.from({ length: 150 }, () => openStream(session));
    for (const stream of streams) stream.write(prefixOf(oneSpan.bytes.length, false));
    await expect.poll(async () => (await running.figures()).budgetBytes).toBe(100 * 16 * 1024);
    const codes = Promise.all(streams.map(codeOf));
    for (const stream of streams) stream.end(oneSpan.bytes);
    expect(new Set(await codes)).toEqual(new Set([status.OK]));
  });
});
