import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { SpanRow } from "../../processor/clickhouse/rows.ts";
import { ACCEPTED } from "../../processor/outcome.ts";
import { createOtlpHandler, type OtlpRequest } from "../../processor/receivers/otlp-handler.ts";
import type { HttpReply } from "../../processor/receivers/otlp-status.ts";
import { createByteBudget } from "../../processor/receivers/byte-budget.ts";
import { DEFAULT_RECEIVER_LIMITS } from "../../processor/receivers/receiver-limits.ts";

/** An accepted request, as it came: it can be sent on without loss. */
export interface OtlpBody {
  readonly path: string;
  readonly contentType: string;
  readonly contentEncoding: string;
  readonly body: Buffer;
}

/** A receiver of one replay, on loopback and a free port, that keeps what it receives. */
export interface OtlpTap {
  /** Base URL, `http://127.0.0.1:49152`. */
  readonly url: string;
  readonly rows: readonly SpanRow[];
  readonly bodies: readonly OtlpBody[];
  /** Takes a request that came another way than over the port. */
  receive(request: OtlpRequest & { readonly body: Buffer }): Promise<HttpReply>;
  close(): Promise<void>;
}

/** All the bodies of one replay together; beyond it requests are refused and the run misses evidence. */
const MAX_TOTAL_BYTES = 256 * 1024 * 1024;

export async function openOtlpTap(): Promise<OtlpTap> {
  const rows: SpanRow[] = [];
  const bodies: OtlpBody[] = [];
  const handler = createOtlpHandler({
    traces: { consume: async (batch) => (rows.push(...batch), ACCEPTED) },
    logs: { consume: async () => ACCEPTED },
    limits: DEFAULT_RECEIVER_LIMITS,
    budget: createByteBudget(MAX_TOTAL_BYTES),
    onUnexpectedError: (error) => process.emitWarning(error instanceof Error ? error : String(error)),
  });
  let total = 0;

  const receive: OtlpTap["receive"] = async (request) => {
    const reply = await handler.handle(request);
    if (reply.status === 200) {
      const { url: path, headers, body } = request;
      const contentEncoding = headers["content-encoding"] ?? "";
      bodies.push({ path, contentType: headers["content-type"] ?? "", contentEncoding, body });
    }
    return reply;
  };
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) {
      total += chunk.length;
      if (total > MAX_TOTAL_BYTES) return void response.writeHead(413).end();
      chunks.push(chunk);
    }
    const { method = "GET", url = "/", headers } = request;
    const reply = await receive({ method, url, headers, body: Buffer.concat(chunks) });
    response.writeHead(reply.status, reply.headers).end(reply.body);
  };

  const server = createServer((request, response) => void serve(request, response).catch(() => response.destroy()));
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    rows,
    bodies,
    async receive(request) {
      total += request.body.length;
      return total > MAX_TOTAL_BYTES ? { status: 413, headers: {}, body: new Uint8Array(0) } : await receive(request);
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
