import type { ToolCallEvidence } from "../../instrumentation/contract/evidence.ts";
import { NO_RESULT } from "../evidence/inferred-tool-calls.ts";

/** A model asked for the call, and nothing tells whether it was made. */
export const isUnseen = (call: ToolCallEvidence): boolean => call.isInferred === true && call.errorClass === NO_RESULT;

/** A call that may have ended anything: what it was given was not captured, or nobody knows whether it was made. */
export const mayEndAnything = (call: ToolCallEvidence): boolean =>
  isUnseen(call) || (call.errorClass === null && call.arguments === undefined);
