import type { ScopeDriftEvent } from "../../instrumentation/scope/scope-drift.ts";
import { driftAttributes } from "../../instrumentation/scope/scope-telemetry.ts";
import * as semconv from "../../instrumentation/semconv.ts";
import { sendOtlp } from "../../instrumentation/transport/otlp-sender.ts";

const SEVERITY_WARN = 13;
const DEADLINE_MILLIS = 2_000;

/** Sends drift to the service as an OTLP log event with exactly the fields of the event. Says whether it was taken. */
export async function sendDriftLog(
  event: ScopeDriftEvent,
  unixMillis: number,
  { url, headers }: { readonly url: string; readonly headers: Readonly<Record<string, string>> },
): Promise<boolean> {
  const record = {
    timeUnixNano: String(BigInt(unixMillis) * 1_000_000n),
    severityNumber: SEVERITY_WARN,
    severityText: "WARN",
    eventName: semconv.EVENT_SCOPE_DRIFT,
    body: { stringValue: `project scope drifted: ${event.reason}` },
    attributes: Object.entries(driftAttributes(event)).map(([key, value]) => ({ key, value: anyValue(value) })),
  };
  const resource = [{ key: semconv.ATTR_SERVICE_NAME, value: { stringValue: "runproof-cli" } }];
  const body = JSON.stringify({
    resourceLogs: [
      {
        resource: { attributes: resource },
        scopeLogs: [{ scope: { name: semconv.INSTRUMENTATION_SCOPE }, logRecords: [record] }],
      },
    ],
  });
  const target = `${url.replace(/\/+$/, "")}/v1/logs`;
  const sent = await sendOtlp({ url: target, body, headers, deadlineMillis: DEADLINE_MILLIS });
  return sent.outcome === "acknowledged";
}

function anyValue(value: string | boolean | readonly string[]): object {
  if (typeof value === "boolean") return { boolValue: value };
  if (typeof value === "string") return { stringValue: value };
  return { arrayValue: { values: value.map((one) => ({ stringValue: one })) } };
}
