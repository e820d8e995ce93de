import type { RunEvidence } from "../../instrumentation/contract/evidence.ts";
import { recordedToolCalls } from "./recorded-tool-calls.ts";

/** Whether a run says of itself that it made calls that have not arrived. */
export function awaitsCalls(evidence: RunEvidence): boolean {
  const { toolCallCount = 0, exchangeCount = 0 } = evidence.closing ?? {};
  return recordedToolCalls(evidence) < toolCallCount || (evidence.exchangeCount ?? 0) < exchangeCount;
}
