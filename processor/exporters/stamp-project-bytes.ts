import { ATTR_PROJECT, ATTR_PROJECT_CLAIMED } from "../../instrumentation/semconv.ts";
import type { RecordKind } from "../spool/index.ts";
import { lengthField, textField } from "../otlp/protobuf-writer.ts";
import { contentsOf, type WireField, wireFields } from "./wire-fields.ts";

const MARKER = Buffer.from(ATTR_PROJECT);
/** Field of `attributes` in a resource, and in a span or log record. */
const RESOURCE_ATTRIBUTES = 1;
const RECORD_ATTRIBUTES: Readonly<Record<RecordKind, number>> = { traces: 9, logs: 6 };

/**
 * Makes the credential's project the `runproof.project` of every resource of a protobuf request, as storing it does: what
 * the sender claimed is kept as `runproof.project.claimed`, on records too. All else stays byte for byte.
 * @throws WireFormatError
 */
export function stampProjectBytes(body: Uint8Array, kind: RecordKind, project: string): Uint8Array {
  const own = attribute(ATTR_PROJECT, lengthField(2, textField(1, project)));
  // Most bodies claim nothing, and their records need not be looked at.
  const claims = Buffer.from(body.buffer, body.byteOffset, body.byteLength).includes(MARKER);
  const stamp: Stamp = { own, recordAttributes: claims ? RECORD_ATTRIBUTES[kind] : undefined };
  return rewrite(body, 1, (group) => stampGroup(group, stamp));
}

interface Stamp {
  /** The attribute, as the content of a `KeyValue`. */
  readonly own: Uint8Array;
  /** `undefined`: the records claim nothing. */
  readonly recordAttributes: number | undefined;
}

/** `ResourceSpans` or `ResourceLogs`. Its resource may come in pieces, or not at all: here it is one, and first. */
function stampGroup(group: Uint8Array, { own, recordAttributes }: Stamp): Uint8Array {
  const fields = wireFields(group);
  const resource = overrule(Buffer.concat(contentsOf(fields, 1)), RESOURCE_ATTRIBUTES, own, "always");
  const rest = fields.filter(({ number, content }) => number !== 1 || content === undefined);
  return Buffer.concat([
    lengthField(1, resource),
    ...rest.map((field) =>
      recordAttributes === undefined ? field.whole : rewriteField(field, 2, (scope) => stampScope(scope)),
    ),
  ]);

  function stampScope(scope: Uint8Array): Uint8Array {
    return rewrite(scope, 2, (record) => overrule(record, recordAttributes!, own, "if claimed"));
  }
}

/** Puts our own project among the attributes of a message; what was there before, the last of it, goes on as a claim. */
function overrule(message: Uint8Array, attributes: number, own: Uint8Array, when: "always" | "if claimed"): Uint8Array {
  const fields = wireFields(message);
  const claims = fields.map((field) => (field.number === attributes ? claimOf(field) : undefined));
  const claimed = claims.findLast((claim) => claim !== undefined);
  if (claimed === undefined && when === "if claimed") return message;
  const kept = fields.filter((_, index) => claims[index] === undefined).map(({ whole }) => whole);
  const isOwn = claimed === undefined || attribute(ATTR_PROJECT, claimed).equals(own);
  const claim = isOwn ? [] : [lengthField(attributes, attribute(ATTR_PROJECT_CLAIMED, claimed))];
  return Buffer.concat([...kept, ...claim, lengthField(attributes, own)]);
}

/** Value, with its tag, of a `KeyValue` that is `runproof.project`. */
function claimOf({ content }: WireField): Uint8Array | undefined {
  if (content === undefined) return undefined;
  const fields = wireFields(content);
  const key = contentsOf(fields, 1).at(-1);
  if (key === undefined || !MARKER.equals(key)) return undefined;
  return Buffer.concat(fields.filter(({ number }) => number !== 1).map(({ whole }) => whole));
}

const attribute = (key: string, value: Uint8Array): Buffer => Buffer.concat([textField(1, key), value]);

/** The message with each embedded message of this field replaced. */
const rewrite = (message: Uint8Array, number: number, replace: (content: Uint8Array) => Uint8Array): Uint8Array =>
  Buffer.concat(wireFields(message).map((field) => rewriteField(field, number, replace)));

const rewriteField = (field: WireField, number: number, replace: (content: Uint8Array) => Uint8Array): Uint8Array =>
  field.number === number && field.content !== undefined ? lengthField(number, replace(field.content)) : field.whole;
