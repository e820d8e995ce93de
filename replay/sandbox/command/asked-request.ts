import type { IncomingMessage } from "node:http";

/** A request of the agent, with the address it was meant for. */
export interface AskedRequest {
  readonly method: string;
  readonly url: string;
  /** Names in lower case. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
}

/** A larger request is refused; no recording of one is kept. */
export const MAX_REQUEST_BYTES = 32 * 1024 * 1024;

/** Where a base-URL variable points to: `https://api.openai.com/v1` becomes `<server>/https/api.openai.com/v1`. */
export function baseUrlFor(serverUrl: string, address: string): string {
  const { protocol, host, pathname } = new URL(address);
  return `${serverUrl}/${protocol.slice(0, -1)}/${host}${pathname.replace(/\/$/, "")}`;
}

/**
 * The address a request was meant for: that of a proxy request as it is, that of a base URL from its path. `undefined`
 * for a request that is neither.
 */
export function askedUrl(target: string, serverUrl: string): string | undefined {
  const path = target.startsWith(`${serverUrl}/`) ? target.slice(serverUrl.length) : target;
  const match = /^\/(https?)\/([^/?#]+)(.*)$/s.exec(path);
  const address = match === null ? path : `${match[1]}://${match[2]}${match[3]}`;
  const parsed = /^https?:\/\//i.test(address) ? URL.parse(address) : null;
  if (parsed === null) return undefined;
  parsed.hash = "";
  return parsed.href;
}

/** Reads a request's body. `undefined` when it is larger than anything recorded. */
export async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_REQUEST_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Headers as pairs, names in lower case, in the order they came. */
export const headerPairs = ({ rawHeaders }: IncomingMessage): [string, string][] =>
  rawHeaders.flatMap((name, i): [string, string][] =>
    i % 2 === 0 ? [[name.toLowerCase(), rawHeaders[i + 1] ?? ""]] : [],
  );
