import { createServer, type IncomingMessage, type Server } from "node:http";
import { signatureOf } from "../webhook/signature.ts";

/** One request that a webhook made. */
export interface ReceivedAlert {
  readonly id: string;
  readonly signatureHolds: boolean;
  readonly body: { readonly type: string; readonly data: Readonly<Record<string, unknown>> };
}

/** A receiver of webhooks that checks signatures as Standard Webhooks says. */
export interface AlertReceiver {
  readonly url: string;
  readonly received: readonly ReceivedAlert[];
  /** What it answers from now on. */
  answer(status: number, headers?: Readonly<Record<string, string>>): void;
  close(): Promise<void>;
}

export async function startAlertReceiver(secret: string): Promise<AlertReceiver> {
  const received: ReceivedAlert[] = [];
  let status = 204;
  let answered: Readonly<Record<string, string>> = {};
  const server: Server = createServer((request, response) => {
    void read(request, secret).then((alert) => {
      received.push(alert);
      response.writeHead(status, answered).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  return {
    url: `http://127.0.0.1:${port}/hook?token=secret`,
    received,
    answer(next, headers = {}) {
      status = next;
      answered = headers;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function read(request: IncomingMessage, secret: string): Promise<ReceivedAlert> {
  const body = Buffer.concat(await request.toArray()).toString();
  const id = String(request.headers["webhook-id"]);
  const timestamp = Number(request.headers["webhook-timestamp"]);
  const fresh = Math.abs(Date.now() / 1_000 - timestamp) < 300;
  const signatureHolds = fresh && request.headers["webhook-signature"] === signatureOf({ id, timestamp, body }, secret);
  return { id, signatureHolds, body: JSON.parse(body) as ReceivedAlert["body"] };
}
