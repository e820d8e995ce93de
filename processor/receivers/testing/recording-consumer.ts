import type { Consumer } from "../../consumer.ts";
import { ACCEPTED, type ConsumeOutcome } from "../../outcome.ts";

/** A consumer that keeps rows in memory and answers what the test says. */
export interface RecordingConsumer<Row> extends Consumer<Row> {
  readonly rows: Row[];
  /** Answer for each following call. Default: accepted. */
  answer: () => ConsumeOutcome | Promise<ConsumeOutcome>;
}

export function createRecordingConsumer<Row>(): RecordingConsumer<Row> {
  const consumer: RecordingConsumer<Row> = {
    rows: [],
    answer: () => ACCEPTED,
    async consume(rows) {
      const outcome = await consumer.answer();
      if (outcome.status === "accepted" || outcome.status === "partial") consumer.rows.push(...rows);
      return outcome;
    },
  };
  return consumer;
}
