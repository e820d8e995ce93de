import type { AnyValue, KeyValue } from "./model.ts";
import { doubleField, lengthField, textField, varintField } from "./protobuf-writer.ts";

/** `AnyValue` without the field it stands in. A member of its oneof is written also when it is 0, false or empty. */
export function anyValueToProtobuf(value: AnyValue): Buffer {
  switch (value.type) {
    case "empty":
      return Buffer.alloc(0);
    case "stringValue":
      return textField(1, value.value);
    case "boolValue":
      return varintField(2, value.value ? 1 : 0);
    case "intValue":
      return varintField(3, value.value);
    case "doubleValue":
      return doubleField(4, value.value);
    case "arrayValue":
      return lengthField(5, ...value.value.map((item) => lengthField(1, anyValueToProtobuf(item))));
    case "kvlistValue":
      return lengthField(6, ...keyValueFields(1, value.value));
    case "bytesValue":
      return lengthField(7, value.value);
  }
}

/** `repeated KeyValue`, such as `attributes`. */
export const keyValueFields = (field: number, items: readonly KeyValue[]): Buffer[] =>
  items.map(({ key, value }) => lengthField(field, textField(1, key), lengthField(2, anyValueToProtobuf(value))));
