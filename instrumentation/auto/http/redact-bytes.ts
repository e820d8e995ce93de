import { isUtf8 } from "node:buffer";
import type { Redactor } from "../../capture/redactor.ts";
import { parseJson } from "../../json/json.ts";
import { redactDeltas } from "./redact-deltas.ts";

type TextRedactor = Pick<Redactor, "text">;

/**
 * Redacts a body without content coding. The very same bytes when nothing had to change. What is no UTF-8 is searched
 * as Latin-1; of data with control characters in it only the readable parts, for in enough noise anything is found.
 */
export function redactBytes(bytes: Buffer, redactor: TextRedactor): Buffer {
  const encoding = isUtf8(bytes) ? "utf8" : "latin1";
  const text = bytes.toString(encoding);
  const isNoise = encoding === "latin1" && CONTROL.test(text);
  const redacted = isNoise ? text.replace(READABLE, (part) => redactor.text(part)) : redactLines(text, redactor);
  return redacted === text ? bytes : Buffer.from(redacted, encoding);
}

// oxlint-disable-next-line no-control-regex -- control characters are the point
const CONTROL = /[\u0000-\u0008\u000e-\u001f]/;
/** Shorter runs come about by chance, some in every image. */
const READABLE = /[\t\n\r\u0020-\u007e]{12,}/g;

const DATA_LINE = /^(?:data: ?)?(?=[[{])/;

/**
 * Streams of JSON documents (server-sent events, one document a line) hide names, escapes and whole texts from a search
 * of the bytes, so the documents are redacted as such first.
 */
function redactLines(text: string, redactor: TextRedactor): string {
  if (parseJson(text) !== undefined) return redactor.text(text);
  const lines = text.split("\n").map((line) => {
    const lead = DATA_LINE.exec(line)?.[0];
    return lead === undefined ? { lead: line } : { lead, document: line.slice(lead.length) };
  });
  const documents = lines.map((line) => line.document).filter((document) => document !== undefined);
  const redacted = redactDeltas(documents, redactor).values();
  const written = lines.map(({ lead, document }) =>
    document === undefined ? lead : lead + redactor.text(redacted.next().value ?? ""),
  );
  return redactor.text(written.join("\n"));
}
