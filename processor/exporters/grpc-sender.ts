import { isIP } from "node:net";
import { checkServerIdentity, type PeerCertificate } from "node:tls";
import type * as Grpc from "@grpc/grpc-js";
import { knownAuthorities } from "./authorities.ts";
import { outcomeFromGrpc } from "./grpc-outcome.ts";
import { MAX_ANSWER_BYTES, type OtlpRequest, type OtlpSender, type OtlpSenderOptions } from "./otlp-sender.ts";
import type { SendOutcome } from "./otlp-sender.ts";

const METHODS = {
  traces: "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
  logs: "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
} as const;

/** An optional package is not there. */
export class MissingPackageError extends Error {
  readonly code = "RUNPROOF_MISSING_PACKAGE";
  constructor(options?: ErrorOptions) {
    super(
      "Forwarding over OTLP/gRPC needs @grpc/grpc-js: npm install @grpc/grpc-js, or forward over http/protobuf.",
      options,
    );
    this.name = "MissingPackageError";
  }
}

/** OTLP/gRPC with gzip. @throws MissingPackageError */
export async function createGrpcSender(options: OtlpSenderOptions): Promise<OtlpSender> {
  const grpc = await import("@grpc/grpc-js").catch((cause: unknown) => {
    throw new MissingPackageError({ cause });
  });
  return senderWith(grpc, options);
}

const asIs = (bytes: Buffer): Buffer => bytes;

function senderWith(grpc: typeof Grpc, options: OtlpSenderOptions): OtlpSender {
  const connect = clientFactory(grpc, options);
  const metadata = new grpc.Metadata();
  for (const [name, value] of Object.entries(options.headers)) metadata.set(name, value);
  let client = connect();

  /** A connection that died in silence would cost every call its deadline, until TCP notices after many minutes. */
  function reconnect(failed: Grpc.Client): void {
    if (client !== failed) return;
    client = connect();
    failed.close();
  }

  return {
    send: ({ kind, body }: OtlpRequest, signal: AbortSignal): Promise<SendOutcome> =>
      new Promise((resolve) => {
        const caller = client;
        const deadline = Date.now() + options.timeoutMillis;
        const message = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
        const done = (error: Grpc.ServiceError | null, answer?: Buffer): void => {
          signal.removeEventListener("abort", cancel);
          if (error?.code === grpc.status.DEADLINE_EXCEEDED) reconnect(caller);
          const [details] = error?.metadata.get("grpc-status-details-bin") ?? [];
          resolve(
            outcomeFromGrpc({
              code: error?.code ?? grpc.status.OK,
              text: error?.details ?? "",
              message: answer,
              details: details instanceof Uint8Array ? details : undefined,
            }),
          );
        };
        const call = caller.makeUnaryRequest(METHODS[kind], asIs, asIs, message, metadata, { deadline }, done);
        const cancel = (): void => call.cancel();
        if (signal.aborted) cancel();
        else signal.addEventListener("abort", cancel);
      }),
    close: () => client.close(),
  };
}

function clientFactory(grpc: typeof Grpc, { endpoint, ca }: OtlpSenderOptions): () => Grpc.Client {
  const tls = endpoint.protocol === "https:";
  const port = endpoint.port === "" ? (tls ? 443 : 80) : endpoint.port;
  const host = endpoint.hostname.replace(/^\[|\]$/g, "");
  const address = isIP(host) === 0 ? undefined : host;
  const credentials = tls ? secure(grpc, ca ?? knownAuthorities(), address) : grpc.credentials.createInsecure();
  return () =>
    new grpc.Client(`${endpoint.hostname}:${port}`, credentials, {
      "grpc.default_compression_algorithm": grpc.compressionAlgorithms.gzip,
      "grpc.max_receive_message_length": MAX_ANSWER_BYTES,
      "grpc.max_send_message_length": -1,
      // Whether a request may be sent again is for the caller to say.
      "grpc.enable_retries": 0,
      "grpc.initial_reconnect_backoff_ms": 500,
      "grpc.max_reconnect_backoff_ms": 10_000,
      // A new client is a new connection.
      "grpc.use_local_subchannel_pool": 1,
      "grpc.primary_user_agent": "runproof",
      ...(tls && address !== undefined && { "grpc.ssl_target_name_override": NO_NAME }),
    });
}

/** A name that cannot be anybody's (RFC 6761). */
const NO_NAME = "address.invalid";

/**
 * An address as server name is an error in Node 26, and grpc-js 1.14.7 sends it as one. So another name is sent, and the
 * certificate is checked against the address all the same.
 */
function secure(grpc: typeof Grpc, ca: readonly string[], address: string | undefined): Grpc.ChannelCredentials {
  const roots = Buffer.from(ca.join("\n"));
  if (address === undefined) return grpc.credentials.createSsl(roots);
  return grpc.credentials.createSsl(roots, null, null, {
    checkServerIdentity: (_name, certificate) => checkServerIdentity(address, certificate as PeerCertificate),
  });
}
