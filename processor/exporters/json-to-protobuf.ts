import { decodeAnyValue, decodeAttributes } from "../otlp/json-common.ts";
import { parseJsonDocument } from "../otlp/json-document.ts";
import { type JsonObject, objectFrom, readArray, readHexId, readObject } from "../otlp/json-fields.ts";
import { readString, readUint32, readUint64 } from "../otlp/json-fields.ts";
import { NodeBudget } from "../otlp/node-budget.ts";
import type { RecordKind } from "../spool/index.ts";
import { anyValueToProtobuf, keyValueFields } from "../otlp/any-value-to-protobuf.ts";
import { EXPORT_LOGS, EXPORT_TRACES, type OtlpField, type OtlpMessage, type ScalarType } from "./otlp-messages.ts";
import { fixed32Field, fixed64Field, lengthField, textField, varintField } from "../otlp/protobuf-writer.ts";

/** An OTLP/JSON request as protobuf, with every field the proto knows. @throws OtlpDecodeError as the JSON decoders do */
export const jsonBodyToProtobuf = (body: Uint8Array, kind: RecordKind): Uint8Array =>
  otlpJsonToProtobuf(parseJsonDocument(body), kind);

/** The same for a parsed document. */
export function otlpJsonToProtobuf(document: JsonObject, kind: RecordKind): Uint8Array {
  return Buffer.concat(messageFields(document, kind === "traces" ? EXPORT_TRACES : EXPORT_LOGS, new NodeBudget()));
}

function messageFields(object: JsonObject, message: OtlpMessage, nodes: NodeBudget): Buffer[] {
  return Object.entries(message).flatMap(([name, field]) =>
    object[name] === undefined || object[name] === null ? [] : fieldBytes(object, name, { field, nodes }),
  );
}

interface FieldContext {
  readonly field: OtlpField;
  readonly nodes: NodeBudget;
}

function fieldBytes(object: JsonObject, name: string, { field, nodes }: FieldContext): Buffer[] {
  const { number, type, repeated } = field;
  if (typeof type === "string") return scalarBytes(object, name, { number, type, nodes });
  const items = repeated === true ? readArray(object, name) : [object[name]];
  return items.map((item) => lengthField(number, ...messageFields(objectFrom(item, name), type, nodes)));
}

interface ScalarContext {
  readonly number: number;
  readonly type: ScalarType;
  readonly nodes: NodeBudget;
}

function scalarBytes(object: JsonObject, name: string, { number, type, nodes }: ScalarContext): Buffer[] {
  switch (type) {
    case "text":
      return [textField(number, readString(object, name))];
    case "hex":
      return [lengthField(number, Buffer.from(readHexId(object, name), "hex"))];
    case "fixed64":
      return [fixed64Field(number, readUint64(object, name))];
    case "fixed32":
      return [fixed32Field(number, readUint32(object, name))];
    case "enum":
      return [varintField(number, readUint32(object, name))];
    case "value":
      return [lengthField(number, anyValueToProtobuf(decodeAnyValue(readObject(object, name), nodes)))];
    case "attributes":
      return keyValueFields(number, decodeAttributes(object, nodes));
    case "count":
    case "flags":
      return uncheckedBytes(object[name], { number, type, nodes });
  }
}

const MAX_UINT32 = 0xffff_ffff;

/** A body was acknowledged without a look at these: they must not keep it from going on. */
function uncheckedBytes(value: unknown, { number, type }: ScalarContext): Buffer[] {
  const integer = Number(value);
  if (!Number.isInteger(integer) || integer < 0 || integer > MAX_UINT32) return [];
  return [type === "flags" ? fixed32Field(number, integer) : varintField(number, integer)];
}
