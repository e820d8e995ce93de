import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";

/** A server of the tests, on loopback and a free port. */
export interface ScenarioServer {
  /** `http://127.0.0.1:49152` */
  readonly url: string;
  /** Requests that arrived so far. */
  readonly requests: readonly string[];
  close(): Promise<void>;
}

type Route = (response: ServerResponse, request: { readonly body: Buffer; readonly count: number }) => unknown;

/** Cut within characters, within `data:` and between the two line ends. */
export const ODD_CHUNKS: readonly Buffer[] = oddChunks('data: grüße 🦦\n\ndata: {"delta":"ö"}\n\nda', "ta: [DONE]\n\n");

function oddChunks(...texts: readonly string[]): Buffer[] {
  const whole = Buffer.from(texts.join(""));
  const cuts = [0, 9, 14, 15, 24, 25, 47, whole.length];
  return cuts.slice(1).map((cut, index) => whole.subarray(cuts[index], cut));
}

const BINARY = Buffer.from(Array.from({ length: 1_000 }, (_, index) => (index * 7 + 131) % 256));

const ROUTES: Readonly<Record<string, Route>> = {
  "/json": (response) => send(response, { "content-type": "application/json" }, ['{"otters":3}']),
  "/sse": (response) => send(response, { "content-type": "text/event-stream" }, ODD_CHUNKS),
  "/gzip": (response) => {
    const body = gzipSync(JSON.stringify({ text: "otters ".repeat(500) }));
    const headers = { "content-type": "application/json", "content-encoding": "gzip" };
    return send(response, headers, [body.subarray(0, 11), body.subarray(11)]);
  },
  "/retry": (response, { count }) =>
    count === 1
      ? response.writeHead(429, { "retry-after": "0", "retry-after-ms": "1" }).end("slow down")
      : send(response, { "content-type": "text/plain" }, ["at last"]),
  "/cut": async (response) => {
    response.writeHead(200, { "content-length": "100", "content-type": "text/plain" });
    response.write("only a part");
    await sleep(20);
    response.destroy();
  },
  "/cut-stream": async (response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write("data: 1\n\n");
    await sleep(20);
    response.write("data: 2");
    await sleep(20);
    response.destroy();
  },
  "/reset": (response) => response.destroy(),
  "/cookies": (response) => {
    response.writeHead(200, { "set-cookie": ["a=1; Path=/", "b=2; HttpOnly"], "x-twice": ["1", "2"] }).end("ok");
  },
  "/empty": (response) => response.writeHead(204).end(),
  "/redirect": (response) => response.writeHead(302, { location: "/json" }).end(),
  "/binary": (response) => send(response, { "content-type": "application/octet-stream" }, [BINARY]),
  "/echo": (response, { body }) =>
    send(response, { "content-type": "application/json" }, [JSON.stringify({ got: body.toString("base64") })]),
  "/count": (response, { count }) => send(response, {}, [String(count)]),
  "/until-end": (response) => {
    response.shouldKeepAlive = false;
    response.removeHeader("transfer-encoding");
    response.useChunkedEncodingByDefault = false;
    return send(response, { connection: "close" }, ["no length", " and no chunks"]);
  },
};

async function send(
  response: ServerResponse,
  headers: Record<string, string>,
  chunks: readonly (string | Buffer)[],
): Promise<void> {
  response.writeHead(200, headers);
  for (const chunk of chunks) {
    response.write(chunk);
    // Far enough apart to arrive one by one.
    await sleep(15);
  }
  response.end();
}

export async function startScenarioServer(routes: Readonly<Record<string, Route>> = ROUTES): Promise<ScenarioServer> {
  const requests: string[] = [];
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { pathname } = new URL(request.url ?? "/", "http://host");
    requests.push(pathname);
    const body = await buffer(request);
    const route = Object.hasOwn(routes, pathname) ? routes[pathname] : undefined;
    if (route === undefined) return void response.writeHead(404).end("nothing here");
    await route(response, { body, count: requests.filter((it) => it === pathname).length });
  };
  const server = createServer((request, response) => void serve(request, response).catch(() => response.destroy()));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
