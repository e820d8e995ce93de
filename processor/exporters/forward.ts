import type { LogRow } from "../clickhouse/rows.ts";
import type { Component } from "../component.ts";
import { createSpool, type Spool, type SpoolReader } from "../spool/index.ts";
import type { BackoffOptions } from "./backoff.ts";
import type { ForwardConfig } from "./forward-config.ts";
import { createForwardCounter, type ForwardCounts } from "./forward-counts.ts";
import { createForwardLane } from "./forward-lane.ts";
import { createGrpcSender } from "./grpc-sender.ts";
import { createHttpSender } from "./http-sender.ts";
import { logRowsToProtobuf } from "./log-rows-to-protobuf.ts";
import type { OtlpSender } from "./otlp-sender.ts";
import { leadsToOneself, type ListenAddress } from "./own-address.ts";

export interface ForwardOptions {
  readonly config: ForwardConfig & { readonly forwardEndpoint: string };
  /** Reads everything that was acknowledged: a reader of the receivers' spool. */
  readonly bodies: SpoolReader;
  /** Where events of our own wait; made when missing. */
  readonly directory: string;
  /** Where this service listens, to refuse forwarding to itself. Default: nowhere. */
  readonly listeners?: readonly ListenAddress[];
  readonly onError: (what: string, error: unknown) => void;
  readonly now: () => number;
  /** Requests with bodies under way at a time. Default 2. */
  readonly concurrency?: number;
  /** About as large is a request before compression. Default 3.5 MiB: receivers of gRPC take 4 MiB by default. */
  readonly batchBytes?: number;
  /** How long a small request waits for more, milliseconds. Default 100. */
  readonly lingerMillis?: number;
  /** How long a stop goes on sending, milliseconds. Default 5,000; what is not sent then stays on disk. */
  readonly shutdownTimeoutMillis?: number;
  readonly backoff?: BackoffOptions;
  /** PEM authorities for `https`. Default: those of Node and of the system. */
  readonly ca?: readonly string[];
}

export interface ForwardStats extends ForwardCounts {
  /** What waits, what is under way included. */
  readonly backlog: {
    readonly bodies: ForwardBacklog;
    /** Our own events. */
    readonly events: ForwardBacklog;
  };
}

export interface ForwardBacklog {
  readonly bytes: number;
  readonly oldestAgeMillis: number | undefined;
}

/**
 * Sends what arrived, and our own verdict events, on to another OTLP receiver: at least once from the acknowledgement on,
 * as far as the bound allows, and what is given up is counted to the record. Nothing waits for it.
 */
export interface Forward {
  /** Own events. Start it before whoever judges: it stops after the last verdict. */
  readonly events: Component;
  /** What arrived. Start it after the spool that it reads, and after `events`. */
  readonly bodies: Component;
  /** Takes log records of our own. Resolves when they are durable or counted as lost; never rejects. */
  forwardLogRows(rows: readonly LogRow[]): Promise<void>;
  stats(): ForwardStats;
}

/** The endpoint is this service itself: everything would come back for ever. */
export class ForwardLoopError extends Error {
  readonly code = "RUNPROOF_FORWARD_LOOP";
  constructor(endpoint: string) {
    super(`forwardEndpoint: ${endpoint} is this service itself; name another OTLP receiver.`);
    this.name = "ForwardLoopError";
  }
}

/** Name of the reader that the receivers' spool must have. */
export const FORWARD_READER = "forward";

const MIB = 1024 * 1024;
const EVENTS_MAX_BYTES = 64 * MIB;
const DEFAULTS = { batchBytes: 3.5 * MIB, lingerMillis: 100, shutdownTimeoutMillis: 5_000, backoff: {} };

export function createForward(options: ForwardOptions): Forward {
  const { config, bodies, onError, now } = options;
  const counter = createForwardCounter(now);
  let sender: OtlpSender | undefined;
  const spool = createSpool({
    directory: options.directory,
    maxBytes: EVENTS_MAX_BYTES,
    segmentBytes: 16 * MIB,
    onError,
    now,
  });
  const events = consumerOf(spool);
  const shared = { ...DEFAULTS, ...options, counter, sender: () => sender! };
  const bodiesLane = createForwardLane({
    ...shared,
    reader: bodies,
    maxBytes: config.forwardMaxBytes,
    concurrency: options.concurrency ?? 2,
  });
  // The log itself is bounded: what does not fit is never appended.
  const eventsLane = createForwardLane({ ...shared, reader: events, maxBytes: Infinity, concurrency: 1 });

  return {
    events: {
      async start() {
        sender = await createSender(options);
        await spool.start();
        await eventsLane.start();
      },
      async shutdown() {
        await eventsLane.shutdown();
        await spool.shutdown();
        sender?.close();
      },
    },
    bodies: bodiesLane,
    async forwardLogRows(rows) {
      if (rows.length === 0) return;
      const payload = logRowsToProtobuf(rows);
      const receivedAtMillis = now();
      const record = {
        kind: "logs",
        encoding: "protobuf",
        lane: "bulk",
        project: "",
        receivedAtMillis,
        payload,
      } as const;
      const outcome = await spool.append(record);
      if (outcome === "durable") return;
      const tally = { records: rows.length, bodies: 1, bytes: payload.length };
      counter.lost("logs", outcome === "full" ? "events_full" : "disk", tally);
    },
    stats: () => ({ ...counter.counts(), backlog: { bodies: backlogOf(bodies), events: backlogOf(events) } }),
  };
}

/** @throws ForwardLoopError, MissingPackageError */
async function createSender({ config, listeners = [], ca }: ForwardOptions): Promise<OtlpSender> {
  const endpoint = new URL(config.forwardEndpoint);
  if (leadsToOneself(endpoint, listeners)) throw new ForwardLoopError(config.forwardEndpoint);
  const settings = {
    endpoint,
    headers: config.forwardHeaders,
    timeoutMillis: config.forwardTimeoutSeconds * 1_000,
    ...(ca !== undefined && { ca }),
  };
  return config.forwardProtocol === "grpc" ? createGrpcSender(settings) : createHttpSender(settings);
}

/** A spool's consumer as a reader. */
function consumerOf(spool: Spool): SpoolReader {
  return {
    ...spool,
    stats() {
      const { bytes, oldestRecordAgeMillis } = spool.stats();
      return { bytes, unreadBytes: bytes, oldestRecordAgeMillis };
    },
  };
}

function backlogOf(reader: SpoolReader): ForwardBacklog {
  const { bytes, oldestRecordAgeMillis } = reader.stats();
  return { bytes, oldestAgeMillis: oldestRecordAgeMillis };
}
