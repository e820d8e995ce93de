import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtemp, readdir, realpath, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Where the canary tries to get to. All of it belongs to the worker and lies outside the wall. */
export interface WitnessAddress {
  readonly tcpPort: number;
  readonly udpPort: number;
  readonly unixPath: string;
  readonly abstractName: string;
  /** A folder that everybody may write in, with a file `secret` that everybody may read. */
  readonly folder: string;
  readonly processId: number;
}

export interface Witness {
  readonly address: WitnessAddress;
  /** What came through, by way. */
  hits(): Promise<readonly string[]>;
  close(): Promise<void>;
}

/** Opens one door of each kind, to see whether anything comes through. */
export async function openWitness(): Promise<Witness> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "runproof-witness-")));
  await writeFile(join(folder, "secret"), "outside", { mode: 0o644 });
  const seen = new Set<string>();
  const unixPath = join(folder, "socket");
  // Linux only: a name with a leading zero byte lives outside every file system.
  const abstractName = `\0${folder}`;
  const servers = await Promise.all([
    listening(
      (server) => server.listen(0, "127.0.0.1"),
      () => seen.add("tcp"),
    ),
    listening(
      (server) => server.listen(unixPath),
      () => seen.add("unix socket"),
    ),
    listening(
      (server) => server.listen(abstractName),
      () => seen.add("abstract socket"),
    ),
  ]);
  const udp = createSocket("udp4", () => seen.add("udp")).bind(0, "127.0.0.1");
  await once(udp, "listening");
  return {
    address: {
      tcpPort: (servers[0].address() as AddressInfo).port,
      udpPort: udp.address().port,
      unixPath,
      abstractName,
      folder,
      processId: process.pid,
    },
    async hits() {
      const left = (await readdir(folder)).filter((name) => name !== "secret" && name !== "socket");
      return [...seen, ...(left.length > 0 ? ["file outside"] : [])];
    },
    async close() {
      udp.close();
      for (const server of servers) server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function listening(listen: (server: Server) => void, onHit: () => void): Promise<Server> {
  const server = createServer((socket) => {
    onHit();
    socket.destroy();
  });
  listen(server);
  await once(server, "listening");
  return server;
}
