import { crc32 } from "node:zlib";

/** Which OTLP request the payload is. */
export type RecordKind = "traces" | "logs";
export type RecordEncoding = "protobuf" | "json";
/** `priority`: what a verdict hangs on (start, checkpoint, close of a run); never refused while `bulk` is taken. */
export type RecordLane = "priority" | "bulk";

/** One accepted request, as it lies in the log. */
export interface SpoolRecord {
  readonly kind: RecordKind;
  readonly encoding: RecordEncoding;
  readonly lane: RecordLane;
  /** Project of the credential that sent it. At most 65,535 bytes of UTF-8. */
  readonly project: string;
  /** Collector's clock, milliseconds since the epoch. */
  readonly receivedAtMillis: number;
  /** The OTLP body after decompression. At most `MAX_PAYLOAD_BYTES`. */
  readonly payload: Uint8Array;
}

/** A record and the bytes it takes, relative to the buffer it was read from. The payload is a view, not a copy. */
export interface Frame {
  readonly record: SpoolRecord;
  readonly start: number;
  readonly end: number;
}

/**
 * Why bytes are no frame. `torn`: they end before it does. `zeros`: only zero bytes follow. `magic`: something else
 * lies where a frame starts. `header`, `crc`: a checksum differs. `unknown`: sound, but of a format this code does not know.
 */
export type FrameDamage = "torn" | "zeros" | "magic" | "header" | "crc" | "unknown";

export type FrameStop =
  | { readonly reason: "end" }
  /** `neededBytes`: the whole frame, counted from where it starts, as far as its header could be read. */
  | { readonly reason: "torn"; readonly neededBytes: number }
  | { readonly reason: Exclude<FrameDamage, "torn"> };

export interface FramesRead {
  readonly frames: readonly Frame[];
  /** Where the last good frame ends. */
  readonly end: number;
  readonly stop: FrameStop;
}

/** Far above any receiver limit; a longer length is never believed. */
export const MAX_PAYLOAD_BYTES = 256 * 1024 * 1024;
export const FRAME_HEADER_BYTES = 28;

/** "RPF" and the format's version. */
const MAGIC = Buffer.from([0x52, 0x50, 0x46, 0x01]);
const KINDS: readonly RecordKind[] = ["traces", "logs"];
const ENCODINGS: readonly RecordEncoding[] = ["protobuf", "json"];
const LANES: readonly RecordLane[] = ["bulk", "priority"];
const MAX_PROJECT_BYTES = 0xffff;

/*
 * Little-endian: 0 magic | 4 payload length u32 | 8 CRC of project and payload u32 | 12 received at f64 |
 * 20 project length u16 | 22 kind u8 | 23 encoding and lane, 4 bits each | 24 CRC of bytes 0-23 u32 | 28 project | payload.
 * The header has a checksum of its own, so that a damaged length is never followed.
 */

/** Bytes the record takes in the log. */
export const frameBytes = ({ project, payload }: SpoolRecord): number =>
  FRAME_HEADER_BYTES + Buffer.byteLength(project) + payload.length;

/** The bytes of a frame in order, the payload uncopied. Throws `RangeError` for what no frame can hold. */
export function encodeFrame(record: SpoolRecord): readonly [Uint8Array, Uint8Array] {
  const project = Buffer.from(record.project);
  if (project.length > MAX_PROJECT_BYTES) throw new RangeError("The project's name is too long for the spool.");
  if (record.payload.length > MAX_PAYLOAD_BYTES) throw new RangeError("The body is too large for the spool.");
  const head = Buffer.allocUnsafe(FRAME_HEADER_BYTES + project.length);
  MAGIC.copy(head);
  head.writeUInt32LE(record.payload.length, 4);
  head.writeUInt32LE(crc32(record.payload, crc32(project)), 8);
  head.writeDoubleLE(record.receivedAtMillis, 12);
  head.writeUInt16LE(project.length, 20);
  head.writeUInt8(KINDS.indexOf(record.kind), 22);
  head.writeUInt8(ENCODINGS.indexOf(record.encoding) | (LANES.indexOf(record.lane) << 4), 23);
  head.writeUInt32LE(crc32(head.subarray(0, 24)), 24);
  project.copy(head, FRAME_HEADER_BYTES);
  return [head, record.payload];
}

/** Reads frames up to the first damage. Never throws; allocates nothing that grows with a length it reads. */
export function readFrames(bytes: Uint8Array): FramesRead {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const frames: Frame[] = [];
  let end = 0;
  while (end < buffer.length) {
    const frame = frameAt(buffer, end);
    if ("reason" in frame) return { frames, end, stop: frame };
    frames.push(frame);
    end = frame.end;
  }
  return { frames, end, stop: { reason: "end" } };
}

/**
 * Counts sound frames anywhere in damaged bytes. Only a figure for the operator: a body can hold bytes that look like a
 * frame of another project, so nothing behind a damage is ever taken for a record.
 */
export function countIntactFrames(bytes: Uint8Array): number {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // Bodies full of headers that claim long frames would make the search quadratic.
  let checksumBytes = 4 * buffer.length;
  let count = 0;
  for (let at = buffer.indexOf(MAGIC); at !== -1 && checksumBytes > 0;) {
    const frame = frameAt(buffer, at);
    const sound = !("reason" in frame);
    if (sound) count++;
    if (sound || frame.reason === "crc") checksumBytes -= frameBytesFromHeader(buffer, at);
    at = buffer.indexOf(MAGIC, sound ? frame.end : at + 1);
  }
  return count;
}

function frameAt(buffer: Buffer, start: number): Frame | FrameStop {
  const broken = headerDamage(buffer, start);
  if (broken !== undefined) return broken;
  const end = start + frameBytesFromHeader(buffer, start);
  if (end > buffer.length) return { reason: "torn", neededBytes: end - start };
  const body = start + FRAME_HEADER_BYTES;
  if (crc32(buffer.subarray(body, end)) !== buffer.readUInt32LE(start + 8)) return { reason: "crc" };
  const kind = KINDS[buffer.readUInt8(start + 22)];
  const encoding = ENCODINGS[buffer.readUInt8(start + 23) & 0x0f];
  const lane = LANES[buffer.readUInt8(start + 23) >> 4];
  if (kind === undefined || encoding === undefined || lane === undefined) return { reason: "unknown" };
  const payloadStart = body + buffer.readUInt16LE(start + 20);
  const record: SpoolRecord = {
    kind,
    encoding,
    lane,
    project: buffer.toString("utf8", body, payloadStart),
    receivedAtMillis: buffer.readDoubleLE(start + 12),
    payload: buffer.subarray(payloadStart, end),
  };
  return { record, start, end };
}

function headerDamage(buffer: Buffer, start: number): FrameStop | undefined {
  const left = Math.min(MAGIC.length, buffer.length - start);
  if (buffer.compare(MAGIC, 0, left, start, start + left) !== 0) {
    return { reason: isZero(buffer, start) ? "zeros" : "magic" };
  }
  if (buffer.length - start < FRAME_HEADER_BYTES) return { reason: "torn", neededBytes: FRAME_HEADER_BYTES };
  const sound = crc32(buffer.subarray(start, start + 24)) === buffer.readUInt32LE(start + 24);
  if (!sound || buffer.readUInt32LE(start + 4) > MAX_PAYLOAD_BYTES) return { reason: "header" };
  return undefined;
}

/** Of a header that is sound. */
const frameBytesFromHeader = (buffer: Buffer, start: number): number =>
  FRAME_HEADER_BYTES + buffer.readUInt16LE(start + 20) + buffer.readUInt32LE(start + 4);

function isZero(buffer: Buffer, start: number): boolean {
  for (let at = start; at < buffer.length; at++) if (buffer[at] !== 0) return false;
  return true;
}
