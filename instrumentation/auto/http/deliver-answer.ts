import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import { chunkBytes, type RecordedAnswer } from "./recorded-answer.ts";
import { errorFromWire } from "./wire-error.ts";

/** Where a recorded answer is handed to: one client that waits for it. */
export interface AnswerSink {
  /** True when the client has gone away; nothing more is handed to it. */
  isGone(): boolean;
  head(answer: RecordedAnswer): void;
  chunk(bytes: Buffer): void;
  /** Resolves when the client may be given more: it asked for it and has taken what it got. */
  ready(): Promise<void>;
  end(): void;
  fail(error: Error): void;
}

/** How long a client may leave an answer open that was left open in the recording too, beyond the time it took then. */
const GRACE_MILLIS = 1_000;

/**
 * Hands a recorded answer to a client: the same chunks, chunks of one read together, cut where it was cut.
 * `delayScale` 1 keeps the recorded times, 0 hands on as fast as the client takes.
 */
export async function deliverAnswer(answer: RecordedAnswer, sink: AnswerSink, delayScale: number): Promise<void> {
  let at = 0;
  const until = async (offsetMillis: number): Promise<void> => {
    const waitMillis = Math.max(0, offsetMillis - at) * delayScale;
    at = Math.max(at, offsetMillis);
    await (waitMillis >= 1 ? sleep(waitMillis) : nextTurn());
  };
  await until(answer.answered_ms);
  if (sink.isGone()) return;
  if (answer.status !== undefined) sink.head(answer);
  for (const chunks of Map.groupBy(answer.chunks, ([offset]) => offset).values()) {
    await until(chunks[0]?.[0] ?? 0);
    await sink.ready();
    for (const chunk of chunks) if (!sink.isGone()) sink.chunk(chunkBytes(chunk));
  }
  await sink.ready();
  await until(answer.ended_ms);
  if (answer.end === "aborted") await leftOpen(sink, answer);
  if (sink.isGone()) return;
  if (answer.end === "complete") sink.end();
  else sink.fail(answer.end === "aborted" ? new RecordingEndsError() : errorFromWire(answer.end.error));
}

/** The agent gave the answer up when it was recorded, and may well do so again. */
async function leftOpen(sink: AnswerSink, { chunks, ended_ms: endedMillis }: RecordedAnswer): Promise<void> {
  let waitedMillis = 0;
  const limitMillis = endedMillis - (chunks.at(-1)?.[0] ?? 0) + GRACE_MILLIS;
  while (!sink.isGone() && waitedMillis < limitMillis) {
    await sleep(POLL_MILLIS);
    waitedMillis += POLL_MILLIS;
  }
}

const POLL_MILLIS = 5;

/** The agent now reads on where it stopped when it was recorded; what came after nobody knows. */
export class RecordingEndsError extends Error {
  readonly code = "RUNPROOF_RECORDING_ENDS";
  constructor() {
    super("the recording of this answer ends here: the agent did not read on when it was recorded");
    this.name = "RecordingEndsError";
  }
}

/** Resolves when `isReady()` says so, asked once a turn and then more and more rarely. */
export async function polled(isReady: () => boolean): Promise<void> {
  for (let turns = 0; !isReady(); turns++) {
    await (turns < EAGER_TURNS ? nextTurn() : sleep(POLL_MILLIS));
  }
}

const EAGER_TURNS = 100;
