import { createHash } from "node:crypto";
import { MAX_TEXT_BYTES } from "./limits.ts";

/** Where a text was cut: the row's column, the index within a nested column, the key within a map. */
export interface TextPlace {
  readonly column: string;
  readonly index?: number;
  readonly key?: string;
}

/** One entry of `values` in the attribute `runproof.truncated`. */
export interface CutValue extends TextPlace {
  /** Length of the whole text as UTF-8. */
  readonly bytes: number;
  /** Hex digest of the whole text as UTF-8. */
  readonly sha256: string;
}

/** What a row lost to the limits. The row says so itself, so no reader has to guess what is missing. */
export interface RowLosses {
  readonly values: CutValue[];
  droppedAttributes: number;
}

export const noLosses = (): RowLosses => ({ values: [], droppedAttributes: 0 });

const isContinuation = (byte: number | undefined): boolean => byte !== undefined && (byte & 0xc0) === 0x80;

/** Returns `text`, or its first `MAX_TEXT_BYTES` bytes at a character boundary; a cut is added to `losses`. */
export function cutText(text: string, place: TextPlace, losses: RowLosses): string {
  // UTF-8 needs at most three bytes per UTF-16 unit, so almost no text is measured.
  if (text.length * 3 <= MAX_TEXT_BYTES || Buffer.byteLength(text) <= MAX_TEXT_BYTES) return text;
  const utf8 = Buffer.from(text);
  let end = MAX_TEXT_BYTES;
  while (isContinuation(utf8[end])) end--;
  losses.values.push({ ...place, bytes: utf8.length, sha256: createHash("sha256").update(utf8).digest("hex") });
  return utf8.toString("utf8", 0, end);
}

/** Value of `runproof.truncated`: JSON text `{"values": CutValue[], "droppedAttributes": number}`. */
export const lossesText = (losses: RowLosses): string => JSON.stringify(losses);

export const hasLosses = (losses: RowLosses): boolean => losses.values.length > 0 || losses.droppedAttributes > 0;
