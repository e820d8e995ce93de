import { reasonOf } from "./bounded-request.ts";
import { CrashSpool } from "./crash-spool.ts";
import { createOtlpAgents, sendOtlp, type OtlpResult } from "./otlp-sender.ts";
import { encodeRecords, type RecordResource, type RecordSpan } from "./record-span.ts";
import { realMonotonicMillis, realNow } from "../real-sources.ts";
import { RUN_EVENT_PROCESS_EXIT } from "../semconv.ts";
import { resendSpool, type ResendCounts } from "./resend-spool.ts";
import { processExitRecord } from "./run-death.ts";
import { sendInBatches } from "./send-batches.ts";
import type { OpenRun } from "./spool-file.ts";

export interface RecordChannelOptions {
  /** URL for OTLP/HTTP traces (`…/v1/traces`); `null` turns the channel off. */
  readonly endpoint: string | null;
  readonly headers?: Readonly<Record<string, string>>;
  /** Longest wait for an acknowledgement before the agent goes on. Default 1,000. */
  readonly deadlineMillis?: number;
  /** Where unacknowledged records outlive the process; `null`: nowhere. */
  readonly spoolDirectory: string | null;
  readonly maxSpoolBytes?: number;
  readonly resource: RecordResource;
  readonly onDiagnostic?: (message: string) => void;
}

export interface ChannelRecord {
  readonly runId: string;
  /** One of the `RUN_EVENT_*` values. */
  readonly event: string;
  readonly span: RecordSpan;
}

/** `spooled`: on disk, sent again by this process or the next. `dropped`: lost, unless the post still arrives. */
export type SendOutcome = "acknowledged" | "spooled" | "dropped";

/** The flush-now path: facts about runs that must arrive although the process may die any moment. Never throws. */
export interface RecordChannel {
  /** Resolves within the deadline, whatever the collector does. */
  send(record: ChannelRecord): Promise<SendOutcome>;
  /** Call before the start record is sent: from here on a death of the process will be reported. */
  runOpened(run: OpenRun): void;
  /** Call after the close record was sent. */
  runClosed(runId: string): void;
  /** False while the collector is known to be away: waiting for it would be in vain. */
  canDeliver(): boolean;
  /** Whether something is under way or owed. */
  isOwing(): boolean;
  /** Puts records into the crash spool, synchronously; they are sent by a retry or by the next process. */
  keep(records: readonly ChannelRecord[]): void;
  /** The same for records that are under way: the process may end before they are acknowledged. */
  keepInFlight(): void;
  /** Tells of every open run that its process ends now, when no exit hook will run. Sent within the deadline. */
  endOpenRuns(exitCode: number): Promise<void>;
  /** Sends on what dead processes left. Once is enough; does not keep the process alive. */
  resendPrevious(): Promise<ResendCounts>;
  /** Waits, at most this long, until nothing is under way or owed; keeps the process alive meanwhile. */
  flush(deadlineMillis: number): Promise<void>;
  /** Stops timers and removes the exit hook. What is owed stays in the spool for the next process. */
  close(): void;
}

const DEFAULT_DEADLINE_MILLIS = 1_000;
/** How long a post may go on after the agent stopped waiting for it. */
const BACKGROUND_MILLIS = 10_000;
const MAX_IN_FLIGHT = 64;
const DOWN_MILLIS = 1_000;
const MAX_RETRY_MILLIS = 5_000;
const MAX_RECORD_BYTES = 8 * 1024 * 1024;

export const createRecordChannel = (options: RecordChannelOptions): RecordChannel => new HttpRecordChannel(options);

class HttpRecordChannel implements RecordChannel {
  readonly #options: RecordChannelOptions;
  readonly #spool: CrashSpool | undefined;
  readonly #agents = createOtlpAgents();
  readonly #inFlight = new Set<Promise<unknown>>();
  readonly #unacknowledged = new Set<ChannelRecord>();
  readonly #diagnose: (message: string) => void;
  #lastFailureMillis = -Infinity;
  #retryTimer: NodeJS.Timeout | undefined;
  #retryDelayMillis = DOWN_MILLIS;
  #exitHook: ((code: number) => void) | undefined;
  #closed = false;

  constructor(options: RecordChannelOptions) {
    this.#options = options;
    this.#diagnose = guarded(options.onDiagnostic);
    const { spoolDirectory: directory, endpoint, resource, maxSpoolBytes } = options;
    if (directory === null || endpoint === null) return;
    const limit = maxSpoolBytes === undefined ? {} : { maxBytes: maxSpoolBytes };
    this.#spool = new CrashSpool({ directory, resource, onDiagnostic: this.#diagnose, ...limit });
  }

  async send(record: ChannelRecord): Promise<SendOutcome> {
    try {
      return await this.#send(record);
    } catch (error) {
      this.#diagnose(`a ${record.event} record was dropped: ${reasonOf(error)}`);
      return "dropped";
    }
  }

  async #send(record: ChannelRecord): Promise<SendOutcome> {
    if (this.#options.endpoint === null || this.#closed) return "dropped";
    const body = encodeRecords(this.#options.resource, [record.span]);
    if (Buffer.byteLength(body) > MAX_RECORD_BYTES) {
      this.#diagnose(`a ${record.event} record was dropped: over ${MAX_RECORD_BYTES} bytes`);
      return "dropped";
    }
    if (this.#isDown() || this.#inFlight.size >= MAX_IN_FLIGHT) return this.#keep(record);
    const post = this.#track(this.#post(body));
    this.#unacknowledged.add(record);
    const result = await withDeadline(post, this.#options.deadlineMillis ?? DEFAULT_DEADLINE_MILLIS);
    this.#unacknowledged.delete(record);
    if (result?.outcome === "acknowledged") {
      // It is in the spool if the process seemed to end meanwhile.
      this.#acknowledged(record);
      return "acknowledged";
    }
    if (result?.outcome === "refused" && result.permanent) {
      this.#diagnose(`a ${record.event} record was refused by the collector: ${result.reason}`);
      return "dropped";
    }
    const kept = this.#keep(record);
    this.#failed(result?.reason ?? "no acknowledgement within the deadline");
    if (result === undefined) {
      void post.then((late) => late.outcome === "acknowledged" && this.#acknowledged(record));
    }
    return kept;
  }

  runOpened(run: OpenRun): void {
    if (this.#spool === undefined || this.#closed) return;
    this.#spool.markOpen(run);
    if (this.#exitHook !== undefined) return;
    this.#exitHook = (code) => this.#recordExit(code);
    process.once("exit", this.#exitHook);
  }

  runClosed(runId: string): void {
    this.#spool?.markClosed(runId);
  }

  canDeliver(): boolean {
    return realMonotonicMillis() - this.#lastFailureMillis > MAX_RETRY_MILLIS;
  }

  isOwing(): boolean {
    return this.#inFlight.size > 0 || (this.#spool?.outstanding ?? 0) > 0;
  }

  keep(records: readonly ChannelRecord[]): void {
    if (this.#closed) return;
    for (const record of records) this.#keep(record);
  }

  keepInFlight(): void {
    for (const { runId, event, span } of this.#unacknowledged) this.#spool?.appendRecord(runId, event, span);
  }

  async endOpenRuns(exitCode: number): Promise<void> {
    const open = this.#spool?.openRuns ?? [];
    await Promise.all(
      open.map(async (run) => {
        const span = processExitRecord(run, exitCode, realNow());
        const outcome = await this.send({ runId: run.runId, event: RUN_EVENT_PROCESS_EXIT, span });
        if (outcome !== "dropped") this.runClosed(run.runId);
      }),
    );
  }

  async resendPrevious(): Promise<ResendCounts> {
    const { spoolDirectory, endpoint } = this.#options;
    if (spoolDirectory === null || endpoint === null || this.#closed) {
      return { files: 0, filesLeft: 0, records: 0, deaths: 0, quarantined: 0 };
    }
    return this.#track(resendSpool(spoolDirectory, (body) => this.#post(body), this.#diagnose));
  }

  async flush(deadlineMillis: number): Promise<void> {
    await withDeadline(this.#drain(), deadlineMillis);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#retryTimer);
    if (this.#exitHook !== undefined) process.removeListener("exit", this.#exitHook);
    this.#spool?.close();
    this.#agents.http.destroy();
    this.#agents.https.destroy();
  }

  async #drain(): Promise<void> {
    await Promise.allSettled(this.#inFlight);
    await this.#retry();
  }

  #post(body: string): Promise<OtlpResult> {
    const { endpoint, headers = {} } = this.#options;
    return sendOtlp({ url: endpoint ?? "", headers, body, deadlineMillis: BACKGROUND_MILLIS, agents: this.#agents });
  }

  #track<T>(work: Promise<T>): Promise<T> {
    this.#inFlight.add(work);
    const done = (): boolean => this.#inFlight.delete(work);
    work.then(done, done);
    return work;
  }

  #keep({ runId, event, span }: ChannelRecord): SendOutcome {
    const kept = this.#spool?.appendRecord(runId, event, span) === true;
    if (kept) this.#scheduleRetry();
    return kept ? "spooled" : "dropped";
  }

  #acknowledged(record: ChannelRecord): void {
    // Slow is not away.
    this.#lastFailureMillis = -Infinity;
    this.#spool?.acknowledge([record.span.spanId]);
  }

  /** While the collector is known to be away nobody waits for it: the retry finds out when it is back. */
  #isDown(): boolean {
    return this.#retryTimer !== undefined || realMonotonicMillis() - this.#lastFailureMillis < DOWN_MILLIS;
  }

  #failed(reason: string): void {
    if (!this.#isDown()) this.#diagnose(`the collector does not take records: ${reason}`);
    this.#lastFailureMillis = realMonotonicMillis();
  }

  #scheduleRetry(): void {
    if (this.#retryTimer !== undefined || this.#closed) return;
    this.#retryTimer = setTimeout(() => {
      this.#track(this.#retry()).catch((error: unknown) => this.#diagnose(reasonOf(error)));
    }, this.#retryDelayMillis);
    this.#retryTimer.unref();
  }

  async #retry(): Promise<void> {
    const spool = this.#spool;
    const owed = spool?.outstandingRecords() ?? [];
    if (spool === undefined || owed.length === 0) return this.#recovered();
    const acknowledge = (ids: readonly string[]): void => spool.acknowledge(ids);
    const outcome = await sendInBatches(this.#options.resource, owed, (body) => this.#post(body), acknowledge);
    // What the collector will never take is given up: it would be sent again for ever.
    spool.acknowledge(outcome.rejected.map(({ span }) => span.spanId));
    for (const { reason } of outcome.rejected) this.#diagnose(`a record was refused by the collector: ${reason}`);
    if (outcome.stopped === undefined) return this.#recovered();
    this.#lastFailureMillis = realMonotonicMillis();
    this.#retryDelayMillis = Math.min(this.#retryDelayMillis * 2, MAX_RETRY_MILLIS);
    clearTimeout(this.#retryTimer);
    this.#retryTimer = undefined;
    this.#scheduleRetry();
  }

  #recovered(): void {
    clearTimeout(this.#retryTimer);
    this.#retryTimer = undefined;
    this.#retryDelayMillis = DOWN_MILLIS;
    this.#lastFailureMillis = -Infinity;
    if ((this.#spool?.outstanding ?? 0) > 0) this.#scheduleRetry(); // Spooled while the retry was under way.
  }

  /** Runs in the exit hook: only synchronous work gets done. */
  #recordExit(code: number): void {
    const spool = this.#spool;
    if (spool === undefined) return;
    this.keepInFlight();
    for (const run of spool.openRuns) {
      const record = processExitRecord(run, code, realNow());
      // When even this cannot be written the run stays marked as open: the next process says that it died.
      if (spool.appendRecord(run.runId, RUN_EVENT_PROCESS_EXIT, record)) spool.markClosed(run.runId);
    }
  }
}

/** `undefined` when the deadline came first. The timer keeps the process alive: somebody is waiting. */
async function withDeadline<T>(work: Promise<T>, millis: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), millis);
  });
  try {
    return await Promise.race([work, deadline]);
  } finally {
    clearTimeout(timer);
  }
}

/** A diagnostic sink that throws must not break what it reports on. */
const guarded =
  (sink: ((message: string) => void) | undefined): ((message: string) => void) =>
  (message) => {
    try {
      sink?.(message);
    } catch {
      // Nowhere left to report to.
    }
  };
