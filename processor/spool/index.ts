export { createSpool, type Spool, type SpoolOptions, type SpoolStats } from "./spool.ts";
export type { AppendOutcome } from "./append-queue.ts";
export type { SpoolBatch } from "./batch-source.ts";
export { SpoolLockedError } from "./directory-lock.ts";
export type { SpoolReader, SpoolReaderStats } from "./log-reader.ts";
export type { RecordEncoding, RecordKind, RecordLane, SpoolRecord } from "./frame.ts";
