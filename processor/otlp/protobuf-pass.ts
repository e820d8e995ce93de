import { checkAnyValueDepth } from "./any-value-depth.ts";
import { NODES_PER_ATTRIBUTE } from "./node-budget.ts";
import { type ProtobufReader, WIRE_FIXED64, WIRE_LENGTH, WIRE_VARINT } from "./protobuf-reader.ts";

/** Reads attributes as `protobuf-common.ts` does, with the same faults at the same bytes, and makes nothing of them. */

/** `KeyValue` of the current field. */
export function passKeyValue(reader: ProtobufReader, depth: number): void {
  reader.nodes.take(NODES_PER_ATTRIBUTE);
  const outerEnd = reader.enter();
  while (reader.nextField()) {
    if (reader.field === 1) reader.pass(WIRE_LENGTH);
    else if (reader.field === 2) passAnyValue(reader, depth);
    else reader.skip();
  }
  reader.leave(outerEnd);
}

/** Wire types of the members of `AnyValue` that hold no other value, by field number. */
const SCALAR_TYPES = [-1, WIRE_LENGTH, WIRE_VARINT, WIRE_VARINT, WIRE_FIXED64, -1, -1, WIRE_LENGTH];

function passAnyValue(reader: ProtobufReader, depth: number): void {
  const outerEnd = reader.enter();
  while (reader.nextField()) {
    const { field } = reader;
    if (field === 5 || field === 6) passItems(reader, { depth: depth + 1, areKeyValues: field === 6 });
    else if (field < SCALAR_TYPES.length) reader.pass(SCALAR_TYPES[field]!);
    else reader.skip();
  }
  reader.leave(outerEnd);
}

function passItems(reader: ProtobufReader, items: { depth: number; areKeyValues: boolean }): void {
  const { depth, areKeyValues } = items;
  const outerEnd = reader.enter();
  while (reader.nextField()) {
    if (reader.field !== 1) reader.skip();
    else {
      checkAnyValueDepth(depth);
      if (areKeyValues) passKeyValue(reader, depth);
      else {
        reader.nodes.take(NODES_PER_ATTRIBUTE);
        passAnyValue(reader, depth);
      }
    }
  }
  reader.leave(outerEnd);
}
