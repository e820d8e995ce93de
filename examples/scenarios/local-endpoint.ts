import { createServer, type IncomingHttpHeaders, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

/** Something on this machine that an agent depends on. */
export interface LocalEndpoint {
  readonly url: string;
  close(): Promise<void>;
}

export interface EndpointRequest {
  /** `POST /alerts`, without the query. */
  readonly route: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  /** The JSON body; `undefined` when there is none. */
  readonly body: unknown;
}

/** An HTTP status and a JSON body. */
export type EndpointAnswer = readonly [status: number, body: object];

const MAX_BODY_BYTES = 10_000;

/** Answers JSON over HTTP on a free port of 127.0.0.1. */
export async function startEndpoint(answer: (request: EndpointRequest) => EndpointAnswer): Promise<LocalEndpoint> {
  const server = createServer((request, response) => {
    void bodyOf(request).then((body) => {
      const { pathname, searchParams: query } = new URL(request.url ?? "/", "http://127.0.0.1");
      const [status, told] = answer({
        route: `${request.method ?? ""} ${pathname}`,
        query,
        headers: request.headers,
        body,
      });
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(told));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  let text = "";
  for await (const chunk of request) text = `${text}${String(chunk)}`.slice(0, MAX_BODY_BYTES);
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
