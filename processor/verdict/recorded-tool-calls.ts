import type { RunEvidence } from "../../instrumentation/contract/evidence.ts";

/** How many of the tool calls arrived as calls of their own: what the run's own count of them speaks of. */
export const recordedToolCalls = ({ toolCalls }: Pick<RunEvidence, "toolCalls">): number =>
  toolCalls.filter((call) => call.isInferred !== true).length;
