import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { once } from "node:events";
import type { LogRow, SpanRow } from "../../clickhouse/rows.ts";
import { createOtlpGrpcReceiver } from "../../receivers/otlp-grpc-receiver.ts";
import { createOtlpHttpReceiver } from "../../receivers/otlp-http-receiver.ts";
import type { ReceiverGuards } from "../../receivers/receiver-guards.ts";
import { createRecordingConsumer, type RecordingConsumer } from "../../receivers/testing/recording-consumer.ts";

/** A real receiver of either protocol that keeps what it took. */
export interface Downstream {
  readonly endpoint: string;
  readonly traces: RecordingConsumer<SpanRow>;
  readonly logs: RecordingConsumer<LogRow>;
  stop(): Promise<void>;
  /** On the port of before. */
  start(): Promise<void>;
}

export async function createDownstream(
  protocol: "http/protobuf" | "grpc",
  guards: ReceiverGuards = {},
): Promise<Downstream> {
  const traces = createRecordingConsumer<SpanRow>();
  const logs = createRecordingConsumer<LogRow>();
  const create = protocol === "grpc" ? createOtlpGrpcReceiver : createOtlpHttpReceiver;
  let port = 0;
  const limits = { shutdownTimeoutMillis: 0 };
  const build = () => create({ ...guards, port, traces, logs, limits });
  let receiver = build();
  const start = async (): Promise<void> => {
    receiver = build();
    await receiver.start();
    port = receiver.address().port;
  };
  await start();
  const scheme = guards.tls === undefined ? "http" : "https";
  return { endpoint: `${scheme}://127.0.0.1:${port}`, traces, logs, start, stop: () => receiver.shutdown() };
}

/** May take its time. */
export type OddAnswer = (request: IncomingMessage, response: ServerResponse) => unknown;

/** An HTTP server that answers as the test says. */
export interface OddServer {
  readonly endpoint: string;
  /** Requests that came in. */
  requests: number;
  /** What to do with the next ones. */
  answer: OddAnswer;
  close(): Promise<void>;
}

export async function createOddServer(answer: OddAnswer): Promise<OddServer> {
  const server: Server = createServer((request, response) => {
    odd.requests++;
    odd.answer(request, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  const odd: OddServer = {
    endpoint: `http://127.0.0.1:${port}`,
    requests: 0,
    answer,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return odd;
}
