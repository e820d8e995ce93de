import type { Readable } from "node:stream";

/** Told every part of a request body, in order. */
export type BodyTap = (bytes: Uint8Array) => void;

/**
 * Gives `tap` the body while it is sent, and returns what has to be sent in its place: the body itself wherever it can
 * be watched, so that what goes over the wire stays as it was.
 */
export function tappedBody(body: unknown, tap: BodyTap): unknown {
  const bytes = bytesOf(body);
  if (bytes !== undefined) tap(bytes);
  else if (isStream(body)) tapStream(body, tap);
  else if (isFormData(body)) tap(Buffer.from(formText(body)));
  else if (isAsyncIterable(body) || isIterable(body)) return tappedIterable(body, tap);
  return body;
}

/** Reads the whole body, where nothing is going to be sent. */
export async function drainedBody(body: unknown): Promise<Buffer> {
  const bytes = bytesOf(body);
  if (bytes !== undefined) return Buffer.from(bytes);
  if (isFormData(body)) return Buffer.from(formText(body));
  if (body instanceof Blob) return Buffer.from(await body.arrayBuffer());
  const parts: Buffer[] = [];
  if (isAsyncIterable(body) || isIterable(body)) for await (const part of body) parts.push(Buffer.from(partOf(part)));
  return Buffer.concat(parts);
}

function bytesOf(body: unknown): Uint8Array | undefined {
  if (body === null || body === undefined) return new Uint8Array();
  if (typeof body === "string") return Buffer.from(body);
  if (ArrayBuffer.isView(body)) return new Uint8Array(body.buffer, body.byteOffset, body.byteLength);
  return body instanceof ArrayBuffer ? new Uint8Array(body) : undefined;
}

const partOf = (part: unknown): Uint8Array => bytesOf(part) ?? Buffer.from(String(part));

const isStream = (body: unknown): body is Readable =>
  typeof body === "object" && body !== null && "pipe" in body && typeof body.pipe === "function";

const isFormData = (body: unknown): body is FormData =>
  typeof body === "object" && body !== null && (body as Record<symbol, unknown>)[Symbol.toStringTag] === "FormData";

const isIterable = (body: unknown): body is Iterable<unknown> =>
  typeof body === "object" && body !== null && Symbol.iterator in body;

const isAsyncIterable = (body: unknown): body is AsyncIterable<unknown> =>
  typeof body === "object" && body !== null && Symbol.asyncIterator in body;

/** A stream is read through its events: whoever emits `data` is told of first. */
function tapStream(stream: Readable, tap: BodyTap): void {
  const { emit } = stream;
  stream.emit = function tappedEmit(this: Readable, name: string | symbol, ...args: unknown[]): boolean {
    if (name === "data") tap(partOf(args[0]));
    return Reflect.apply(emit, this, [name, ...args]) as boolean;
  } as typeof emit;
}

async function* tappedIterable(body: AsyncIterable<unknown> | Iterable<unknown>, tap: BodyTap): AsyncGenerator {
  for await (const part of body) {
    tap(partOf(part));
    yield part;
  }
}

/** Parts without the boundary, which would be another one each time; files by name, type and size. */
function formText(form: FormData): string {
  const parts = [...form].map(([name, value]) =>
    typeof value === "string" ? [name, value] : [name, { file: value.name, type: value.type, size: value.size }],
  );
  return JSON.stringify(parts);
}
