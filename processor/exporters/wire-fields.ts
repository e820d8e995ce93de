import { LeaveFastPath, WIRE_LENGTH, WireCursor } from "../native/wire-cursor.ts";

/** A field of a protobuf message, where it lies. */
export interface WireField {
  readonly number: number;
  /** The field with its tag, as it came. */
  readonly whole: Uint8Array;
  /** Content of a message, text or bytes; `undefined` for the other wire types. */
  readonly content: Uint8Array | undefined;
}

/** Bytes that are no protobuf message. Bodies that were acknowledged are. */
export class WireFormatError extends Error {
  readonly code = "PROTOBUF_MALFORMED";
  constructor(options?: ErrorOptions) {
    super("the bytes are no protobuf message", options);
    this.name = "WireFormatError";
  }
}

/** The fields of a message in order, known or not. Views, no copies. @throws WireFormatError */
export function wireFields(message: Uint8Array): WireField[] {
  const cursor = new WireCursor(message);
  const end = message.length;
  const fields: WireField[] = [];
  try {
    while (cursor.pos < end) {
      const start = cursor.pos;
      const tag = cursor.tag(end);
      const from = cursor.pos;
      cursor.skip(tag, end);
      const whole = message.subarray(start, cursor.pos);
      fields.push({
        number: tag >>> 3,
        whole,
        content: (tag & 7) === WIRE_LENGTH ? contentOf(cursor, from) : undefined,
      });
    }
  } catch (cause) {
    if (!(cause instanceof LeaveFastPath)) throw cause;
    throw new WireFormatError({ cause });
  }
  return fields;
}

/** What the length at `from` measures; the cursor stands behind it. */
function contentOf(cursor: WireCursor, from: number): Uint8Array {
  const end = cursor.pos;
  cursor.pos = from;
  cursor.lengthEnd(end);
  const content = cursor.bytes.subarray(cursor.pos, end);
  cursor.pos = end;
  return content;
}

/** Contents of a repeated or piecewise field. */
export const contentsOf = (fields: readonly WireField[], number: number): Uint8Array[] =>
  fields.flatMap((field) => (field.number === number && field.content !== undefined ? [field.content] : []));
