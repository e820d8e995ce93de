import { OtlpDecodeError } from "./decode-error.ts";
import { MAX_ANY_VALUE_DEPTH } from "./limits.ts";

/** Refuses an attribute value at a level no exporter reaches, before the decoders recurse into it. */
export function checkAnyValueDepth(depth: number): void {
  if (depth > MAX_ANY_VALUE_DEPTH) {
    throw new OtlpDecodeError("too_deep", `attribute values are nested more than ${MAX_ANY_VALUE_DEPTH} levels deep`);
  }
}
