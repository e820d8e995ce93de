import { setTimeout as sleep } from "node:timers/promises";
import type { Component } from "../component.ts";
import type { SpoolBatch, SpoolReader, SpoolRecord } from "../spool/index.ts";
import type { BackoffOptions } from "./backoff.ts";
import { type ForwardBody, forwardBodyFrom } from "./forward-body.ts";
import type { ForwardCounter } from "./forward-counts.ts";
import { type Delivery, deliver, type DeliveryOptions } from "./forward-delivery.ts";
import { parcelsFrom } from "./forward-parcel.ts";
import type { OtlpSender } from "./otlp-sender.ts";

export interface ForwardLaneOptions {
  readonly reader: SpoolReader;
  /** Known from the start on. */
  readonly sender: () => OtlpSender;
  readonly counter: ForwardCounter;
  /** Bytes that may wait; beyond it the oldest are given up. */
  readonly maxBytes: number;
  /** Requests under way at a time. */
  readonly concurrency: number;
  /** About as large is a request, before compression. */
  readonly batchBytes: number;
  /** How long a small request waits for more, milliseconds. */
  readonly lingerMillis: number;
  /** Time a stop has to send what waits. The rest stays on disk. */
  readonly shutdownTimeoutMillis: number;
  readonly backoff: BackoffOptions;
  readonly onError: (what: string, error: unknown) => void;
}

const READ_FAILED_MILLIS = 2_000;

/**
 * Sends a log on, batch by batch, each committed when its fate is known: so a crash repeats what was under way and loses
 * nothing. Order is that of the log, but for requests under way together.
 */
export function createForwardLane(options: ForwardLaneOptions): Component {
  const { reader, counter, batchBytes } = options;
  const stopping = new AbortController();
  const deadline = new AbortController();
  let workers: Promise<void>[] = [];
  let stopped: Promise<void> | undefined;

  const isFull = (): boolean => reader.stats().unreadBytes > options.maxBytes;

  async function work(): Promise<void> {
    while (await reader.waitForRecords(stopping.signal)) {
      if (deadline.signal.aborted) return;
      if (reader.stats().unreadBytes < batchBytes) await pause(options.lingerMillis);
      const again = await moveOne().catch(async (error: unknown) => {
        options.onError("forwarding", error);
        await pause(READ_FAILED_MILLIS);
        return !stopping.signal.aborted;
      });
      if (!again) return;
    }
  }

  /** `false` when the stop keeps it from going on. */
  async function moveOne(): Promise<boolean> {
    const full = isFull();
    const batch = await reader.read(batchBytes);
    if (batch === undefined) return true;
    const fate = full ? giveUp(batch) : await sendOn(batch);
    if (fate === "settled") await reader.commit(batch);
    else await reader.release(batch);
    return fate === "settled";
  }

  async function sendOn(batch: SpoolBatch): Promise<Delivery> {
    const delivery: DeliveryOptions = {
      ...options,
      sender: options.sender(),
      isFull,
      stopping: stopping.signal,
      deadline: deadline.signal,
    };
    for (const parcel of parcelsFrom(bodiesOf(batch), batchBytes)) {
      if ((await deliver(parcel, delivery)) === "kept") return "kept";
    }
    return "settled";
  }

  function giveUp(batch: SpoolBatch): Delivery {
    for (const { kind, records, bytes } of bodiesOf(batch)) {
      counter.lost(kind, "backlog_full", { records, bodies: 1, bytes: bytes.length });
    }
    return "settled";
  }

  const bodiesOf = (batch: SpoolBatch): ForwardBody[] =>
    batch.records.flatMap((record) => {
      try {
        return [forwardBodyFrom(record)];
      } catch (error) {
        return undecodable(record, error);
      }
    });

  /** It was taken by a receiver that decoded it, so this is a defect of ours; it must not stop the others. */
  function undecodable({ kind, payload }: SpoolRecord, error: unknown): [] {
    counter.lost(kind, "undecodable", { records: 0, bodies: 1, bytes: payload.length });
    options.onError("reading a body to forward", error);
    return [];
  }

  async function stop(): Promise<void> {
    stopping.abort();
    const timer = setTimeout(() => deadline.abort(), options.shutdownTimeoutMillis);
    await Promise.all(workers);
    clearTimeout(timer);
    deadline.abort();
  }

  const pause = (millis: number): Promise<void> =>
    sleep(millis, undefined, { signal: stopping.signal }).catch(() => {});

  return {
    async start() {
      workers = Array.from({ length: options.concurrency }, work);
    },
    shutdown: () => (stopped ??= stop()),
  };
}
