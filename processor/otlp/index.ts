export { type DecodeErrorCode, OtlpDecodeError } from "./decode-error.ts";
export { decodeLogsJson } from "./json-logs.ts";
export { decodeTracesJson } from "./json-traces.ts";
export { logRowsFrom } from "./log-rows.ts";
export type * from "./model.ts";
export { decodeLogsProtobuf } from "./protobuf-logs.ts";
export { decodeTracesProtobuf } from "./protobuf-traces.ts";
export { rejectedCount, type RowBatch } from "./row-batch.ts";
export { spanRowsFrom } from "./span-rows.ts";
