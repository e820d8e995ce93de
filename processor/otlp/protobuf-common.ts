import { checkAnyValueDepth } from "./any-value-depth.ts";
import { MAX_ATTRIBUTE_KEY_LENGTH, MAX_ATTRIBUTES } from "./limits.ts";
import { type AnyValue, EMPTY_VALUE, type InstrumentationScope, type KeyValue, type Resource } from "./model.ts";
import { NODES_PER_ATTRIBUTE } from "./node-budget.ts";
import { passKeyValue } from "./protobuf-pass.ts";
import type { ProtobufReader } from "./protobuf-reader.ts";

/**
 * Messages of `opentelemetry/proto/common/v1` and `resource/v1`.
 *
 * The `read…` functions fill a given object, because protobuf lets a singular message come in several pieces.
 * `string_value_strindex` and `key_strindex` belong to profiles; they are skipped and leave an empty value.
 */

/** A longer key has more than `MAX_ATTRIBUTE_KEY_LENGTH` UTF-16 units, each of which takes at most three bytes. */
const MAX_KEY_BYTES = 3 * MAX_ATTRIBUTE_KEY_LENGTH;
/** Stands for every key that is too long, and is too long itself. */
const TOO_LONG_KEY = " ".repeat(MAX_ATTRIBUTE_KEY_LENGTH + 1);
/** Stands for every attribute over `MAX_ATTRIBUTES`, which will be counted and nothing else. */
const DROPPED: KeyValue = Object.freeze({ key: "", value: EMPTY_VALUE });

/**
 * `KeyValue` of the current field, appended to `attributes`. Of the attributes of a record (`depth` 1), one that will be
 * dropped for a limit is checked like every other and not made: a million of them cost time and memory otherwise.
 */
export function readKeyValue(reader: ProtobufReader, attributes: KeyValue[], depth = 1): void {
  if (depth === 1 && attributes.length >= MAX_ATTRIBUTES) {
    passKeyValue(reader, depth);
    attributes.push(DROPPED);
    return;
  }
  reader.nodes.take(NODES_PER_ATTRIBUTE);
  const keyValue: KeyValue = { key: "", value: EMPTY_VALUE };
  const outerEnd = reader.enter();
  while (reader.nextField()) {
    switch (reader.field) {
      case 1:
        keyValue.key = depth === 1 ? reader.stringOr(TOO_LONG_KEY, MAX_KEY_BYTES) : reader.string();
        break;
      case 2:
        keyValue.value = decodeAnyValue(reader, depth);
        break;
      default:
        reader.skip();
    }
  }
  reader.leave(outerEnd);
  attributes.push(keyValue);
}

/** `AnyValue` of the current field. The last member of the oneof wins. */
export function decodeAnyValue(reader: ProtobufReader, depth = 1): AnyValue {
  let value = EMPTY_VALUE;
  const outerEnd = reader.enter();
  while (reader.nextField()) {
    switch (reader.field) {
      case 1:
        value = { type: "stringValue", value: reader.string() };
        break;
      case 2:
        value = { type: "boolValue", value: reader.bool() };
        break;
      case 3:
        value = { type: "intValue", value: reader.int64() };
        break;
      case 4:
        value = { type: "doubleValue", value: reader.double() };
        break;
      case 5:
        value = decodeArrayValue(reader, depth + 1);
        break;
      case 6:
        value = decodeKeyValueList(reader, depth + 1);
        break;
      case 7:
        value = { type: "bytesValue", value: reader.bytes() };
        break;
      default:
        reader.skip();
    }
  }
  reader.leave(outerEnd);
  return value;
}

function decodeArrayValue(reader: ProtobufReader, depth: number): AnyValue {
  const values: AnyValue[] = [];
  const outerEnd = reader.enter();
  while (reader.nextField()) {
    if (reader.field === 1) {
      checkAnyValueDepth(depth);
      reader.nodes.take(NODES_PER_ATTRIBUTE);
      values.push(decodeAnyValue(reader, depth));
    } else reader.skip();
  }
  reader.leave(outerEnd);
  return { type: "arrayValue", value: values };
}

function decodeKeyValueList(reader: ProtobufReader, depth: number): AnyValue {
  const values: KeyValue[] = [];
  const outerEnd = reader.enter();
  while (reader.nextField()) {
    if (reader.field === 1) {
      checkAnyValueDepth(depth);
      readKeyValue(reader, values, depth);
    } else reader.skip();
  }
  reader.leave(outerEnd);
  return { type: "kvlistValue", value: values };
}

export function readResource(reader: ProtobufReader, resource: Resource): void {
  const outerEnd = reader.enter();
  readResourceFields(reader, resource);
  reader.leave(outerEnd);
}

/** To the end of the message the reader is in. */
export function readResourceFields(reader: ProtobufReader, resource: Resource): void {
  while (reader.nextField()) {
    if (reader.field === 1) readKeyValue(reader, resource.attributes);
    else reader.skip();
  }
}

export function readScope(reader: ProtobufReader, scope: InstrumentationScope): void {
  const outerEnd = reader.enter();
  readScopeFields(reader, scope);
  reader.leave(outerEnd);
}

/** To the end of the message the reader is in. */
export function readScopeFields(reader: ProtobufReader, scope: InstrumentationScope): void {
  while (reader.nextField()) {
    switch (reader.field) {
      case 1:
        scope.name = reader.string();
        break;
      case 2:
        scope.version = reader.string();
        break;
      case 3:
        readKeyValue(reader, scope.attributes);
        break;
      default:
        reader.skip();
    }
  }
}
