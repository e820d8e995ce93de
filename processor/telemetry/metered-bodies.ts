import { LABEL_OUTCOME, LABEL_PROJECT, LABEL_PROTOCOL, LABEL_SIGNAL } from "../../instrumentation/semconv.ts";
import type { ConsumeOutcome } from "../outcome.ts";
import type { BodyConsumer, BodySummary, OtlpBody } from "../receivers/body-consumer.ts";
import type { BoundedLabel } from "./bounded-label.ts";
import type { Instruments } from "./instruments.ts";

export type OtlpProtocol = "http" | "grpc";

export interface BodyMeter {
  readonly instruments: Instruments;
  readonly projectLabel: BoundedLabel;
}

/** Counts what passes, and how long the answer to it takes. */
export function meteredBodies(bodies: BodyConsumer, protocol: OtlpProtocol, meter: BodyMeter): BodyConsumer {
  return {
    async consume(body, summary) {
      const begin = performance.now();
      const outcome = await bodies.consume(body, summary);
      const labels = { [LABEL_SIGNAL]: body.signal, [LABEL_PROTOCOL]: protocol };
      meter.instruments.ackDuration.record((performance.now() - begin) / 1_000, labels);
      meter.instruments.requests.add(1, { ...labels, [LABEL_OUTCOME]: outcome.status });
      if (outcome.status === "accepted" || outcome.status === "partial")
        count({ body, summary, outcome, labels }, meter);
      return outcome;
    },
  };
}

interface Passed {
  readonly body: OtlpBody;
  readonly summary: BodySummary;
  readonly outcome: ConsumeOutcome;
  readonly labels: Readonly<Record<string, string>>;
}

function count({ body, summary, outcome, labels }: Passed, { instruments, projectLabel }: BodyMeter): void {
  const refused = outcome.status === "partial" ? outcome.rejected : 0;
  instruments.records.add(summary.records - refused, labels);
  if (summary.rejected + refused > 0) instruments.rejected.add(summary.rejected + refused, labels);
  instruments.receivedBytes.add(body.bytes.length, labels);
  if (body.project !== "") {
    instruments.projectRecords.add(summary.records - refused, { [LABEL_PROJECT]: projectLabel(body.project) });
  }
}
