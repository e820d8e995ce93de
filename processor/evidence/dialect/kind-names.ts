/** The part of the table of names (see names.ts) that tells what a span stands for. */
import * as semconv from "../../../instrumentation/semconv.ts";
import type { Dialect } from "./dialects.ts";
import type { StepKind } from "./normalised-step.ts";

/** What a span stands for, by the value of an attribute. First rule that knows the value wins. */
export interface KindRule {
  readonly name: string;
  readonly dialect: Dialect;
  /** `*`: any value that is not empty. */
  readonly values: Readonly<Record<string, StepKind>>;
}

export const KIND_RULES: readonly KindRule[] = [
  { name: semconv.ATTR_CALL_KIND, dialect: "runproof", values: { tool: "tool", model: "model" } },
  {
    name: semconv.ATTR_OPERATION_NAME,
    dialect: "otel",
    values: {
      [semconv.OPERATION_INVOKE_AGENT]: "agent",
      invoke_workflow: "workflow",
      [semconv.OPERATION_CHAT]: "model",
      generate_content: "model",
      text_completion: "model",
      completion: "model",
      [semconv.OPERATION_EXECUTE_TOOL]: "tool",
    },
  },
  {
    name: "openinference.span.kind",
    dialect: "openinference",
    values: { AGENT: "agent", CHAIN: "workflow", LLM: "model", TOOL: "tool" },
  },
  {
    name: "ai.operationId",
    dialect: "ai_sdk",
    values: {
      "ai.generateText": "agent",
      "ai.streamText": "agent",
      "ai.generateObject": "agent",
      "ai.streamObject": "agent",
      "ai.generateText.doGenerate": "model",
      "ai.streamText.doStream": "model",
      "ai.generateObject.doGenerate": "model",
      "ai.streamObject.doStream": "model",
      "ai.toolCall": "tool",
    },
  },
  {
    name: "traceloop.span.kind",
    dialect: "traceloop",
    values: { agent: "agent", workflow: "workflow", tool: "tool" },
  },
  { name: semconv.ATTR_MCP_METHOD_NAME, dialect: "mcp", values: { "tools/call": "tool" } },
  { name: "llm.request.type", dialect: "traceloop", values: { chat: "model", completion: "model" } },
  { name: "gcp.vertex.agent.llm_request", dialect: "google_adk", values: { "*": "model" } },
  { name: "gcp.vertex.agent.tool_call_args", dialect: "google_adk", values: { "*": "tool" } },
  {
    name: "mastra.span.type",
    dialect: "mastra",
    values: { agent_run: "agent", workflow_run: "workflow", model_generation: "model", tool_call: "tool" },
  },
];

/** Spans that only their names tell. */
export const SPAN_NAMES: Readonly<Record<string, readonly [StepKind, Dialect]>> = {
  "claude_code.interaction": ["agent", "claude_code"],
  "claude_code.llm_request": ["model", "claude_code"],
  "claude_code.tool": ["tool", "claude_code"],
};

/**
 * Attributes that make a span a step of an agent: one test per attribute name on the way in, whatever its value. Our own
 * mark is not among them, because such a span names its run.
 */
export const STEP_MARKS: readonly string[] = KIND_RULES.map(({ name }) => name).filter(
  (name) => name !== semconv.ATTR_CALL_KIND,
);
