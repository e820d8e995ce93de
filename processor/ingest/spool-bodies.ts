import { ACCEPTED, type ConsumeOutcome } from "../outcome.ts";
import type { BodyConsumer } from "../receivers/body-consumer.ts";
import type { Spool } from "../spool/index.ts";

const RETRY_AFTER_SECONDS = 1;

const retryable = (message: string): ConsumeOutcome => ({
  status: "retryable",
  message,
  retryAfterSeconds: RETRY_AFTER_SECONDS,
});

/** Takes good bodies into the write-ahead log: an acknowledgement means `fdatasync` has returned. */
export const createSpoolBodies = (spool: Pick<Spool, "append">): BodyConsumer => ({
  async consume(body, { lane }) {
    const { signal: kind, encoding, project, receivedAtMillis, bytes: payload } = body;
    const outcome = await spool.append({ kind, encoding, lane, project, receivedAtMillis, payload });
    switch (outcome) {
      case "durable":
        return ACCEPTED;
      case "full":
        return retryable("The spool is full; the store does not keep up or is away.");
      case "failed":
        return retryable("The spool cannot be written; the disk is full or fails.");
    }
  },
});
