import type { RecordKind, SpoolRecord } from "../spool/index.ts";
import { countRecords } from "./count-records.ts";
import { jsonBodyToProtobuf } from "./json-to-protobuf.ts";
import { stampProjectBytes } from "./stamp-project-bytes.ts";

/** A body as it goes on, or may go on together with others. */
export interface ForwardBody {
  readonly kind: RecordKind;
  /** A protobuf request. */
  readonly bytes: Uint8Array;
  /** Spans or log records in it. */
  readonly records: number;
}

/**
 * What arrived, as it is sent on: protobuf byte for byte, JSON as the same request in protobuf; with the credential's
 * project on it where there is one. @throws Error for a body that our own receivers would not have taken
 */
export function forwardBodyFrom({ kind, encoding, project, payload }: SpoolRecord): ForwardBody {
  const bytes = encoding === "json" ? jsonBodyToProtobuf(payload, kind) : payload;
  return {
    kind,
    bytes: project === "" ? bytes : stampProjectBytes(bytes, kind, project),
    records: countRecords(bytes),
  };
}
