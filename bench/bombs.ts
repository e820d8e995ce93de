import { once } from "node:events";
import { connect } from "node:net";
import { parseArgs } from "node:util";

import { encodeTracesProtobuf } from "../processor/otlp/testing/encode-protobuf.ts";
import { span, traces } from "../processor/otlp/testing/model-builders.ts";
import * as bombs from "../processor/receivers/testing/bombs.ts";
import { codeOf, type HostileBody, openSession, openStream } from "../processor/receivers/testing/hostile-senders.ts";
import { overGrpc, overHttp, prefixOf, type Sent } from "../processor/receivers/testing/hostile-senders.ts";
import { type RunningReceivers, startReceivers } from "../processor/receivers/testing/running-receivers.ts";
import { print } from "./measure.ts";

/**
 * What hostile requests cost the receivers: time to the answer, CPU time and memory, and what a normal client notices.
 * Run: `node bench/bombs.ts [--rounds 5] [--only <part of a name>]`. Each line is a fresh process.
 */

const { values } = parseArgs({
  options: { rounds: { type: "string", default: "5" }, only: { type: "string", default: "" } },
});
const rounds = Number(values.rounds);
const MIB = 1024 ** 2;
const oneSpan: HostileBody = { bytes: encodeTracesProtobuf(traces([span()])), gzip: false };
const sleep = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis));
const quantile = (numbers: readonly number[], share: number): number =>
  numbers.toSorted((a, b) => a - b)[Math.min(numbers.length - 1, Math.floor(numbers.length * share))] ?? NaN;

/** Does its worst; the result is the last answer. */
type Attack = (running: RunningReceivers) => Promise<Sent>;

/** A normal client beside the attack: one request every 5 ms over a connection of each. */
async function clientBeside(running: RunningReceivers, until: Promise<unknown>): Promise<number[]> {
  const millis: number[] = [];
  let isOver = false;
  void until.finally(() => (isOver = true));
  do {
    // A request that gets no answer is shown as one that took for ever.
    const sent = await overHttp(running.httpPort, oneSpan).catch(() => undefined);
    millis.push(sent?.millis ?? Infinity);
    await sleep(5);
  } while (!isOver || millis.length < 20);
  return millis;
}

async function measureAttack(name: string, attack: Attack): Promise<void> {
  if (!name.includes(values.only)) return;
  const running = await startReceivers();
  try {
    for (let warm = 0; warm < 20; warm++) await overHttp(running.httpPort, oneSpan);
    await overGrpc(running.grpcPort, oneSpan);
    const quiet = await clientBeside(running, sleep(1_000));
    const before = await running.reset();
    const first = await attack(running);
    const { peakBytes } = await running.figures();
    const sent = [first];
    for (let round = 1; round < rounds; round++) sent.push(await attack(running));
    const after = await running.figures();
    const beside = await clientBeside(running, attack(running));
    const millis = sent.map((one) => one.millis);
    line([
      name,
      String(first.code),
      first.millis.toFixed(0),
      quantile(millis, 0).toFixed(0),
      quantile(millis, 0.5).toFixed(0),
      ((after.cpuMillis - before.cpuMillis) / rounds).toFixed(0),
      ((peakBytes - before.peakBytes) / MIB).toFixed(0),
      ((after.peakBytes - before.peakBytes) / MIB).toFixed(0),
      `${quantile(quiet, 0.99).toFixed(1)} -> ${quantile(beside, 0.99).toFixed(1)}`,
    ]);
  } finally {
    await running.stop();
  }
}

const WIDTHS = [38, 7, 8, 8, 9, 9, 10, 10, 18];
const line = (cells: readonly string[]): void =>
  print(cells.map((cell, at) => (at === 0 ? cell.padEnd(WIDTHS[0]!) : cell.padStart(WIDTHS[at]!))).join(""));

async function slowLoris({ httpPort }: RunningReceivers): Promise<Sent> {
  const sockets = Array.from({ length: 1_000 }, () =>
    connect(httpPort, "127.0.0.1")
      .on("error", () => {})
      .resume(),
  );
  // Those over the limit of connections are closed at once.
  await Promise.all(sockets.map((socket) => Promise.race([once(socket, "connect"), once(socket, "close")])));
  for (const socket of sockets) socket.write("POST /v1/traces HTTP/1.1\r\nHost: x\r\nX-Slow: ");
  await sleep(300);
  const held = sockets.filter((socket) => !socket.destroyed).length;
  for (const socket of sockets) socket.destroy();
  await sleep(50);
  return { code: held, millis: 0 };
}

async function manyStreams({ grpcPort }: RunningReceivers): Promise<Sent> {
  const sessions = Array.from({ length: 100 }, () => openSession(grpcPort));
  await Promise.all(sessions.map((session) => once(session, "connect")));
  const started = performance.now();
  const streams = sessions.flatMap((session) => Array.from({ length: 100 }, () => openStream(session)));
  const codes = streams.map(codeOf);
  for (const stream of streams) {
    stream.write(prefixOf(oneSpan.bytes.length, false));
    stream.end(oneSpan.bytes);
  }
  const counted = await Promise.all(codes);
  const millis = performance.now() - started;
  for (const session of sessions) session.destroy();
  return { code: counted.filter((code) => code === 0).length, millis };
}

line(["name, wire", "status", "1st ms", "best ms", "median", "CPU ms", "RSS 1st", "RSS MiB", "client p99 ms"]);
const bodies: [string, () => Promise<Uint8Array> | Uint8Array, Partial<HostileBody>][] = [
  ["gzip 1 MiB -> 1 GiB", () => bombs.gzipBomb(1), { gzip: true }],
  ["gzip 4 MiB -> 4 GiB", () => bombs.gzipBomb(4), { gzip: true }],
  ["gzip in gzip", bombs.doubleGzip, { gzip: true }],
  ["JSON depth 5,000,000", bombs.deepJson, { json: true }],
  ["protobuf depth 100,000", bombs.deepProtobuf, {}],
  ["1,000,000 attributes", bombs.manyAttributes, {}],
  ["1,000,000 attributes, JSON", bombs.manyJsonAttributes, { json: true }],
  ["1 key of 32 MiB", bombs.longKey, {}],
];
for (const [name, make, how] of bodies) {
  if (!name.includes(values.only)) continue;
  const body = { bytes: await make(), gzip: false, ...how };
  await measureAttack(`${name}, HTTP`, ({ httpPort }) => overHttp(httpPort, body));
  if (!body.json) await measureAttack(`${name}, gRPC`, ({ grpcPort }) => overGrpc(grpcPort, body));
}
await measureAttack("1,000 slow-loris, HTTP (status: held)", slowLoris);
await measureAttack("10,000 streams, gRPC (status: served)", manyStreams);
