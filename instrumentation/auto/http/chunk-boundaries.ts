const PSEUDONYM = /\[redacted:[a-z0-9_]{1,32}:[0-9a-fA-F]{12}\]/;

/** A run of bytes that is the same in both. */
interface Common {
  readonly before: number;
  readonly after: number;
  readonly length: number;
}

/**
 * Cuts a redacted body where the original was cut. A cut within a secret moves behind its pseudonym, so a chunk may
 * become empty; there are as many as before.
 */
export function cutLikeBefore(before: readonly Buffer[], after: Buffer): Buffer[] {
  const common = commonParts(Buffer.concat(before).toString("latin1"), after.toString("latin1"));
  let offset = 0;
  let from = 0;
  return before.map((chunk, index) => {
    offset += chunk.length;
    const cut = index === before.length - 1 ? after.length : Math.max(from, placeAfter(offset, common, after.length));
    const piece = after.subarray(from, cut);
    from = cut;
    return piece;
  });
}

/** Cuts into as many pieces, as long in proportion: for bodies whose compressed form has changed altogether. */
export function cutInProportion(before: readonly Buffer[], after: Buffer): Buffer[] {
  const total = before.reduce((sum, chunk) => sum + chunk.length, 0);
  let offset = 0;
  return before.map((chunk) => {
    const from = Math.round((offset / Math.max(1, total)) * after.length);
    offset += chunk.length;
    return after.subarray(from, Math.round((offset / Math.max(1, total)) * after.length));
  });
}

/** What stands between pseudonyms stood in the original too, in this order. */
function commonParts(before: string, after: string): Common[] {
  const parts: Common[] = [];
  let from = 0;
  let at = 0;
  for (const text of after.split(new RegExp(`(${PSEUDONYM.source})`))) {
    const found = PSEUDONYM.test(text) ? -1 : before.indexOf(text, from);
    if (found >= 0 && text !== "") {
      parts.push({ before: found, after: at, length: text.length });
      from = found + text.length;
    }
    at += text.length;
  }
  return parts;
}

function placeAfter(offset: number, common: readonly Common[], end: number): number {
  const next = common.find((part) => offset <= part.before + part.length);
  if (next === undefined) return end;
  return next.after + Math.max(0, offset - next.before);
}
