import type { Readable } from "node:stream";

/** A longer line is no message of ours. */
const MAX_LINE_BYTES = 256 * 1024 * 1024;
const LINE_END = 0x0a;

/** Calls `onValue` for each line of JSON. What is no JSON, or too long, ends the reading: its sender broke the rules. */
export function readJsonLines(stream: Readable, onValue: (value: unknown) => void): void {
  let pending: Buffer[] = [];
  let size = 0;
  const take = (line: Buffer): void => {
    const value = parsed(line);
    if (value === undefined) stream.destroy();
    else onValue(value);
  };
  stream.on("data", (chunk: Buffer) => {
    let rest = chunk;
    for (let end = rest.indexOf(LINE_END); end >= 0 && !stream.destroyed; end = rest.indexOf(LINE_END)) {
      take(Buffer.concat([...pending, rest.subarray(0, end)]));
      pending = [];
      size = 0;
      rest = rest.subarray(end + 1);
    }
    pending.push(rest);
    size += rest.length;
    if (size > MAX_LINE_BYTES) stream.destroy();
  });
  // The other end may be killed while it writes.
  stream.on("error", () => {});
}

function parsed(line: Buffer): unknown {
  try {
    return JSON.parse(line.toString("utf8")) as unknown;
  } catch {
    return undefined;
  }
}
