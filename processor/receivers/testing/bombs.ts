import { constants, createGzip, gzipSync } from "node:zlib";
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

let bomb: Promise<Buffer> | undefined;

/** About 1 MiB that inflates to 1 GiB; made once, because making it takes seconds. */
export const gzipBomb = (): Promise<Buffer> => (bomb ??= makeGzipBomb());

async function makeGzipBomb(): Promise<Buffer> {
  const gzip = createGzip({ level: constants.Z_BEST_COMPRESSION });
  const block = Buffer.alloc(MIB, " ");
  const packed: Buffer[] = [];
  gzip.on("data", (chunk: Buffer) => packed.push(chunk));
  for (let written = 0; written < GIB; written += MIB) {
    if (!gzip.write(block)) await new Promise((resolve) => gzip.once("drain", resolve));
  }
  gzip.end();
  await new Promise((resolve) => gzip.once("end", resolve));
  return Buffer.concat(packed);
}

/** The bomb in another gzip: a receiver that inflates twice is lost. */
export const doubleGzip = async (): Promise<Buffer> => gzipSync(await gzipBomb());

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
