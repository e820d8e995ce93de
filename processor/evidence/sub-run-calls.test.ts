import { expect, test } from "vitest";
import * as semconv from "../../instrumentation/semconv.ts";
import { callSpan, rootSpan, startSpan, testRun } from "../testing/run-spans.ts";
import { runFactsFromSpans } from "./run-facts-from-spans.ts";

const outer = testRun();
const inside = (parent: { readonly runId: string }, path: string) => ({
  attributes: { [semconv.ATTR_PARENT_RUN_ID]: parent.runId, [semconv.ATTR_RUN_PATH]: path },
});
const inner = testRun({ traceId: outer.traceId });
const innermost = testRun({ traceId: outer.traceId });
const stranger = testRun({ traceId: outer.traceId });

const spans = [
  startSpan(outer),
  callSpan(outer, "own"),
  rootSpan(outer),
  startSpan(inner, inside(outer, "scout#0")),
  callSpan(inner, "child"),
  callSpan(innermost, "grandchild"),
  rootSpan(innermost, {}, inside(inner, "scout#0/critic#0")),
  startSpan(stranger),
  callSpan(stranger, "other"),
];

test("the calls of sub-agents are facts of the outer run, at any depth, apart from its own", () => {
  const facts = runFactsFromSpans(outer.runId, [...spans, ...spans.toReversed()]);
  expect(facts.calls.map((call) => call.name)).toEqual(["own"]);
  expect(facts.subRunCalls?.map((call) => call.name).toSorted()).toEqual(["child", "grandchild"]);
  expect(facts.evidence.toolCalls).toHaveLength(1);
  expect(runFactsFromSpans(inner.runId, spans)).toMatchObject({
    path: "scout#0",
    subRunCalls: [{ name: "grandchild" }],
  });
});

test("runs that name each other, or themselves, as parents end the search", () => {
  const ring = [
    startSpan(outer, inside(inner, "")),
    startSpan(inner, inside(outer, "")),
    startSpan(stranger, inside(stranger, "")),
  ];
  expect(runFactsFromSpans(outer.runId, [...ring, ...spans]).subRunCalls).toHaveLength(2);
  expect(runFactsFromSpans(stranger.runId, ring).subRunCalls).toEqual([]);
});
