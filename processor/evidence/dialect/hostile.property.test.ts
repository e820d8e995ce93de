import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { SpanRow } from "../../clickhouse/rows.ts";
import { completenessOf } from "./completeness.ts";
import { KIND_RULES, STEP_MARKS } from "./kind-names.ts";
import { EVENTS, FIELDS } from "./names.ts";
import { normaliseRun } from "./normalise-run.ts";
import { stepFromSpan } from "./step-from-span.ts";
import { eventFields, foreignSpan, logOf } from "./testing/step-span.ts";

const aliases = Object.values(FIELDS).flatMap((list) => list.map(({ name }): string => name));
const name = fc.oneof(
  fc.constantFrom(...aliases, ...STEP_MARKS, "__proto__", "constructor", "gen_ai.prompt.999999999.role"),
  fc
    .tuple(
      fc.constantFrom(...aliases),
      fc.array(fc.constantFrom("0", "1", "999999999", "message", "role", "__proto__"), { maxLength: 14 }),
    )
    .map(([prefix, path]) => [prefix, ...path].join(".")),
);
const values = [...new Set(KIND_RULES.flatMap((rule) => Object.keys(rule.values)))];
const messageLike = fc.record(
  {
    role: fc.oneof(fc.constantFrom("user", "assistant", "tool", "system", "__proto__"), fc.jsonValue()),
    content: fc.jsonValue(),
    parts: fc.oneof(
      fc.jsonValue(),
      fc.array(
        fc.record(
          {
            type: fc.constantFrom("text", "tool_call", "tool_call_response", "toString"),
            content: fc.jsonValue(),
            id: fc.jsonValue(),
            name: fc.jsonValue(),
            arguments: fc.jsonValue(),
            response: fc.jsonValue(),
          },
          { requiredKeys: ["type"] },
        ),
      ),
    ),
    tool_calls: fc.jsonValue(),
    message: fc.jsonValue(),
  },
  { requiredKeys: [] },
);
const value = fc.oneof(
  fc.constantFrom(...values, "<REDACTED>", "{}", "[", '{"__proto__":{"x":1}}', "[".repeat(10_000)),
  fc.array(messageLike, { maxLength: 5 }).map((one) => JSON.stringify(one)),
  fc.json(),
  fc.string(),
);
const attributes = fc
  .array(fc.tuple(name, value), { maxLength: 30 })
  .map((entries) => Object.assign(Object.create(null) as Record<string, string>, Object.fromEntries(entries)));

/** Parents are anybody, themselves too. */
const spans = fc
  .array(fc.tuple(attributes, attributes, fc.nat(6), fc.constantFrom(...Object.values(EVENTS))), { maxLength: 6 })
  .map((all) => {
    const made = all.map(([own]) => foreignSpan(own));
    return made.map((span, index): SpanRow => {
      const [, event = {}, parent = 0, eventName = ""] = all[index] ?? [];
      return { ...span, ParentSpanId: made[parent]?.SpanId ?? "", ...eventFields([[eventName, event]]) };
    });
  });

describe("hostile attributes", () => {
  test("never throw, and what comes of them is JSON without a polluted prototype", () => {
    fc.assert(
      fc.property(spans, fc.jsonValue(), (rows, body) => {
        const logs = rows.map((span) => logOf(span, EVENTS.choice, body));
        const run = normaliseRun(rows, logs);
        expect(normaliseRun(rows.toReversed(), logs.toReversed()).steps.length).toBe(run.steps.length);
        completenessOf(run);
        JSON.stringify(run);
        expect(({} as Record<string, unknown>)["x"]).toBeUndefined();
      }),
      { numRuns: process.env["RUNPROOF_LONG_TESTS"] === "1" ? 20_000 : 60 },
    );
  });

  test("with an index of nine digits make a short list", () => {
    const step = stepFromSpan(
      foreignSpan({
        "llm.request.type": "chat",
        "gen_ai.prompt.999999999.role": "user",
        "gen_ai.prompt.999999999.content": "last",
        "gen_ai.prompt.7.role": "user",
        "gen_ai.prompt.7.content": "first",
        "gen_ai.prompt.99999999999999999999.content": "nowhere",
        "gen_ai.prompt.-1.content": "nowhere",
        "gen_ai.prompt.__proto__.content": "nowhere",
      }),
    );
    expect(step?.inputMessages?.map(({ parts }) => parts[0])).toEqual([
      { type: "text", content: "first" },
      { type: "text", content: "last" },
    ]);
  });

  test("that nest 100,000 levels deep are no messages, in no time", () => {
    const deep = `${'[{"parts":'.repeat(50_000)}`;
    const step = stepFromSpan(foreignSpan({ "gen_ai.operation.name": "chat", "gen_ai.input.messages": deep }));
    expect(step?.inputMessages).toBeUndefined();
  });

  test("with parents in a circle, and in a chain of thousands, come to an end", () => {
    const circle = Array.from({ length: 3 }, () => foreignSpan({ "gen_ai.operation.name": "chat" }));
    const round = circle.map((span, index) => ({ ...span, ParentSpanId: circle[(index + 1) % 3]?.SpanId ?? "" }));
    expect(normaliseRun(round).steps.length).toBeLessThanOrEqual(3);
    const chain: SpanRow[] = [];
    for (let index = 0; index < 5_000; index++) {
      chain.push(
        foreignSpan(
          index % 50 === 0 ? { "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": `t${index}` } : {},
          { ParentSpanId: chain.at(-1)?.SpanId ?? "" },
        ),
      );
    }
    expect(normaliseRun(chain).steps).toHaveLength(100);
  });

  test("that repeat a long conversation in every request cost no more than reading them", () => {
    const messages: unknown[] = [];
    const rows: SpanRow[] = [];
    for (let turn = 0; turn < 150; turn++) {
      const asks = {
        role: "assistant",
        parts: [{ type: "tool_call", id: `c${turn}`, name: "t", arguments: { turn } }],
      };
      rows.push(
        foreignSpan({
          "gen_ai.operation.name": "chat",
          "gen_ai.input.messages": messages,
          "gen_ai.output.messages": [asks],
        }),
      );
      messages.push(asks, {
        role: "tool",
        parts: [{ type: "tool_call_response", id: `c${turn}`, response: { turn } }],
      });
    }
    const tools = normaliseRun(rows).steps.filter(({ kind }) => kind === "tool");
    expect(tools).toHaveLength(150);
    expect(tools.filter(({ result }) => result === undefined)).toHaveLength(1);
  });
});
