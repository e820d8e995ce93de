import { MAX_TEXT_BYTES } from "../otlp/limits.ts";
import type { InstrumentationScope } from "../otlp/model.ts";
import { readScope } from "../otlp/protobuf-common.ts";
import { ProtobufReader } from "../otlp/protobuf-reader.ts";
import { checkKeyValue, innerEnd } from "./check-attribute.ts";
import type { GrowableBytes } from "./growable-bytes.ts";
import { lengthDelimited } from "./protobuf-piece.ts";
import { StringColumn } from "./string-column.ts";
import { leaveFastPath, WireCursor } from "./wire-cursor.ts";

/** What the spans of one scope share. Scope attributes are not stored for spans. */
export interface ScopeColumns {
  /** Native `String`s. */
  readonly name: GrowableBytes;
  readonly version: GrowableBytes;
  readonly nodes: number;
  /** Characters of name and version. */
  readonly length: number;
}

/** From the content of an `InstrumentationScope` message. A name to be cut belongs to the slow path. */
export function scopeColumnsFrom(content: Uint8Array): ScopeColumns {
  const nodes = nodesOf(content);
  const scope: InstrumentationScope = { name: "", version: "", attributes: [] };
  const reader = new ProtobufReader(lengthDelimited(1, content));
  if (reader.nextField()) readScope(reader, scope);
  const { name, version } = scope;
  return { name: nativeText(name), version: nativeText(version), nodes, length: name.length + version.length };
}

function nativeText(text: string): GrowableBytes {
  if (Buffer.byteLength(text) > MAX_TEXT_BYTES) leaveFastPath();
  const column = new StringColumn();
  column.appendText(text);
  return column.data;
}

function nodesOf(content: Uint8Array): number {
  const cursor = new WireCursor(content);
  const end = content.length;
  while (cursor.pos < end) {
    const tag = cursor.tag(end);
    const field = tag >>> 3;
    if (field === 3) checkKeyValue(cursor, innerEnd(cursor, tag, end), 1);
    else if (field === 1 || field === 2) cursor.pos = innerEnd(cursor, tag, end);
    else cursor.skip(tag, end);
  }
  return cursor.nodes;
}
