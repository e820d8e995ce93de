import {
  Client,
  type ClientOptions,
  compressionAlgorithms,
  credentials,
  Metadata,
  type ServiceError,
  status,
} from "@grpc/grpc-js";
import type { ChannelCredentials } from "@grpc/grpc-js";

const identity = (bytes: Buffer): Buffer => bytes;

export const TRACES_METHOD = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
export const LOGS_METHOD = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";

/** What a call ended with. */
export interface GrpcAnswer {
  readonly code: number;
  readonly details: string;
  readonly message: Buffer | undefined;
  /** `grpc-status-details-bin`. */
  readonly statusDetails: Buffer | undefined;
}

export interface GrpcCallOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly deadlineMillis?: number;
}

/** The client of the gRPC project itself, with bytes for messages. Close it. */
export interface TestGrpcClient {
  call(method: string, body: Uint8Array, options?: GrpcCallOptions): Promise<GrpcAnswer>;
  close(): void;
}

export function createTestGrpcClient(
  port: number,
  { gzip = false, channel = credentials.createInsecure() as ChannelCredentials, options = {} as ClientOptions } = {},
): TestGrpcClient {
  const client = new Client(`127.0.0.1:${port}`, channel, {
    ...(gzip && { "grpc.default_compression_algorithm": compressionAlgorithms.gzip }),
    "grpc.max_send_message_length": -1,
    "grpc.enable_retries": 0,
    ...options,
  });
  return {
    close: () => client.close(),
    call: (method, body, { headers = {}, deadlineMillis } = {}) =>
      new Promise((resolve) => {
        const metadata = new Metadata();
        for (const [key, value] of Object.entries(headers)) metadata.set(key, value);
        const settings = deadlineMillis === undefined ? {} : { deadline: Date.now() + deadlineMillis };
        const done = (error: ServiceError | null, message?: Buffer): void =>
          resolve({
            code: error?.code ?? status.OK,
            details: error?.details ?? "",
            message,
            statusDetails: error?.metadata.get("grpc-status-details-bin")[0] as Buffer | undefined,
          });
        client.makeUnaryRequest(method, identity, identity, Buffer.from(body), metadata, settings, done);
      }),
  };
}
