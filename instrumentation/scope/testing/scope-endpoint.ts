import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A cloud on loopback that keeps one scope, with ETags, as the HTTP source expects it. */
export interface ScopeEndpoint {
  readonly url: string;
  get(): string | null;
  set(scope: string | null): void;
  /** Answers everything from now on; `undefined`: itself again. */
  answerWith(answer: ((request: IncomingMessage, response: ServerResponse) => void) | undefined): void;
  readonly requests: string[];
  close(): Promise<void>;
}

export async function startScopeEndpoint(initial: string | null): Promise<ScopeEndpoint> {
  let scope = initial;
  let generation = 1;
  let other: ((request: IncomingMessage, response: ServerResponse) => void) | undefined;
  const requests: string[] = [];
  const etag = (): string => `"${generation}"`;
  const set = (next: string | null): void => {
    scope = next;
    generation += 1;
  };
  const put = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let body = "";
    for await (const chunk of request) body += String(chunk);
    const { "if-match": match, "if-none-match": none } = request.headers;
    // Compared after the body has come: from here on nothing else happens.
    if (match === undefined ? none !== "*" || scope !== null : match !== etag()) {
      response.writeHead(412).end();
      return;
    }
    set((JSON.parse(body) as { scope: string | null }).scope);
    response.writeHead(204, { etag: etag() }).end();
  };
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.headers.authorization ?? ""}`.trim());
    if (other !== undefined) other(request, response);
    else if (request.method === "PUT") void put(request, response);
    else if (scope === null) response.writeHead(404).end();
    else response.writeHead(200, { etag: etag(), "content-type": "application/json" }).end(JSON.stringify({ scope }));
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/scope`,
    get: () => scope,
    set,
    answerWith: (answer) => void (other = answer),
    requests,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
