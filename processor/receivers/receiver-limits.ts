/** Limits of the OTLP receivers, HTTP and gRPC alike. Sizes in bytes, times in milliseconds. */
export interface ReceiverLimits {
  /** Largest gzip body before decompression. */
  readonly maxCompressedBytes: number;
  /** Largest body after decompression, and largest body sent plain. */
  readonly maxBodyBytes: number;
  /** Raw and decompressed bodies held at once, over all requests; above it the answer is 503. */
  readonly maxBytesInMemory: number;
  readonly maxConnections: number;
  /** gRPC: requests at once on one connection; a client queues what is over it. */
  readonly maxStreamsPerConnection: number;
  /** gRPC: a client that pings more often, or starts with it, is told `too_many_pings` and disconnected. */
  readonly maxPingsPerMinute: number;
  /** Time to send the header; then 408 and the connection is closed. gRPC: time to the first request. */
  readonly headersTimeoutMillis: number;
  /** Time to send header and body; then 408 and the connection is closed. gRPC: DEADLINE_EXCEEDED. */
  readonly requestTimeoutMillis: number;
  /** Longer than the 5 s batch interval of the SDKs, so that an exporter keeps its connection. */
  readonly keepAliveTimeoutMillis: number;
  /** How long `shutdown()` waits for running requests. */
  readonly shutdownTimeoutMillis: number;
}

/** 64 MiB after decompression is what the OTLP specification recommends (release 1.11.0). */
export const DEFAULT_RECEIVER_LIMITS: ReceiverLimits = {
  maxCompressedBytes: 16 * 1024 * 1024,
  maxBodyBytes: 64 * 1024 * 1024,
  maxBytesInMemory: 256 * 1024 * 1024,
  maxConnections: 512,
  maxStreamsPerConnection: 100,
  maxPingsPerMinute: 60,
  headersTimeoutMillis: 10_000,
  requestTimeoutMillis: 30_000,
  keepAliveTimeoutMillis: 60_000,
  shutdownTimeoutMillis: 5_000,
};
