import { attributeMapFrom, markLosses } from "../otlp/attribute-map.ts";
import { noLosses } from "../otlp/cut-text.ts";
import { MAX_TEXT_BYTES } from "../otlp/limits.ts";
import type { InstrumentationScope, KeyValue } from "../otlp/model.ts";
import { readScopeFields } from "../otlp/protobuf-common.ts";
import { ProtobufReader } from "../otlp/protobuf-reader.ts";
import { checkKeyValue, innerEnd } from "./check-attribute.ts";
import type { GrowableBytes } from "./growable-bytes.ts";
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
  /** Characters of the attribute map. */
  readonly attributesLength: number;
}

/** From the content of an `InstrumentationScope` message. A name to be cut belongs to the slow path. */
export function scopeColumnsFrom(content: Uint8Array): ScopeColumns {
  const nodes = nodesOf(content);
  const scope: InstrumentationScope = { name: "", version: "", attributes: [] };
  readScopeFields(new ProtobufReader(content), scope);
  const { name, version, attributes } = scope;
  return {
    name: nativeText(name),
    version: nativeText(version),
    nodes,
    length: name.length + version.length,
    attributesLength: lengthOf(attributes),
  };
}

function lengthOf(attributes: readonly KeyValue[]): number {
  const losses = noLosses();
  const map = attributeMapFrom(attributes, { column: "ScopeAttributes" }, losses);
  markLosses(map, losses);
  let length = 0;
  for (const key in map) length += key.length + map[key]!.length;
  return length;
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
