import type { Server, Socket } from "node:net";

/** A connection by its other end: the same for a TCP socket and the TLS or HTTP/2 socket on it. */
export type RemoteEnd = Pick<Socket, "remoteAddress" | "remotePort">;

/** The connections a server has room for. */
export interface ConnectionPlaces {
  /** A whole request came over the connection: its place is its own from now on. */
  keep(end: RemoteEnd): void;
}

/** Time to send a first request while others wait for the place. */
const GRACE_MILLIS = 1_000;

/**
 * Bounds the connections of a server. When all places are taken, the connection that has been longest without a whole
 * request makes room, so slow clients, however many, cannot lock out those that speak; without such a one the new
 * connection is closed.
 */
export function limitConnections(server: Server, maxConnections: number): ConnectionPlaces {
  let taken = 0;
  /** In the order of their arrival. */
  const silent = new Map<string, { readonly socket: Socket; readonly since: number }>();

  const makeRoom = (now: number): boolean => {
    const [oldest] = silent.values();
    if (oldest === undefined || now - oldest.since < GRACE_MILLIS) return false;
    oldest.socket.destroy();
    return true;
  };

  server.on("connection", (socket: Socket) => {
    const now = performance.now();
    if (taken >= maxConnections && !makeRoom(now)) {
      socket.destroy();
      return;
    }
    const key = keyOf(socket);
    taken++;
    silent.set(key, { socket, since: now });
    socket.once("close", () => {
      taken--;
      if (silent.get(key)?.socket === socket) silent.delete(key);
    });
  });
  return { keep: (end) => void silent.delete(keyOf(end)) };
}

const keyOf = ({ remoteAddress, remotePort }: RemoteEnd): string => `${remoteAddress} ${remotePort}`;
