import { defineContract } from "../../instrumentation/contract/contract.ts";
import type { ClosingEvidence } from "../../instrumentation/contract/evidence.ts";
import type { Verdict } from "../../instrumentation/contract/verdict.ts";
import type { RecordedCall } from "../../processor/evidence/recorded-call.ts";
import type { RunFacts } from "../../processor/evidence/run-facts.ts";
import { buildFixture } from "../fixture/build-fixture.ts";
import type { Fixture } from "../fixture/fixture-format.ts";

export const researchContract = defineContract({
  agent: "researcher",
  artifacts: [{ name: "report", path: "report.md" }],
  limits: { timeoutSeconds: 30 },
});

/** A call as the store gives it back. */
export const recordedCall = (call: Partial<RecordedCall> = {}): RecordedCall => ({
  spanId: "00000000000000c1",
  parentSpanId: "00000000000000a1",
  kind: "tool",
  name: "search",
  path: "search#0",
  callId: "",
  sideEffect: "read",
  arguments: { q: "otters" },
  argumentsSha256: null,
  result: { hits: 3 },
  thrown: null,
  errorClass: null,
  attempts: [],
  reference: null,
  startUnixNano: "1760000000100000000",
  durationNano: "2500000",
  problems: [],
  ...call,
});

const closing: ClosingEvidence = {
  version: 1,
  claim: { outcome: "done", detail: "report written" },
  error: null,
  artifacts: [],
  paths: [],
  changedPaths: null,
  state: null,
  verification: null,
  answer: "done",
  toolCallCount: 1,
  stepCount: 1,
  gaps: [],
};

/** Facts of a run that ended without the report it promised. */
export const failedFacts = (facts: Partial<RunFacts> = {}): RunFacts => ({
  runId: "0199d1a0-0000-7000-8000-000000000001",
  parentRunId: "",
  traceId: "000000000000000000000000000000a1",
  rootSpanId: "00000000000000a1",
  agentName: "researcher",
  runType: "live",
  fixtureId: "",
  taskId: "task-1",
  attempt: 1,
  codeVersion: "abc123",
  model: "m-1",
  promptVersion: "p-1",
  timeoutSeconds: 30,
  serviceName: "svc",
  project: "default",
  input: { topic: "otters" },
  inputSha256: "00",
  state: undefined,
  startUnixNano: "1760000000000000000",
  closeUnixNano: "1760000001000000000",
  contract: researchContract,
  contractSha256: "00",
  contractProblem: null,
  evidence: {
    runId: "0199d1a0-0000-7000-8000-000000000001",
    agentName: "researcher",
    phase: "ended",
    abandonCause: null,
    elapsedSeconds: 1,
    toolCalls: [],
    closing,
    gaps: [],
  },
  calls: [recordedCall()],
  factCount: 3,
  ...facts,
});

export const missingArtifactVerdict: Verdict = {
  status: "failed",
  reasons: [{ code: "missing_artifact_ref", clause: "/artifacts/0", evidence: [], message: "no report" }],
  proofs: [],
  failureClass: "missing_artifact_ref",
  failureReason: "no report",
};

/** A fixture that was built, or an error: for tests of what comes after building. */
export function builtFixture(facts: RunFacts = failedFacts(), fixtureId = "missing_report"): Fixture {
  const build = buildFixture(facts, missingArtifactVerdict, { fixtureId });
  if (!build.ok) throw new Error(`refused: ${JSON.stringify(build.refusals)}`);
  return build.fixture;
}
