import type { ConsumeOutcome } from "../outcome.ts";
import type { OtlpEncoding, OtlpSignal } from "./otlp-request.ts";
import type { RecordLane } from "./record-lane.ts";

/** A request body that was decoded once, so it is known to be good. */
export interface OtlpBody {
  readonly signal: OtlpSignal;
  readonly encoding: OtlpEncoding;
  /** After decompression. Must not change. Counted in the receiver's budget until `consume` resolves. */
  readonly bytes: Uint8Array;
  /** Project of the credential; `''` when none is asked for, and the data's own `runproof.project` holds. */
  readonly project: string;
  /** Collector's clock, milliseconds since the epoch. */
  readonly receivedAtMillis: number;
}

/** What decoding found in the body. */
export interface BodySummary {
  /** Records that can be stored. */
  readonly records: number;
  /** Records that cannot, and of which the sender is told; whoever decodes the body again drops them again. */
  readonly rejected: number;
  readonly lane: RecordLane;
}

/**
 * Takes whole bodies in place of rows, such as a write-ahead log does. The obligations are those of `Consumer`:
 * `accepted` means durable; it never rejects for bad data or a disk in trouble. A reader of the body that makes rows
 * of it must stamp `project` on them (`stampProject`).
 */
export interface BodyConsumer {
  consume(body: OtlpBody, summary: BodySummary): Promise<ConsumeOutcome>;
}
