import { isUtf8 } from "node:buffer";
import type { Redactor } from "../../capture/redactor.ts";
import { parseJson, type JsonObject, type JsonValue } from "../../json/json.ts";
import type { CollectedBytes } from "./byte-collector.ts";
import { codingsOf, decoded } from "./content-coding.ts";
import { redactBytes } from "./redact-bytes.ts";

/** Names in lower case. */
export type HeaderList = readonly (readonly [name: string, value: string])[];

export interface SentRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: HeaderList;
  readonly body: CollectedBytes;
}

/**
 * Headers that change what is asked for. Every other one stays out of the record and out of matching: credentials,
 * trace and request ids, versions of libraries.
 */
const ALLOWED: ReadonlySet<string> = new Set([
  ...["accept", "content-type", "content-encoding", "range", "if-match", "if-none-match", "if-modified-since"],
  ...["if-unmodified-since", "last-event-id", "prefer", "x-http-method-override", "mcp-protocol-version"],
  ...["anthropic-version", "anthropic-beta", "openai-beta", "x-github-api-version", "notion-version", "stripe-version"],
]);

/** The request as it is recorded and matched: JSON, not redacted yet but for bytes that are no text. */
export function requestJson({ method, url, headers, body }: SentRequest, redactor: Pick<Redactor, "text">): JsonObject {
  const boundary = boundaryOf(headers, body);
  const kept = headers.filter(([name]) => ALLOWED.has(name)).map(([name, value]) => [name, value] as const);
  const byName = new Map<string, string>();
  for (const [name, value] of kept) {
    const text = boundary === undefined ? value : value.replaceAll(boundary, BOUNDARY);
    byName.set(name, byName.has(name) ? `${byName.get(name)}, ${text}` : text);
  }
  const json = bodyJson(body, { headers, boundary, redactor });
  return { method, url, headers: Object.fromEntries(byName), ...(json === undefined ? {} : { body: json }) };
}

interface BodyContext {
  readonly headers: HeaderList;
  readonly boundary: string | undefined;
  readonly redactor: Pick<Redactor, "text">;
}

function bodyJson(body: CollectedBytes, { headers, boundary, redactor }: BodyContext): JsonValue | undefined {
  if (!body.kept) return { bytes: body.size, sha256: body.sha256 };
  if (body.size === 0) return undefined;
  const whole = Buffer.concat(body.chunks.map((chunk) => chunk.bytes));
  const plain = decoded(whole, codingsOf(headerOf(headers, "content-encoding"))) ?? whole;
  const same = boundary === undefined ? plain : replaced(plain, boundary);
  if (!isUtf8(same)) return { base64: redactBytes(same, redactor).toString("base64") };
  const text = same.toString("utf8");
  const json = /^\s*[[{"]/.test(text) ? parseJson(text) : undefined;
  return json === undefined ? { text } : { json };
}

/** Clients invent a boundary for every multipart body. */
const BOUNDARY = "runproof-boundary";

function boundaryOf(headers: HeaderList, body: CollectedBytes): string | undefined {
  const declared = /^multipart\/.*;\s*boundary="?([^";]+)/i.exec(headerOf(headers, "content-type"))?.[1];
  if (declared !== undefined || !body.kept) return declared;
  // A client that makes the body itself may not have told its dispatcher.
  const start = body.chunks[0]?.bytes.subarray(0, 256).toString("latin1") ?? "";
  return /^--(-{2,}[\w-]{8,70})\r\ncontent-disposition: form-data/i.exec(start)?.[1];
}

const replaced = (bytes: Buffer, boundary: string): Buffer =>
  Buffer.from(bytes.toString("latin1").replaceAll(boundary, BOUNDARY), "latin1");

export const headerOf = (headers: HeaderList, name: string): string =>
  headers
    .filter(([one]) => one === name)
    .map(([, value]) => value)
    .join(", ");
