import { createSocket } from "node:dgram";
import { closeSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { connect, type NetConnectOpts } from "node:net";
import { join } from "node:path";
import { CANARY_OVER_PATH } from "./attempt.ts";
import type { WitnessAddress } from "./witness.ts";

const DEADLINE_MILLIS = 5_000;

/**
 * Tries, behind the wall and before any code of the agent, every way out that a witness watches. Resolves to the ways
 * that were open: an empty list is a wall that holds.
 */
export async function tryToGetOut(witness: WitnessAddress): Promise<readonly string[]> {
  const ways: Readonly<Record<string, () => unknown>> = {
    tcp: () => connected({ host: "127.0.0.1", port: witness.tcpPort }),
    udp: () => sent(witness.udpPort),
    "unix socket": () => connected({ path: witness.unixPath }),
    "abstract socket": () => connected({ path: witness.abstractName }),
    "file outside": () => writeFileSync(join(witness.folder, "canary"), "x"),
    "read outside": () => readFileSync(join(witness.folder, "secret")),
    signal: () => process.kill(witness.processId, 0),
  };
  const results = await Promise.all(
    Object.entries(ways).map(async ([name, go]) => ((await succeeds(go)) ? [name] : [])),
  );
  markTheEnd();
  return results.flat();
}

async function succeeds(go: () => unknown): Promise<boolean> {
  try {
    await go();
    return true;
  } catch {
    return false;
  }
}

function connected(options: NetConnectOpts): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = connect({ ...options, timeout: DEADLINE_MILLIS } as NetConnectOpts);
  socket.once("connect", () => resolve());
  socket.once("error", reject);
  // A door that neither opens nor closes is not proven shut, but nothing came through it either.
  socket.once("timeout", () => reject(new Error("no answer")));
  return promise.finally(() => socket.destroy());
}

function sent(port: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = createSocket("udp4");
  socket.once("error", reject);
  socket.send("x", port, "127.0.0.1", (error) => (error === null ? resolve() : reject(error)));
  return promise.finally(() => socket.close());
}

function markTheEnd(): void {
  try {
    closeSync(openSync(CANARY_OVER_PATH, "r"));
  } catch {
    // It never exists; that it was looked for is the message.
  }
}
