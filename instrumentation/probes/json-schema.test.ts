import { describe, expect, it } from "vitest";
import type { JsonObject, JsonValue } from "../json/json.ts";
import { compileJsonSchema } from "./json-schema.ts";

const conforms = (schema: JsonObject, value: JsonValue): boolean => {
  const compiled = compileJsonSchema(schema);
  if ("problem" in compiled) throw new Error(compiled.problem);
  return compiled.check(value).length === 0;
};

describe("compileJsonSchema", () => {
  // Each of these passes what it must refuse, or the other way round, when zod's converter is given the bare schema.
  it.each<[string, JsonObject, JsonValue, JsonValue]>([
    ["keywords without a type", { minimum: 5, minLength: 2 }, "ab", 4],
    ["keywords without a type, other types aside", { required: ["a"] }, [1], {}],
    [
      "a required member with a default",
      { type: "object", properties: { a: { default: 1 } }, required: ["a"] },
      { a: 2 },
      {},
    ],
    ["a required member that is not described", { type: "object", required: ["a"] }, { a: 1 }, { b: 1 }],
    [
      "a required member that is described as anything",
      { type: "object", properties: { a: {} }, required: ["a"] },
      { a: null },
      {},
    ],
    ["bounds of a list without items", { type: "array", minItems: 1 }, [1], []],
    ["bounds of a list without items or type", { maxItems: 1 }, [1], [1, 2]],
    [
      "a required additional member",
      { required: ["a"], additionalProperties: { type: "string" } },
      { a: "x" },
      { a: 1 },
    ],
    ["nested untyped objects", { properties: { a: { required: ["b"] } }, required: ["a"] }, { a: { b: 1 } }, { a: {} }],
    ["constraints beside enum", { enum: ["a", "abc"], maxLength: 2 }, "a", "abc"],
    ["constraints beside $ref", { $ref: "#/$defs/t", maxLength: 2, $defs: { t: { type: "string" } } }, "ab", "abc"],
    ["draft 7 definitions", { $ref: "#/definitions/t", definitions: { t: { type: "integer" } } }, 3, 3.5],
    ["const of an object", { const: { a: [1, { b: null }] } }, { a: [1, { b: null }] }, { a: [1, { b: 0 }] }],
    ["enum of lists", { enum: [[1], []] }, [], [2]],
    [
      "recursion",
      {
        $defs: { n: { type: "object", properties: { next: { $ref: "#/$defs/n" } }, additionalProperties: false } },
        $ref: "#/$defs/n",
      },
      { next: { next: {} } },
      { next: { next: { x: 1 } } },
    ],
    [
      "untyped allOf beside properties",
      { properties: { a: { type: "string" } }, allOf: [{ required: ["b"] }] },
      { a: "x", b: 1 },
      { a: 1, b: 1 },
    ],
    [
      "pattern properties",
      { type: "object", patternProperties: { "^x-": { type: "string" } }, additionalProperties: false },
      { "x-a": "b" },
      { "x-a": 1 },
    ],
    ["oneOf", { oneOf: [{ type: "number" }, { minimum: 3 }] }, 1, 4],
    ["a list of types", { type: ["string", "null"] }, null, 1],
    ["false", { properties: { a: false } }, {}, { a: 1 }],
  ])("enforces %s", (_name, schema, good, bad) => {
    expect(conforms(schema, good)).toBe(true);
    expect(conforms(schema, bad)).toBe(false);
  });

  it.each<JsonObject[]>([
    [{ not: { type: "string" } }],
    [{ if: { type: "string" }, else: { minimum: 1 } }],
    [{ dependencies: { a: ["b"] } }],
    [{ $ref: "https://example.org/other.json" }],
    [{ $ref: "#/$defs/absent" }],
    [{ type: "string", pattern: "(" }],
    [{ type: "text" }],
    [{ properties: { a: 3 } }],
  ])("calls %j a schema that cannot be compiled", (schema) => {
    expect(compileJsonSchema(schema)).toEqual({
      problem: expect.stringContaining("schema cannot be compiled") as string,
    });
  });

  it("names the place of a problem", () => {
    const compiled = compileJsonSchema({
      type: "object",
      properties: { a: { type: "array", items: { type: "string" } } },
    });
    expect("check" in compiled && compiled.check({ a: ["x", 1] })).toEqual([expect.stringMatching(/^\/a\/1: /)]);
  });
});
