import type { ServerResponse } from "node:http";
import { failOpen } from "../../fail-open.ts";

const MAX_BYTES = 256 * 1024;
const TEXT = /^(?:text\/|application\/(?:json|x-ndjson|[\w.+-]*\+json))/i;

type Writer = (this: unknown, ...args: unknown[]) => unknown;

/**
 * Listens in on what a server answers. The returned function gives the text, once the response is out: `undefined` for
 * one that is no text, is compressed or is over 256 KiB.
 */
export function tapAnswerText(response: ServerResponse): () => string | undefined {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const written = ([chunk, encoding]: readonly unknown[]): void => {
    if (typeof chunk !== "string" && !(chunk instanceof Uint8Array)) return;
    bytes += chunk.length;
    if (bytes > MAX_BYTES) return;
    chunks.push(typeof chunk === "string" ? Buffer.from(chunk, encodingOf(encoding)) : Buffer.from(chunk));
  };
  for (const name of ["write", "end"] as const) {
    const original = response[name] as Writer;
    const holder = response as unknown as Record<string, Writer>;
    holder[name] = function tapped(this: unknown, ...args: unknown[]): unknown {
      failOpen("reading an answer", () => written(args), undefined);
      return Reflect.apply(original, this, args);
    };
  }
  return () => {
    if (bytes > MAX_BYTES || chunks.length === 0 || !isPlainText(response)) return undefined;
    return Buffer.concat(chunks).toString("utf8");
  };
}

const isPlainText = (response: ServerResponse): boolean =>
  response.getHeader("content-encoding") === undefined &&
  TEXT.test(String(response.getHeader("content-type") ?? "text/"));

const encodingOf = (encoding: unknown): BufferEncoding =>
  typeof encoding === "string" && Buffer.isEncoding(encoding) ? encoding : "utf8";
