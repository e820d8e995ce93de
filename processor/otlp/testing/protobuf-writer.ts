/** Writes protobuf fields for tests; each function returns the bytes of one field. */

export function varint(value: bigint | number): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  while (rest > 0x7fn) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}

const tag = (field: number, wireType: number): Uint8Array => varint((field << 3) | wireType);

export const varintField = (field: number, value: bigint | number): Uint8Array => concat(tag(field, 0), varint(value));

export const bytesField = (field: number, value: Uint8Array): Uint8Array =>
  concat(tag(field, 2), varint(value.length), value);

export const textField = (field: number, value: string): Uint8Array => bytesField(field, Buffer.from(value));

export const messageField = (field: number, ...fields: readonly Uint8Array[]): Uint8Array =>
  bytesField(field, concat(...fields));

export function fixed64Field(field: number, value: bigint): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return concat(tag(field, 1), bytes);
}

export function doubleField(field: number, value: number): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return concat(tag(field, 1), bytes);
}

export function fixed32Field(field: number, value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return concat(tag(field, 5), bytes);
}

export const concat = (...parts: readonly Uint8Array[]): Uint8Array => Buffer.concat(parts);
