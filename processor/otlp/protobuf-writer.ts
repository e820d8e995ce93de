/** Writes the protobuf wire format (https://protobuf.dev/programming-guides/encoding/); each function gives one field. */

const WIRE_VARINT = 0;
const WIRE_FIXED64 = 1;
const WIRE_LENGTH = 2;
const WIRE_FIXED32 = 5;

export function varint(value: number | bigint): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  bytes.push(Number(rest));
  return Buffer.from(bytes);
}

const tag = (field: number, wireType: number): Buffer => varint(field * 8 + wireType);

/** A message, text or bytes, given in pieces. */
export function lengthField(field: number, ...pieces: readonly Uint8Array[]): Buffer {
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  return Buffer.concat([tag(field, WIRE_LENGTH), varint(length), ...pieces]);
}

export const textField = (field: number, text: string): Buffer => lengthField(field, Buffer.from(text));

/** Integers of any type, booleans and enums. */
export const varintField = (field: number, value: number | bigint): Buffer =>
  Buffer.concat([tag(field, WIRE_VARINT), varint(value)]);

export function fixed64Field(field: number, value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return Buffer.concat([tag(field, WIRE_FIXED64), bytes]);
}

export function fixed32Field(field: number, value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return Buffer.concat([tag(field, WIRE_FIXED32), bytes]);
}

export function doubleField(field: number, value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return Buffer.concat([tag(field, WIRE_FIXED64), bytes]);
}
