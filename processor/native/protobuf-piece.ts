import { GrowableBytes } from "./growable-bytes.ts";
import { innerEnd } from "./check-attribute.ts";
import type { WireCursor } from "./wire-cursor.ts";

/** `content` as a length-delimited field: what the existing decoder reads. */
export function lengthDelimited(field: number, content: Uint8Array): Uint8Array {
  const bytes = new GrowableBytes();
  bytes.appendVarint((field << 3) | 2);
  bytes.appendVarint(content.length);
  bytes.appendBytes(content);
  return bytes.taken();
}

/**
 * Content of the embedded message `field` in the message from `cursor.pos` to `end`, which is passed over and must
 * hold length-delimited fields under the numbers in `embedded`. A message in several pieces is their concatenation.
 */
export function embeddedMessage(cursor: WireCursor, end: number, field: number, embedded: number): Uint8Array {
  const pieces: Uint8Array[] = [];
  while (cursor.pos < end) {
    const tag = cursor.tag(end);
    const number = tag >>> 3;
    if (number > embedded) cursor.skip(tag, end);
    else {
      const pieceEnd = innerEnd(cursor, tag, end);
      if (number === field) pieces.push(cursor.bytes.subarray(cursor.pos, pieceEnd));
      cursor.pos = pieceEnd;
    }
  }
  return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
}

/** Calls `visit`, which must move to the end it is given, for every embedded message of this field. */
export function forEachMessage(
  cursor: WireCursor,
  message: { readonly start: number; readonly end: number; readonly field: number },
  visit: (end: number) => void,
): void {
  const { start, end, field } = message;
  cursor.pos = start;
  while (cursor.pos < end) {
    const tag = cursor.tag(end);
    if (tag >>> 3 === field) visit(innerEnd(cursor, tag, end));
    else cursor.skip(tag, end);
  }
}
