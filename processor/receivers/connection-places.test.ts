import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { type ConnectionPlaces, limitConnections } from "./connection-places.ts";

/** Longer than a new connection is let alone. */
const PAST_GRACE_MILLIS = 1_100;
const sleep = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis));

let server: Server;
let places: ConnectionPlaces;
const clients: Socket[] = [];

async function start(maxConnections: number): Promise<void> {
  server = createServer((socket) => void socket.on("error", () => {}).resume());
  places = limitConnections(server, maxConnections);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
}

async function connectOne(): Promise<Socket> {
  const { port } = server.address() as { port: number };
  const socket = connect(port, "127.0.0.1").resume();
  socket.on("error", () => {});
  clients.push(socket);
  await once(socket, "connect");
  return socket;
}

afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await new Promise((resolve) => server.close(resolve));
});

describe("places for connections", () => {
  it("go to the new one when the oldest has been silent for long, and to the old ones before that", async () => {
    await start(2);
    const [first, second] = [await connectOne(), await connectOne()];
    const early = await connectOne();
    await once(early, "close");
    expect([first.destroyed, second.destroyed]).toEqual([false, false]);
    await sleep(PAST_GRACE_MILLIS);
    const late = await connectOne();
    await once(first, "close");
    expect([second.destroyed, late.destroyed]).toEqual([false, false]);
  });

  it("are kept by those that have sent a request", async () => {
    await start(2);
    const [speaking, silent] = [await connectOne(), await connectOne()];
    places.keep({ remoteAddress: "127.0.0.1", remotePort: speaking.localPort });
    await sleep(PAST_GRACE_MILLIS);
    const late = await connectOne();
    await once(silent, "close");
    expect([speaking.destroyed, late.destroyed]).toEqual([false, false]);
  });

  it("are free again when connections end", async () => {
    await start(1);
    for (let round = 0; round < 5; round++) {
      const one = await connectOne();
      one.destroy();
      await once(one, "close");
      await expect
        .poll(() => new Promise((resolve) => server.getConnections((_error, count) => resolve(count))))
        .toBe(0);
    }
    const last = await connectOne();
    await sleep(50);
    expect(last.destroyed).toBe(false);
  });
});
