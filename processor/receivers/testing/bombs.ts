import { constants, deflateRawSync, gzipSync } from "node:zlib";
import {
  bytesField,
  concat,
  messageField,
  textField,
  varint,
  varintField,
} from "../../otlp/testing/protobuf-writer.ts";

/** Bodies that are small to send and expensive to believe. */

const GIB = 1024 ** 3;
const MIB = 1024 ** 2;

/** About 1 MiB for each GiB that it inflates to. Its checksum is wrong: nobody may come so far as to see it. */
export function gzipBomb(gib = 1): Buffer {
  const header = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]);
  // Ends at a byte and refers to nothing before it, so it can be repeated.
  const block = deflateRawSync(Buffer.alloc(MIB, " "), { finishFlush: constants.Z_FULL_FLUSH });
  const trailer = Buffer.from([3, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  trailer.writeUInt32LE((gib * GIB) % 2 ** 32, 6);
  return Buffer.concat([header, Buffer.alloc(block.length * gib * 1024, block), trailer]);
}

/** The bomb in another gzip: a receiver that inflates twice is lost. */
export const doubleGzip = (): Buffer => gzipSync(gzipBomb());

const requestWith = (...spanFields: Uint8Array[]): Uint8Array =>
  messageField(1, messageField(2, messageField(2, ...spanFields)));

const ids = (): Uint8Array[] => [
  bytesField(1, Buffer.alloc(16, 1)),
  bytesField(2, Buffer.alloc(8, 1)),
  textField(5, "bomb"),
];

/** One attribute whose value is nested `levels` deep, written from the inside out. */
export function deepProtobuf(levels = 100_000): Uint8Array {
  const parts: Uint8Array[] = [varintField(2, 1)];
  let length = parts[0]!.length;
  for (let level = 0; level < levels; level++) {
    for (const tag of [(1 << 3) | 2, (5 << 3) | 2]) {
      const head = concat(Uint8Array.of(tag), varint(length));
      parts.push(head);
      length += head.length;
    }
  }
  const value = Buffer.concat(parts.toReversed());
  return requestWith(...ids(), messageField(9, textField(1, "deep"), bytesField(2, value)));
}

export function manyAttributes(count = 1_000_000): Uint8Array {
  const value = messageField(2, varintField(2, 1));
  const attributes = Array.from({ length: count }, (_, at) => messageField(9, textField(1, `key${at}`), value));
  return requestWith(...ids(), Buffer.concat(attributes));
}

export const longKey = (bytes = 32 * MIB): Uint8Array =>
  requestWith(...ids(), messageField(9, textField(1, "k".repeat(bytes)), messageField(2, varintField(2, 1))));

export const deepJson = (levels = 5_000_000): Uint8Array => Buffer.alloc(levels, "[");

export function manyJsonAttributes(count = 1_000_000): Uint8Array {
  const attributes = Array.from({ length: count }, (_, at) => `{"key":"key${at}","value":{"boolValue":true}}`);
  return Buffer.from(`{"resourceSpans":[{"resource":{"attributes":[${attributes.join(",")}]}}]}`);
}
