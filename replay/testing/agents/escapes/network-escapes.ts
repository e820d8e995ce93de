import dgram from "node:dgram";
import dns from "node:dns";
import http from "node:http";
import http2 from "node:http2";
import https from "node:https";
import inspector from "node:inspector";
import net from "node:net";
import { basename } from "node:path";
import process from "node:process";
import tls from "node:tls";
import { promisify } from "node:util";
import { type Escape, type EscapeTarget, eventOf, HOST } from "./escape.ts";

const NAME = "witness.example";

/** A reference from before anybody could replace it. */
const earlyFetch = globalThis.fetch;

const responseOf = (request: http.ClientRequest): Promise<unknown> => eventOf(request.end(), "response");
/** Its path says which attempt it is: where HTTP is answered from a cassette, the miss tells. */
const urlOf = ({ witness, outside }: EscapeTarget, scheme = "http", host = HOST): string =>
  `${scheme}://${host}:${witness.tcpPort}/${basename(outside)}`;
const datagram = (): dgram.Socket => dgram.createSocket("udp4");

/** Below every public function: what `net` is made of. */
function rawTcp(port: number): void {
  const { TCP, TCPConnectWrap, constants } = (
    process as unknown as { binding(name: string): Record<string, never> }
  ).binding("tcp_wrap") as unknown as {
    TCP: new (type: number) => { connect(wrap: unknown, host: string, port: number): number };
    TCPConnectWrap: new () => unknown;
    constants: { SOCKET: number };
  };
  const status = new TCP(constants.SOCKET).connect(new TCPConnectWrap(), HOST, port);
  if (status !== 0) throw new Error(`connect answered ${status}`);
}

export const NETWORK_ESCAPES: Readonly<Record<string, Escape>> = {
  fetch: (target) => fetch(urlOf(target)),
  "fetch kept from before": (target) => earlyFetch(urlOf(target)),
  "fetch over IPv6": (target) => fetch(urlOf(target, "http", "[::1]")),
  "http.request": (target) => responseOf(http.request(urlOf(target))),
  "http.get with an agent of its own": (target) =>
    responseOf(http.get(urlOf(target), { agent: new http.Agent({ keepAlive: true }) })),
  "https.request": (target) => responseOf(https.request(urlOf(target, "https"))),
  "http2.connect": ({ witness }) => eventOf(http2.connect(`http://${HOST}:${witness.tcpPort}`), "remoteSettings"),
  "net.connect": ({ witness }) => eventOf(net.connect(witness.tcpPort, HOST), "connect"),
  "net.Socket.connect": ({ witness }) =>
    eventOf(new net.Socket().connect({ host: HOST, port: witness.tcpPort }), "connect"),
  "tls.connect": ({ witness }) => eventOf(tls.connect(witness.tcpPort, HOST), "secureConnect"),
  WebSocket: (target) => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const socket = new WebSocket(urlOf(target, "ws"));
    socket.addEventListener("open", () => resolve());
    socket.addEventListener("error", () => reject(new Error("refused")));
    return promise;
  },
  "process.binding tcp_wrap": ({ witness }) => rawTcp(witness.tcpPort),
  "net.Server.listen": () => eventOf(net.createServer().listen(0, HOST), "listening"),
  "http.Server.listen": () => eventOf(http.createServer().listen(0, HOST), "listening"),
  "dgram.send": ({ witness }) => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    datagram().send("x", witness.udpPort, HOST, (error) => (error === null ? resolve() : reject(error)));
    return promise;
  },
  "dgram.bind": () => eventOf(datagram().bind(0, HOST), "listening"),
  "dgram.connect": ({ witness }) => {
    const socket = datagram();
    socket.connect(witness.udpPort, HOST);
    return eventOf(socket, "connect");
  },
  "dns.lookup": () => promisify(dns.lookup)(NAME),
  "dns.promises.lookup": () => dns.promises.lookup(NAME),
  "dns.resolve4": () => promisify(dns.resolve4)(NAME),
  "dns.promises.resolveTxt": () => dns.promises.resolveTxt(NAME),
  "dns.Resolver with a server of its own": ({ witness }) => {
    const resolver = new dns.promises.Resolver({ timeout: 500, tries: 1 });
    resolver.setServers([`${HOST}:${witness.udpPort}`]);
    return resolver.resolve4(NAME);
  },
  "dns.reverse": () => promisify(dns.reverse)("192.0.2.1"),
  "dns.lookupService": () => promisify(dns.lookupService)(HOST, 22),
  "unix socket": ({ witness }) => eventOf(net.connect(witness.unixPath), "connect"),
  "abstract unix socket": ({ witness }) => eventOf(net.connect(witness.abstractName), "connect"),
  "http over a unix socket": ({ witness, outside }) =>
    responseOf(http.request({ socketPath: witness.unixPath, path: `/${basename(outside)}` })),
  "unix socket that listens": () => eventOf(net.createServer().listen("escape.sock"), "listening"),
  "inspector.open": () => {
    inspector.open(0, HOST);
    if (inspector.url() === undefined) throw new Error("no inspector");
  },
};
