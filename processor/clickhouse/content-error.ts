import { ClickHouseError } from "@clickhouse/client";

/** Error names that mean: these rows can never be stored, now or later. */
const CONTENT_ERRORS: ReadonlySet<string> = new Set([
  "ARGUMENT_OUT_OF_BOUND",
  "BAD_ARGUMENTS",
  "DECIMAL_OVERFLOW",
  "ILLEGAL_TYPE_OF_ARGUMENT",
  "INCORRECT_DATA",
  "SIZES_OF_ARRAYS_DONT_MATCH",
  "SIZES_OF_NESTED_COLUMNS_ARE_INCONSISTENT",
  "TOO_LARGE_STRING_SIZE",
  "TYPE_MISMATCH",
  "UNEXPECTED_DATA_AFTER_PARSED_VALUE",
  "VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE",
]);

/** True when the engine refused the rows for what they hold, so that a retry of the same block cannot succeed. */
export function isContentError(error: unknown): boolean {
  if (!(error instanceof ClickHouseError) || error.type === undefined) return false;
  if (CONTENT_ERRORS.has(error.type) || error.type.startsWith("CANNOT_PARSE")) return true;
  // The same name also stands for a store that merges too slowly, which passes.
  return error.type === "TOO_MANY_PARTS" && error.message.includes("partitions for single INSERT");
}
