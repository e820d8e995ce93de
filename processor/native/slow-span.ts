import type { SpanRow } from "../clickhouse/rows.ts";
import { decodeTracesProtobuf } from "../otlp/protobuf-traces.ts";
import type { RowBatch } from "../otlp/row-batch.ts";
import { spanRowsFrom } from "../otlp/span-rows.ts";
import { lengthDelimited } from "./protobuf-piece.ts";

/** One span the way every span went before: as a request of its own, without resource and scope. */
export function slowSpan(span: Uint8Array): RowBatch<SpanRow> {
  return spanRowsFrom(decodeTracesProtobuf(lengthDelimited(1, lengthDelimited(2, lengthDelimited(2, span)))));
}
