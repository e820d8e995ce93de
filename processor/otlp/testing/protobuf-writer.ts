/** The writer under the names of what tests put together by hand; each function returns the bytes of one field. */
export {
  doubleField,
  fixed32Field,
  fixed64Field,
  lengthField as bytesField,
  lengthField as messageField,
  textField,
  varint,
  varintField,
} from "../protobuf-writer.ts";

export const concat = (...parts: readonly Uint8Array[]): Uint8Array => Buffer.concat(parts);
