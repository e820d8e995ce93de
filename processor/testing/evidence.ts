import { defineContract, type RunContract, type RunContractInput } from "../../instrumentation/contract/contract.ts";
import type {
  ArtifactObservation,
  ClosingEvidence,
  RunEvidence,
  ToolCallEvidence,
} from "../../instrumentation/contract/evidence.ts";

/** Evidence builders for tests: a good run by default, changed where the test says. */
export const closing = (changes: Partial<ClosingEvidence> = {}): ClosingEvidence => ({
  version: 1,
  claim: null,
  error: null,
  artifacts: [],
  paths: [],
  changedPaths: null,
  state: null,
  verification: null,
  answer: null,
  toolCallCount: 0,
  stepCount: 0,
  gaps: [],
  ...changes,
});

export const toolCall = (changes: Partial<ToolCallEvidence> = {}): ToolCallEvidence => ({
  spanId: "00000000000000a1",
  callId: "",
  name: "send",
  sideEffect: "write",
  arguments: {},
  argumentsSha256: null,
  result: null,
  errorClass: null,
  attempts: [],
  reference: null,
  startUnixNano: "1",
  ...changes,
});

export const artifact = (changes: Partial<ArtifactObservation> = {}): ArtifactObservation => ({
  name: "report",
  kind: "file",
  ref: "report.md",
  state: "present",
  bytes: 10,
  sha256: "ab",
  schemaErrors: null,
  detail: null,
  ...changes,
});

/** Ended evidence; the tool call count follows the calls unless it is given. */
export function evidence(changes: Partial<RunEvidence> = {}): RunEvidence {
  const toolCalls = changes.toolCalls ?? [];
  return {
    runId: "run-1",
    agentName: "agent",
    phase: "ended",
    abandonCause: null,
    elapsedSeconds: 1,
    toolCalls,
    closing: closing({ toolCallCount: toolCalls.length }),
    gaps: [],
    ...changes,
  };
}

export const contract = (clauses: Omit<RunContractInput, "agent"> = {}): RunContract =>
  defineContract({ agent: "agent", ...clauses });
