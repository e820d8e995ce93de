import type http from "node:http";
import { Socket } from "node:net";

/** A collector that is there accepts within this time. */
const CONNECT_MILLIS = 1_000;

/**
 * Makes an agent's connections telemetry's: they never keep the process alive, and one that does not come about is given
 * up soon. A connect under way holds the process whatever is said of its socket, and a network that swallows packets
 * would hold it for minutes.
 */
export function impatient<Agent extends http.Agent>(agent: Agent): Agent {
  const own: http.Agent = agent;
  const original = own.createConnection.bind(own);
  own.createConnection = (options, callback) => {
    const socket = original(options, callback);
    if (socket instanceof Socket) giveUpSoon(socket);
    return socket;
  };
  const reuse = own.reuseSocket.bind(own);
  own.reuseSocket = (socket, request) => {
    reuse(socket, request);
    if (socket instanceof Socket) socket.unref();
  };
  return agent;
}

function giveUpSoon(socket: Socket): void {
  socket.unref();
  const timer = setTimeout(() => {
    if (socket.connecting) socket.destroy(Object.assign(new Error("connect ETIMEDOUT"), { code: "ETIMEDOUT" }));
  }, CONNECT_MILLIS);
  timer.unref();
  socket.once("connect", () => clearTimeout(timer));
  socket.once("close", () => clearTimeout(timer));
}
