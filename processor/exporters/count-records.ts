import { contentsOf, wireFields } from "./wire-fields.ts";

/** `Resource…` holds `Scope…` as field 2, and that the records as field 2, for traces and logs alike. */
const GROUPS = 1;
const SCOPES = 2;
const RECORDS = 2;

/** Spans or log records in a protobuf request, also those that were rejected. @throws WireFormatError */
export function countRecords(body: Uint8Array): number {
  let count = 0;
  for (const group of contentsOf(wireFields(body), GROUPS)) {
    for (const scope of contentsOf(wireFields(group), SCOPES)) count += contentsOf(wireFields(scope), RECORDS).length;
  }
  return count;
}
