import { ATTR_RUN_EVENT } from "../../instrumentation/semconv.ts";
import { textFromAnyValue } from "../otlp/any-value-text.ts";
import { MAX_ATTRIBUTES } from "../otlp/limits.ts";
import type { KeyValue } from "../otlp/model.ts";
import { readKeyValue } from "../otlp/protobuf-common.ts";
import { ProtobufReader } from "../otlp/protobuf-reader.ts";
import { lengthDelimited } from "./protobuf-piece.ts";
import type { WireCursor } from "./wire-cursor.ts";

const KEY = Buffer.from(ATTR_RUN_EVENT);

/** Reads `runproof.event` of a span while its attributes are passed over. Per span: `begin()`, then every attribute. */
export class RunEventFinder {
  /** As the row will have it; `''` for none. */
  event = "";
  #attributes = 0;

  begin(): void {
    this.event = "";
    this.#attributes = 0;
  }

  /** The attribute from `start` to `cursor.pos` is well-formed; in its usual form the key comes first and once. */
  attribute({ bytes, pos }: WireCursor, start: number, isUsual: boolean): void {
    if (++this.#attributes > MAX_ATTRIBUTES || (isUsual && !isKeyAt(bytes, start))) return;
    const found: KeyValue[] = [];
    const reader = new ProtobufReader(lengthDelimited(1, bytes.subarray(start, pos)));
    if (reader.nextField()) readKeyValue(reader, found);
    for (const { key, value } of found) if (key === ATTR_RUN_EVENT) this.event = textFromAnyValue(value);
  }
}

/** The key's tag and length are one byte each. */
function isKeyAt(bytes: Uint8Array, start: number): boolean {
  if (bytes[start + 1] !== KEY.length) return false;
  for (let at = 0; at < KEY.length; at++) if (bytes[start + 2 + at] !== KEY[at]) return false;
  return true;
}
