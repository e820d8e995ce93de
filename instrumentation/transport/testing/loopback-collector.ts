import http from "node:http";
import type { AddressInfo } from "node:net";

/** A collector on loopback that remembers the spans it took and misbehaves on demand. */
export interface LoopbackCollector {
  readonly url: string;
  readonly port: number;
  /** Ids of the spans answered 2xx, in order, repeats included. */
  readonly spanIds: string[];
  readonly spans: {
    readonly name: string;
    readonly spanId: string;
    readonly attributes: { key: string; value: Record<string, unknown> }[];
  }[];
  /** Requests that arrived, answered or not. */
  requests: number;
  /** Replaces the answer of 200 with `{}`. */
  answer: ((response: http.ServerResponse, body: string) => void) | undefined;
  close(): Promise<void>;
}

export async function startCollector(port = 0): Promise<LoopbackCollector> {
  const server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks).toString("utf8");
      collector.requests++;
      if (collector.answer !== undefined) return collector.answer(response, body);
      take(body);
      response.writeHead(200, { "content-type": "application/json" }).end("{}");
    });
  });
  const take = (body: string): void => {
    const parsed = JSON.parse(body) as { resourceSpans: { scopeSpans: { spans: LoopbackCollector["spans"] }[] }[] };
    const spans = parsed.resourceSpans.flatMap((resource) => resource.scopeSpans.flatMap((scope) => scope.spans));
    collector.spans.push(...spans);
    collector.spanIds.push(...spans.map((span) => span.spanId));
  };
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const address = server.address() as AddressInfo;
  const collector: LoopbackCollector = {
    url: `http://127.0.0.1:${address.port}/v1/traces`,
    port: address.port,
    spanIds: [],
    spans: [],
    requests: 0,
    answer: undefined,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return collector;
}
