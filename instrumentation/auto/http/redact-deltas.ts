import type { Redactor } from "../../capture/redactor.ts";
import { isJsonObject, parseJson, type JsonValue } from "../../json/json.ts";
import { cutLikeBefore } from "./chunk-boundaries.ts";

/** Members in which providers send a text piece by piece. */
const DELTA_NAMES: ReadonlySet<string> = new Set([
  ...["content", "text", "delta", "arguments", "partial_json", "thinking", "refusal", "input", "output"],
  ...["transcript", "reasoning", "reasoning_content", "completion", "response", "token", "message", "generated_text"],
]);

interface Piece {
  readonly document: number;
  /** Member names and list indexes down to the text. */
  readonly path: readonly string[];
  readonly text: string;
}

/**
 * A model says a secret in several pieces, one a document, and no piece looks like it. Joins the pieces of each text,
 * redacts the whole, and cuts it as it was cut. The same list when nothing had to change.
 */
export function redactDeltas(documents: readonly string[], redactor: Pick<Redactor, "text">): readonly string[] {
  const parsed = documents.map((document) => parseJson(document));
  const pieces = parsed.flatMap((value, document) => [...piecesOf(value, { document, path: [], place: "" })]);
  const changed = new Map<number, JsonValue>();
  for (const group of Map.groupBy(pieces, (piece) => piece.place).values()) {
    for (const { document, path, text } of changedPieces(group, redactor)) {
      changed.set(document, replacedAt(changed.get(document) ?? parsed[document] ?? null, path, text));
    }
  }
  if (changed.size === 0) return documents;
  return documents.map((document, index) => {
    const value = changed.get(index);
    return value === undefined ? document : JSON.stringify(value);
  });
}

interface Placed extends Piece {
  readonly place: string;
}

type At = Omit<Placed, "text">;

/** Texts that are sent side by side are told apart by their path and by the `index` members along it. */
function* piecesOf(value: JsonValue | undefined, at: At): Generator<Placed> {
  if (typeof value === "string") {
    if (DELTA_NAMES.has(at.path.at(-1) ?? "") && value !== "") yield { ...at, text: value };
    return;
  }
  if (typeof value !== "object" || value === null) return;
  const index = isJsonObject(value) ? value["index"] : undefined;
  const place = typeof index === "number" ? `${at.place}#${index}` : at.place;
  for (const [name, member] of Object.entries(value)) {
    yield* piecesOf(member, { ...at, path: [...at.path, name], place: `${place}/${name}` });
  }
}

function changedPieces(group: readonly Piece[], redactor: Pick<Redactor, "text">): Piece[] {
  if (group.length < 2) return [];
  const joined = group.map((piece) => piece.text).join("");
  const redacted = redactor.text(joined);
  if (redacted === joined) return [];
  const cut = cutLikeBefore(
    group.map((piece) => Buffer.from(piece.text)),
    Buffer.from(redacted),
  );
  return group
    .map((piece, index) => ({ ...piece, text: cut[index]?.toString() ?? "" }))
    .filter((piece, index) => piece.text !== group[index]?.text);
}

function replacedAt(value: JsonValue, path: readonly string[], text: string): JsonValue {
  const [name, ...rest] = path;
  if (name === undefined) return text;
  if (Array.isArray(value)) {
    return value.map((item: JsonValue, index) => (String(index) === name ? replacedAt(item, rest, text) : item));
  }
  if (!isJsonObject(value)) return value;
  const members = Object.entries(value).map(([key, member]): [string, JsonValue] =>
    key === name ? [key, replacedAt(member, rest, text)] : [key, member],
  );
  return Object.fromEntries(members);
}
