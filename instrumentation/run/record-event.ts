import { captureValue } from "../capture/capture-value.ts";
import { failOpen, failOpenAsync } from "../fail-open.ts";
import type { JsonValue } from "../json/json.ts";
import * as semconv from "../semconv.ts";
import type { ActiveRun, Run } from "./active-run.ts";
import { sendRecord } from "./send-record.ts";

/**
 * Records that something happened in the run: a span event for the trace, and a checkpoint on the flush-now path that
 * survives the process. Attributes are redacted, and over the capture limit kept as their hash. Resolves when the checkpoint is acknowledged or spooled (an agent need
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
  const { redactor, options } = run.runtime;
  const kept = captureValue(attributes, { maxBytes: options.captureMaxBytes, redactor });
  const text = kept.text ?? "{}";
  const written = redactor.text(name);
  const add = (): void => void run.span.addEvent(written, { [semconv.ATTR_CHECKPOINT_ATTRIBUTES]: text });
  if (run.exported) failOpen("adding a span event", add, undefined);
  await sendRecord(run, semconv.RUN_EVENT_CHECKPOINT, {
    [semconv.ATTR_CHECKPOINT_NAME]: written,
    [semconv.ATTR_CHECKPOINT_ATTRIBUTES]: text,
  });
}
