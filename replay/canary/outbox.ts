import { mkdir, readdir, readFile, rename, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { sendOtlp } from "../../instrumentation/transport/otlp-sender.ts";
import type { CanaryEvent } from "./canary-events.ts";

export interface OutboxOptions {
  /** Holds what was not acknowledged yet, a file for each event. */
  readonly directory: string;
  /** OTLP/HTTP base URL. */
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Pauses between attempts of `deliver()`, milliseconds. Default 0.5 s and 2 s. */
  readonly pausesMillis?: readonly number[];
}

/** What is left after sending; `problem` says why. */
export interface Delivery {
  readonly unsent: number;
  readonly problem: string | null;
}

/**
 * Events on their way to the service. What was added is on disk before it is sent and stays until the service has it, also
 * across restarts. An event that was taken and not crossed out, because the process died between, is sent again with the
 * same `log.record.uid`.
 */
export interface Outbox {
  /** Resolves when the event is on disk. */
  add(event: CanaryEvent): Promise<void>;
  /** Sends what there is, with a few attempts. A call while another waits for its turn is that other. */
  deliver(signal?: AbortSignal): Promise<Delivery>;
}

const DEADLINE_MILLIS = 10_000;
const MAX_BATCH = 50;
const MAX_BATCH_BYTES = 1_048_576;
/** About a month of rounds; beyond it the oldest go. */
const MAX_FILES = 20_000;
const EVENT_FILE = /^\d{15}-[0-9a-f]{32}\.json$/;

export function createOutbox({ directory, url, headers, pausesMillis = [500, 2_000] }: OutboxOptions): Outbox {
  const target = `${url.replace(/\/+$/, "")}/v1/logs`;
  let turn: Promise<unknown> = Promise.resolve();
  let next: Promise<Delivery> | undefined;

  /** Sends all there is; ends at the first batch that is not taken. */
  async function sendAll(): Promise<Delivery> {
    const files = await waiting(directory);
    const refusals: string[] = [];
    for (let at = 0; at < files.length;) {
      const batch = await batchFrom(directory, files.slice(at, at + MAX_BATCH));
      const body = `{"resourceLogs":[${batch.texts.join(",")}]}`;
      const request = { url: target, body, deadlineMillis: DEADLINE_MILLIS, keepsProcessAlive: true };
      const sent = batch.texts.length === 0 ? TAKEN : await sendOtlp({ ...request, ...(headers && { headers }) });
      if (sent.outcome === "unreachable" || (sent.outcome === "refused" && !sent.permanent)) {
        return { unsent: files.length - at, problem: `${target}: ${sent.reason}` };
      }
      if (sent.outcome === "refused")
        refusals.push(`${target} will never take ${batch.names.length} events: ${sent.reason}`);
      for (const name of batch.names) await settle(join(directory, name), sent.outcome === "acknowledged");
      at += batch.names.length;
    }
    return { unsent: 0, problem: refusals.length === 0 ? null : refusals.join("; ") };
  }

  async function withPauses(signal: AbortSignal | undefined): Promise<Delivery> {
    let delivery = await sendAll();
    for (const pause of pausesMillis) {
      if (delivery.unsent === 0 || signal?.aborted === true) break;
      await sleep(pause, undefined, { ...(signal && { signal }) }).catch(() => {});
      delivery = await sendAll();
    }
    return delivery;
  }

  return {
    async add({ uid, timeMillis, resourceLogs }) {
      await mkdir(directory, { recursive: true });
      const path = join(directory, `${String(timeMillis).padStart(15, "0")}-${uid}.json`);
      await writeFile(`${path}.tmp`, JSON.stringify(resourceLogs), { flush: true });
      await rename(`${path}.tmp`, path);
    },
    deliver(signal) {
      if (next !== undefined) return next;
      const mine = turn.then(() => {
        next = undefined;
        return withPauses(signal);
      });
      next = mine;
      turn = mine.catch(() => {});
      return mine;
    },
  };
}

const TAKEN = { outcome: "acknowledged" } as const;

/** Names of what waits, oldest first. */
async function waiting(directory: string): Promise<string[]> {
  const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
  const files = names.filter((name) => EVENT_FILE.test(name)).toSorted();
  for (const name of files.splice(0, files.length - MAX_FILES)) await settle(join(directory, name), true);
  return files;
}

/** At least one file; another process may have sent one meanwhile. */
async function batchFrom(
  directory: string,
  names: readonly string[],
): Promise<{ readonly names: readonly string[]; readonly texts: readonly string[] }> {
  const taken: string[] = [];
  const texts: string[] = [];
  let bytes = 0;
  for (const name of names) {
    const text = await readFile(join(directory, name), "utf8").catch(() => undefined);
    if (text !== undefined && bytes > 0 && bytes + text.length > MAX_BATCH_BYTES) break;
    taken.push(name);
    if (text === undefined) continue;
    bytes += text.length;
    texts.push(text);
  }
  return { names: taken, texts };
}

/** Crosses an event out; one that is refused for good is kept beside, to be looked at. */
async function settle(path: string, taken: boolean): Promise<void> {
  const done = taken ? unlink(path) : rename(path, path.replace(/\.json$/, ".refused"));
  await done.catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
  });
}
