import { join } from "node:path";
import { createSpoolBodies } from "../../ingest/spool-bodies.ts";
import { createSpoolDrain } from "../../ingest/spool-drain.ts";
import { createPipeline } from "../../pipeline.ts";
import { createOtlpHttpReceiver } from "../../receivers/otlp-http-receiver.ts";
import type { ReceiverGuards } from "../../receivers/receiver-guards.ts";
import { createSpool, type RecordEncoding, type RecordKind } from "../../spool/index.ts";
import type { ForwardConfig } from "../forward-config.ts";
import { createForward, type Forward, FORWARD_READER, type ForwardOptions } from "../forward.ts";

/** The service without its store: receive, make durable, forward. */
export interface ForwardingCollector {
  readonly forward: Forward;
  readonly port: number;
  /** Sends a body in; resolves to the HTTP status. */
  post(kind: RecordKind, encoding: RecordEncoding, body: Uint8Array, token?: string): Promise<number>;
  shutdown(): Promise<void>;
}

export interface ForwardingSettings extends Partial<Omit<ForwardOptions, "config" | "bodies" | "directory">> {
  readonly directory: string;
  readonly endpoint: string;
  readonly config?: Partial<ForwardConfig>;
  readonly guards?: ReceiverGuards;
  readonly segmentBytes?: number;
}

/** Waits between attempts that suit a test. */
const QUICK = { backoff: { firstMillis: 20, lastMillis: 200 }, lingerMillis: 10 };

export async function startForwarding(settings: ForwardingSettings): Promise<ForwardingCollector> {
  const { directory, endpoint, config, guards, segmentBytes = 1024 * 1024, ...rest } = settings;
  const { onError = () => {} } = rest;
  const spoolDirectory = join(directory, "spool");
  const readers = [FORWARD_READER];
  const spool = createSpool({ directory: spoolDirectory, readers, segmentBytes, onError, now: Date.now });
  const drain = createSpoolDrain({ spool, store: async () => {}, onError });
  const forward = createForward({
    onError,
    now: Date.now,
    ...QUICK,
    ...rest,
    bodies: spool.reader(FORWARD_READER),
    directory: join(directory, "forward"),
    config: {
      forwardProtocol: "http/protobuf",
      forwardHeaders: {},
      forwardMaxBytes: 512 * 1024 * 1024,
      forwardTimeoutSeconds: 5,
      ...config,
      forwardEndpoint: endpoint,
    },
  });
  const http = createOtlpHttpReceiver({ ...guards, port: 0, bodies: createSpoolBodies(spool) });
  const pipeline = createPipeline([forward.events, spool, forward.bodies, drain, http]);
  await pipeline.start();
  const { port } = http.address();

  return {
    forward,
    port,
    shutdown: () => pipeline.shutdown(),
    async post(kind, encoding, body, token) {
      const response = await fetch(`http://127.0.0.1:${port}/v1/${kind}`, {
        method: "POST",
        headers: {
          "content-type": encoding === "json" ? "application/json" : "application/x-protobuf",
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
        },
        body: Buffer.from(body),
      });
      await response.arrayBuffer();
      return response.status;
    },
  };
}
