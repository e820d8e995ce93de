import { checkAnyValueDepth } from "./any-value-depth.ts";
import { boolFrom, bytesFrom, doubleFrom, intValueFrom, objectFrom } from "./json-fields.ts";
import { type JsonObject, readArray, readObject, readString } from "./json-fields.ts";
import { MAX_ATTRIBUTES } from "./limits.ts";
import { type AnyValue, EMPTY_VALUE, type InstrumentationScope, type KeyValue, type Resource } from "./model.ts";
import { NODES_PER_ATTRIBUTE, type NodeBudget } from "./node-budget.ts";

/** `attributes` of a resource, scope, span, event, link or log record. */
export function decodeAttributes(object: JsonObject, nodes: NodeBudget): KeyValue[] {
  return decodeKeyValues(readArray(object, "attributes"), nodes, 1);
}

/** Stands for every attribute over `MAX_ATTRIBUTES`, which will be counted and nothing else. */
const DROPPED: KeyValue = Object.freeze({ key: "", value: EMPTY_VALUE });

function decodeKeyValues(items: readonly unknown[], nodes: NodeBudget, depth: number): KeyValue[] {
  const keyValues: KeyValue[] = [];
  for (const item of items) {
    nodes.take(NODES_PER_ATTRIBUTE);
    const keyValue = objectFrom(item, "an attribute");
    const value = decodeAnyValue(readObject(keyValue, "value"), nodes, depth);
    const key = readString(keyValue, "key");
    keyValues.push(depth === 1 && keyValues.length >= MAX_ATTRIBUTES ? DROPPED : { key, value });
  }
  return keyValues;
}

/** `AnyValue`: the one member that is present and not `null`. */
export function decodeAnyValue(object: JsonObject | undefined, nodes: NodeBudget, depth = 1): AnyValue {
  if (object === undefined) return EMPTY_VALUE;
  checkAnyValueDepth(depth);
  if (isSet(object["stringValue"])) return { type: "stringValue", value: readString(object, "stringValue") };
  if (isSet(object["intValue"])) return decodeIntValue(object["intValue"]);
  if (isSet(object["boolValue"])) return { type: "boolValue", value: boolFrom(object["boolValue"], "boolValue") };
  if (isSet(object["doubleValue"])) {
    return { type: "doubleValue", value: doubleFrom(object["doubleValue"], "doubleValue") };
  }
  if (isSet(object["arrayValue"])) return decodeArrayValue(object, nodes, depth);
  if (isSet(object["kvlistValue"])) {
    const items = readArray(objectFrom(object["kvlistValue"], "kvlistValue"), "values");
    return { type: "kvlistValue", value: decodeKeyValues(items, nodes, depth + 1) };
  }
  if (isSet(object["bytesValue"])) return { type: "bytesValue", value: bytesFrom(object["bytesValue"], "bytesValue") };
  return EMPTY_VALUE;
}

const isSet = (value: unknown): boolean => value !== undefined && value !== null;

/**
 * opentelemetry-js sends every integral double as `intValue`, also 1e300. A number that no int64 can hold is therefore
 * taken as the double it was.
 */
function decodeIntValue(found: unknown): AnyValue {
  const value = intValueFrom(found, "intValue");
  return typeof value === "bigint" ? { type: "intValue", value } : { type: "doubleValue", value };
}

function decodeArrayValue(object: JsonObject, nodes: NodeBudget, depth: number): AnyValue {
  const values: AnyValue[] = [];
  for (const item of readArray(objectFrom(object["arrayValue"], "arrayValue"), "values")) {
    nodes.take(NODES_PER_ATTRIBUTE);
    values.push(decodeAnyValue(item === null ? undefined : objectFrom(item, "an array element"), nodes, depth + 1));
  }
  return { type: "arrayValue", value: values };
}

export function decodeResource(object: JsonObject, nodes: NodeBudget): Resource {
  const resource = readObject(object, "resource");
  return { attributes: resource === undefined ? [] : decodeAttributes(resource, nodes) };
}

export function decodeScope(object: JsonObject, nodes: NodeBudget): InstrumentationScope {
  const scope = readObject(object, "scope");
  if (scope === undefined) return { name: "", version: "", attributes: [] };
  return {
    name: readString(scope, "name"),
    version: readString(scope, "version"),
    attributes: decodeAttributes(scope, nodes),
  };
}
