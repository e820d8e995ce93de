import { StringDecoder } from "node:string_decoder";
import { Writable } from "node:stream";

/** What a command writes, kept in memory up to a bound. */
export interface CapturedStream {
  /** As a command's stream: no terminal, so no colours and no bars. */
  readonly stream: NodeJS.WriteStream;
  text(): string;
  /** More was written than is kept. */
  isCut(): boolean;
}

/** `onLine` is told of each whole line, as it comes. */
export function captureStream(maxChars: number, onLine?: (line: string) => void): CapturedStream {
  const decoder = new StringDecoder("utf8");
  const parts: string[] = [];
  let length = 0;
  let isCut = false;
  let line = "";

  function keep(text: string): void {
    const room = maxChars - length;
    if (text.length > room) isCut = true;
    const kept = text.slice(0, Math.max(0, room));
    length += kept.length;
    if (kept !== "") parts.push(kept);
  }

  function tellLines(text: string): void {
    if (onLine === undefined) return;
    const lines = (line + text).split("\n");
    line = (lines.pop() ?? "").slice(0, MAX_LINE);
    for (const whole of lines) onLine(whole.slice(0, MAX_LINE));
  }

  const stream = new Writable({
    decodeStrings: true,
    write(chunk: Buffer, _encoding, done) {
      const text = decoder.write(chunk);
      keep(text);
      tellLines(text);
      done();
    },
  });
  return { stream: stream as unknown as NodeJS.WriteStream, text: () => parts.join(""), isCut: () => isCut };
}

const MAX_LINE = 2_000;
