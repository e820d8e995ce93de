import { randomBytes } from "node:crypto";
import { createRedactor } from "../../instrumentation/capture/redactor.ts";
import type { ChildRun } from "../sandbox/run-child.ts";

/**
 * A child's run with what the agent printed and threw redacted: reports of replays end up in the logs of CI servers. Its
 * spans were redacted where they were made. Nothing compares these texts, so the pseudonyms have a key of their own.
 */
export function redactedChild(child: ChildRun): ChildRun {
  const { text } = createRedactor({ key: randomBytes(32) });
  const { outcome } = child;
  const told = { ...child, stdout: text(child.stdout), stderr: text(child.stderr) };
  if (outcome.type === "threw") {
    const error = { name: text(outcome.error.name), message: text(outcome.error.message) };
    return { ...told, outcome: { ...outcome, error } };
  }
  return "message" in outcome ? { ...told, outcome: { ...outcome, message: text(outcome.message) } } : told;
}
