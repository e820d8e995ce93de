import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

import type { Consumer } from "../consumer.ts";
import { ACCEPTED, type ConsumeOutcome } from "../outcome.ts";
import { isContentError } from "./content-error.ts";

export interface GroupCommitOptions<Row> {
  /** Stores the block under the token, once however often it is called. Rejects when it is not certain to be durable. */
  readonly insert: (rows: readonly Row[], token: string) => Promise<void>;
  /** Keeps a row that can never be stored. */
  readonly quarantine: (row: Row, reason: string, token: string) => Promise<void>;
  /** Rows joined into one block. Default 20,000. A larger batch stays one block of its own. */
  readonly maxRows?: number;
  /** Rows waiting, the block in flight included; beyond it new batches are `retryable` at once. Default 100,000. */
  readonly maxPendingRows?: number;
  /** How long a batch waits for a store in trouble before it is `retryable`. Default 20,000. */
  readonly maxWaitMillis?: number;
  /** Default `isContentError`. */
  readonly isContentError?: (error: unknown) => boolean;
}

export interface GroupCommitConsumer<Row> extends Consumer<Row> {
  /** Resolves when nothing is waiting or in flight. */
  drained(): Promise<void>;
}

interface Batch<Row> {
  readonly rows: readonly Row[];
  readonly deadline: number;
  readonly settle: (outcome: ConsumeOutcome) => void;
}

interface Rejection {
  readonly index: number;
  readonly reason: string;
}

const RETRY_AFTER_SECONDS = 1;
const FIRST_BACKOFF_MILLIS = 50;
const LAST_BACKOFF_MILLIS = 1_000;

/**
 * Joins batches that arrive while an insert is in flight into the next one: blocks are large under load and the wait is
 * short without it. A failed insert is sent again as the same block under the same token, so an insert whose answer was
 * lost is not stored twice. `retryable` promises nothing: rows may be stored and come again; readers deduplicate.
 */
export function createGroupCommitConsumer<Row>(options: GroupCommitOptions<Row>): GroupCommitConsumer<Row> {
  const { maxRows = 20_000, maxPendingRows = 100_000, maxWaitMillis = 20_000 } = options;
  const queue: Batch<Row>[] = [];
  let pendingRows = 0;
  let working: Promise<void> | undefined;

  async function work(): Promise<void> {
    while (queue.length > 0) {
      const batches = nextBlock(queue, maxRows);
      const outcomes = await commitBatches(batches, options);
      batches.forEach((batch, index) => {
        pendingRows -= batch.rows.length;
        batch.settle(outcomes[index] as ConsumeOutcome);
      });
    }
    working = undefined;
  }

  return {
    consume(rows) {
      if (rows.length === 0) return Promise.resolve(ACCEPTED);
      // A batch larger than the whole bound could never pass, so an empty queue takes any.
      if (pendingRows > 0 && pendingRows + rows.length > maxPendingRows)
        return Promise.resolve(retryable("Queue full"));
      pendingRows += rows.length;
      return new Promise((settle) => {
        queue.push({ rows, deadline: Date.now() + maxWaitMillis, settle });
        working ??= work();
      });
    },
    async drained() {
      await working;
    },
  };
}

function nextBlock<Row>(queue: Batch<Row>[], maxRows: number): Batch<Row>[] {
  let size = 0;
  let count = 0;
  for (const batch of queue) {
    if (count > 0 && size + batch.rows.length > maxRows) break;
    size += batch.rows.length;
    count++;
  }
  return queue.splice(0, count);
}

/** Never rejects: whatever happens becomes an outcome of each batch. */
async function commitBatches<Row>(
  batches: readonly Batch<Row>[],
  options: GroupCommitOptions<Row>,
): Promise<ConsumeOutcome[]> {
  const rows = batches.flatMap((batch) => batch.rows);
  // The oldest waits longest; a block has one fate, so the others share its deadline.
  const deadline = Math.min(...batches.map((batch) => batch.deadline));
  try {
    const rejections = await commit({ rows, offset: 0, token: randomUUID(), deadline, options });
    let start = 0;
    return batches.map((batch) => {
      const [from, to] = [start, (start += batch.rows.length)];
      return outcomeFrom(rejections.filter(({ index }) => index >= from && index < to));
    });
  } catch (error) {
    return batches.map(() => retryable(error instanceof Error ? error.message : String(error)));
  }
}

interface Block<Row> {
  readonly rows: readonly Row[];
  /** Index of the first row within the joined block. */
  readonly offset: number;
  readonly token: string;
  readonly deadline: number;
  readonly options: GroupCommitOptions<Row>;
}

/** Stores a block. When the engine refuses its content, halves it until the bad rows stand alone. */
async function commit<Row>(block: Block<Row>): Promise<Rejection[]> {
  const { rows, offset, token, deadline, options } = block;
  const isBad = options.isContentError ?? isContentError;
  try {
    await untilStored(() => options.insert(rows, token), deadline, isBad);
    return [];
  } catch (error) {
    if (!isBad(error)) throw error;
    if (rows.length === 1) {
      const reason = error instanceof Error ? error.message.trim() : String(error);
      await untilStored(
        () => options.quarantine(rows[0] as Row, reason, `${token}-q`),
        deadline,
        () => false,
      );
      return [{ index: offset, reason }];
    }
    const middle = rows.length >> 1;
    const halves = [
      { ...block, rows: rows.slice(0, middle), token: `${token}-a` },
      { ...block, rows: rows.slice(middle), offset: offset + middle, token: `${token}-b` },
    ];
    const rejections: Rejection[] = [];
    for (const half of halves) rejections.push(...(await commit(half)));
    return rejections;
  }
}

async function untilStored(
  attempt: () => Promise<void>,
  deadline: number,
  isFinal: (error: unknown) => boolean,
): Promise<void> {
  for (let backoff = FIRST_BACKOFF_MILLIS; ; backoff = Math.min(backoff * 2, LAST_BACKOFF_MILLIS)) {
    try {
      return await attempt();
    } catch (error) {
      if (isFinal(error) || Date.now() + backoff > deadline) throw error;
      await sleep(backoff);
    }
  }
}

function outcomeFrom(rejections: readonly Rejection[]): ConsumeOutcome {
  const [first] = rejections;
  if (first === undefined) return ACCEPTED;
  return { status: "partial", rejected: rejections.length, message: first.reason };
}

function retryable(message: string): ConsumeOutcome {
  return { status: "retryable", message, retryAfterSeconds: RETRY_AFTER_SECONDS };
}
