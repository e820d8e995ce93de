import { failOpenAsync } from "../fail-open.ts";
import { canonicalJson } from "../json/canonical.ts";
import { toJson, type JsonValue } from "../json/json.ts";
import * as semconv from "../semconv.ts";
import type { ActiveRun, Run } from "./active-run.ts";
import { sendRecord } from "./send-record.ts";

/**
 * Records that something happened in the run: a span event for the trace, and a checkpoint on the flush-now path that
 * survives the process. Attributes are redacted. Resolves when the checkpoint is acknowledged or spooled (an agent need
 * not wait for it); never rejects.
 */
export async function recordEvent(
  run: Run,
  name: string,
  attributes: Readonly<Record<string, JsonValue | undefined>> = {},
): Promise<void> {
  await failOpenAsync("recordEvent()", () => sendCheckpoint(run as ActiveRun, name, attributes), undefined);
}

export async function sendCheckpoint(
  run: ActiveRun,
  name: string,
  attributes: Readonly<Record<string, JsonValue | undefined>>,
): Promise<void> {
  const kept = run.runtime.redactor.json(toJson(attributes) ?? {});
  const text = canonicalJson(kept);
  if (run.recording) run.span.addEvent(name, { [semconv.ATTR_CHECKPOINT_ATTRIBUTES]: text });
  await sendRecord(run, semconv.RUN_EVENT_CHECKPOINT, {
    [semconv.ATTR_CHECKPOINT_NAME]: name,
    [semconv.ATTR_CHECKPOINT_ATTRIBUTES]: text,
  });
}
