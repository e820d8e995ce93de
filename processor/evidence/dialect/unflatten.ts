import { isJsonObject, type JsonObject, type JsonValue } from "../../../instrumentation/json/json.ts";
import type { AttributeMap } from "../../clickhouse/rows.ts";

/** Deeper paths and further entries are left out: a name is anybody's, and one name of 4,096 characters nests 2,000 deep. */
const MAX_DEPTH = 12;
const MAX_ENTRIES = 4_096;
const INDEX = /^\d{1,9}$/;

interface Node {
  value: string | undefined;
  readonly members: Map<string, Node>;
}

/**
 * Attributes `{prefix}.{i}.{path}` as the list they were flattened from, in the order of their indices. Holes close up, so
 * that an index of nine digits makes no long list. `undefined` when there is none.
 */
export function unflatten(attributes: AttributeMap, prefix: string): readonly JsonValue[] | undefined {
  const root: Node = { value: undefined, members: new Map() };
  const start = `${prefix}.`;
  let entries = 0;
  for (const name of Object.keys(attributes)) {
    if (!name.startsWith(start)) continue;
    const path = name.slice(start.length).split(".");
    if (path.length > MAX_DEPTH || !INDEX.test(path[0] ?? "") || ++entries > MAX_ENTRIES) continue;
    put(root, path, attributes[name] ?? "");
  }
  return entries === 0 ? undefined : listOf(root);
}

function put(root: Node, path: readonly string[], value: string): void {
  let node = root;
  for (const key of path) {
    let next = node.members.get(key);
    if (next === undefined) node.members.set(key, (next = { value: undefined, members: new Map() }));
    node = next;
  }
  node.value = value;
}

const listOf = ({ members }: Node): JsonValue[] =>
  [...members]
    .filter(([key]) => INDEX.test(key))
    .sort(([a], [b]) => Number(a) - Number(b))
    .map(([, node]) => valueOf(node));

function valueOf(node: Node): JsonValue {
  if (node.members.size === 0) return node.value ?? null;
  if ([...node.members.keys()].every((key) => INDEX.test(key))) return listOf(node);
  return Object.fromEntries([...node.members].map(([key, below]) => [key, valueOf(below)]));
}

/** A member, if the value is an object and has it of its own. */
export function member(value: JsonValue | undefined, name: string): JsonValue | undefined {
  return isJsonObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

/** The first member among these names that is there and is not `null`. */
export function firstMember(value: JsonObject, names: readonly string[]): JsonValue | undefined {
  for (const name of names) {
    const found = member(value, name);
    if (found !== undefined && found !== null) return found;
  }
  return undefined;
}

export const textMember = (value: JsonValue | undefined, ...names: readonly string[]): string => {
  const found = isJsonObject(value) ? firstMember(value, names) : undefined;
  return typeof found === "string" ? found : "";
};

export const listMember = (value: JsonValue | undefined, name: string): readonly JsonValue[] | undefined => {
  const found = member(value, name);
  return Array.isArray(found) ? found : undefined;
};
