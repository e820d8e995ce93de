/** The textual form of 16 random bytes as a UUID of version 4 (RFC 9562). */
export function uuidFromBytes(bytes: Buffer): string {
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x40, 6);
  return uuidText(bytes);
}

/** The same of version 7: it begins with a time, milliseconds since the epoch. */
export function uuidV7FromBytes(bytes: Buffer, unixMillis: number): string {
  bytes.writeUIntBE(unixMillis, 0, 6);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x70, 6);
  return uuidText(bytes);
}

function uuidText(bytes: Buffer): string {
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
