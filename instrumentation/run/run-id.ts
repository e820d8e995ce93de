import { realRandomBytes } from "../real-sources.ts";

/** UUID version 7 (RFC 9562): sorts by time, so that neighbouring runs lie together in the store. */
export function newRunId(nowMillis: number): string {
  const bytes = realRandomBytes(16);
  bytes.writeUIntBE(nowMillis, 0, 6);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x70, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  // One text, not one of five parts: every span of the run carries it, and exporters read it letter by letter.
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

/** Random ids for runs without an SDK, in OpenTelemetry's form. */
export const newTraceId = (): string => realRandomBytes(16).toString("hex");
export const newSpanId = (): string => realRandomBytes(8).toString("hex");
