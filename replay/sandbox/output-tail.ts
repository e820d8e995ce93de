import type { Readable } from "node:stream";

/** What a process printed, the last `maxBytes` of it. */
export interface OutputTail {
  text(): string;
}

/** Reads a stream to its end and keeps its tail, so that a chatty process fills neither its pipe nor our memory. */
export function outputTail(stream: Readable | null, maxBytes = 64 * 1024): OutputTail {
  let kept = Buffer.alloc(0);
  let dropped = 0;
  stream?.on("data", (chunk: Buffer) => {
    const joined = Buffer.concat([kept, chunk]);
    dropped += Math.max(0, joined.length - maxBytes);
    kept = joined.subarray(-maxBytes);
  });
  return { text: () => (dropped > 0 ? `[${dropped} bytes before this were dropped]\n` : "") + kept.toString("utf8") };
}
