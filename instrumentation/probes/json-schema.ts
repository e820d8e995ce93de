import { z } from "zod";
import { isJsonObject, type JsonObject, type JsonValue } from "../json/json.ts";

/** Problems of a value against a schema; none when it conforms. */
export type JsonSchemaCheck = (value: JsonValue) => readonly string[];
export type CompiledSchema = { readonly check: JsonSchemaCheck } | { readonly problem: string };

const MAX_PROBLEMS = 20;
const TYPES = ["null", "boolean", "object", "array", "number", "string"];
/** Keywords that mean something only for some types; without `type` they hold for values of these types alone. */
const TYPED_KEYWORDS = [
  ...["properties", "required", "additionalProperties", "patternProperties", "propertyNames", "minProperties"],
  ...["maxProperties", "items", "prefixItems", "additionalItems", "minItems", "maxItems", "uniqueItems", "contains"],
  ...["minContains", "maxContains", "minLength", "maxLength", "pattern", "format", "minimum", "maximum"],
  ...["exclusiveMinimum", "exclusiveMaximum", "multipleOf"],
];
/** Constraints that zod cannot express. Ignoring one would pass what it forbids. */
const UNSUPPORTED = [
  ...["not", "if", "then", "else", "dependencies", "dependentRequired", "dependentSchemas", "unevaluatedItems"],
  ...["unevaluatedProperties", "$dynamicRef", "$recursiveRef"],
];
/** Formats that zod checks as JSON Schema means them; others are annotations. */
const FORMATS = new Set(["date-time", "date", "time", "duration", "email", "uuid", "ipv4", "ipv6", "hostname", "uri"]);

/**
 * Compiles a JSON Schema (draft 2020-12 or 7). zod's converter ignores some keywords in some places (`minimum` without
 * `type`, whatever stands beside `enum` or `$ref`, `required` beside a `default`), so the schema is first rewritten
 * into one where each constraint stands alone. What cannot be compiled is a problem, never a pass.
 */
export function compileJsonSchema(schema: JsonObject): CompiledSchema {
  try {
    const definitions = { ...objectAt(schema, "definitions"), ...objectAt(schema, "$defs") };
    const rewritten = z.fromJSONSchema({
      ...(rewrite(schema) as Record<string, never>),
      $defs: mapMembers(definitions, rewrite) as Record<string, never>,
    });
    rewritten.safeParse(null); // Unresolved references show only when they are used.
    return { check: (value) => problemsOf(rewritten, value) };
  } catch (error) {
    return { problem: `schema cannot be compiled: ${error instanceof Error ? error.message : String(error)}` };
  }
}

function problemsOf(schema: z.ZodType, value: JsonValue): readonly string[] {
  try {
    const result = schema.safeParse(value);
    if (result.success) return [];
    return result.error.issues.flatMap((issue) => spelledOut(issue, [])).slice(0, MAX_PROBLEMS);
  } catch (error) {
    return [`schema cannot be applied: ${error instanceof Error ? error.message : String(error)}`];
  }
}

type Issue = z.core.$ZodIssue;

/** "Invalid input" of a union helps nobody: its branch for the value's own type says what is wrong. */
function spelledOut(issue: Issue, above: readonly PropertyKey[]): string[] {
  const path = [...above, ...issue.path];
  if (issue.code === "invalid_union") {
    const fitting = issue.errors.filter((branch) =>
      branch.some((inner) => inner.code !== "invalid_type" || inner.path.length > 0),
    );
    const [only] = fitting;
    if (fitting.length === 1 && only !== undefined) return only.flatMap((inner) => spelledOut(inner, path));
  }
  return [`/${path.map(String).join("/")}: ${issue.message}`];
}

/** The schema as `allOf` of parts with one concern each, all of which zod converts faithfully. */
function rewrite(schema: JsonValue): JsonValue {
  if (typeof schema === "boolean") return schema ? {} : { not: {} };
  if (!isJsonObject(schema)) throw new Error("a schema is an object or a boolean");
  for (const keyword of UNSUPPORTED) {
    if (Object.hasOwn(schema, keyword)) throw new Error(`${keyword} is not supported`);
  }
  const parts: JsonValue[] = [];
  if (typeof schema["$ref"] === "string") parts.push({ $ref: schema["$ref"].replace(/^#\/definitions\//, "#/$defs/") });
  if (schema["const"] !== undefined) parts.push(literal(schema["const"]));
  if (Array.isArray(schema["enum"])) parts.push({ anyOf: schema["enum"].map(literal) });
  parts.push(...typedParts(schema));
  for (const keyword of ["anyOf", "oneOf"] as const) {
    if (Array.isArray(schema[keyword])) parts.push({ [keyword]: schema[keyword].map(rewrite) });
  }
  if (Array.isArray(schema["allOf"])) parts.push(...schema["allOf"].map(rewrite));
  const [only] = parts;
  return parts.length === 0 ? {} : parts.length === 1 && only !== undefined ? only : { allOf: parts };
}

function typedParts(schema: JsonObject): JsonValue[] {
  const keywords = TYPED_KEYWORDS.filter((keyword) => Object.hasOwn(schema, keyword));
  if (schema["type"] === undefined && keywords.length === 0) return [];
  if (isJsonObject(schema["patternProperties"]) && isJsonObject(schema["additionalProperties"])) {
    throw new Error("a schema for additionalProperties beside patternProperties is not supported");
  }
  const part = Object.fromEntries(
    keywords.map((keyword) => [keyword, rewriteKeyword(keyword, schema[keyword] ?? null)]),
  );
  const { format } = part;
  if (format !== undefined && !(typeof format === "string" && FORMATS.has(format))) delete part["format"];
  return [{ type: schema["type"] ?? TYPES, ...part, ...explicitParts(schema, part) }];
}

/** What zod only enforces next to something else: bounds of a list next to `items`, presence next to a description. */
function explicitParts(schema: JsonObject, part: JsonObject): JsonObject {
  const items = part["items"] === undefined && part["prefixItems"] === undefined ? { items: {} } : {};
  if (!Array.isArray(schema["required"])) return items;
  const properties = objectAt(part, "properties");
  const required = schema["required"].map((name): [string, JsonValue] => {
    const key = String(name);
    const described = Object.hasOwn(properties, key) ? [properties[key] ?? {}] : additionalOf(part);
    return [key, { allOf: [{ type: TYPES }, ...described] }];
  });
  return { ...items, properties: { ...properties, ...Object.fromEntries(required) } };
}

/** A required name without a description of its own is one of the additional members. */
function additionalOf(part: JsonObject): JsonValue[] {
  const additional = part["additionalProperties"];
  if (additional === false && part["patternProperties"] === undefined) return [{ not: {} }];
  return isJsonObject(additional) ? [additional] : [];
}

function rewriteKeyword(keyword: string, value: JsonValue): JsonValue {
  switch (keyword) {
    case "properties":
    case "patternProperties":
      return mapMembers(isJsonObject(value) ? value : {}, rewrite);
    case "prefixItems":
      return Array.isArray(value) ? value.map(rewrite) : value;
    case "items":
      return Array.isArray(value) ? value.map(rewrite) : booleanOr(value);
    case "additionalProperties":
    case "additionalItems":
    case "propertyNames":
    case "contains":
      return booleanOr(value);
    default:
      return value;
  }
}

const booleanOr = (value: JsonValue): JsonValue => (typeof value === "boolean" ? value : rewrite(value));

/** `const` of a list or an object by its parts: zod compares literals by identity. */
function literal(value: JsonValue): JsonValue {
  if (Array.isArray(value)) {
    const bounds = { type: "array", minItems: value.length, maxItems: value.length };
    return value.length === 0 ? { ...bounds, items: {} } : { ...bounds, prefixItems: value.map(literal), items: false };
  }
  if (!isJsonObject(value)) return { const: value };
  return {
    type: "object",
    properties: mapMembers(value, literal),
    required: Object.keys(value),
    additionalProperties: false,
  };
}

const objectAt = (schema: JsonObject, key: string): JsonObject => {
  const value = schema[key];
  return isJsonObject(value) ? value : {};
};

const mapMembers = (object: JsonObject, map: (value: JsonValue) => JsonValue): JsonObject =>
  Object.fromEntries(Object.entries(object).map(([key, value]) => [key, map(value)]));
