/** Producers' ways of naming, with the words for the documentation. */
export const DIALECTS = {
  otel: "OpenTelemetry GenAI conventions v1.37 and newer",
  otel_old: "OpenTelemetry GenAI conventions up to v1.36",
  mcp: "OpenTelemetry MCP conventions",
  openinference: "OpenInference (Arize Phoenix)",
  traceloop: "OpenLLMetry (Traceloop)",
  ai_sdk: "Vercel AI SDK 5 and 6 (`experimental_telemetry`)",
  anthropic: "Anthropic's SDK",
  google_adk: "Google ADK",
  mastra: "Mastra",
  claude_code: "Claude Code and the Claude Agent SDK",
  runproof: "runproof's own calls",
} as const;

export type Dialect = keyof typeof DIALECTS;
