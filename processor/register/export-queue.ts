import { context, createContextKey, diag, TraceFlags } from "@opentelemetry/api";
import { unrecorded } from "../../instrumentation/capture/unrecorded.ts";
import type { SdkSpan, SdkSpanProcessor } from "../sdk-span.ts";
import type { SdkExporter } from "./sdk-packages.ts";
import type { BatchSettings } from "./sdk-settings.ts";

// The SDK's own key (`Symbol.for` behind it): spans about exporting spans would never end.
const SUPPRESS_TRACING = createContextKey("OpenTelemetry SDK Context Key SUPPRESS_TRACING");
const SUCCESS = 0;

export interface ExportQueueOptions extends BatchSettings {
  readonly exporter: SdkExporter;
  /** False while exporting is known to be in vain: then nothing is tried, and spans wait. */
  readonly canExport: () => boolean;
  /** Takes over what cannot be exported, synchronously. */
  readonly keep: (spans: readonly SdkSpan[]) => void;
}

/**
 * Batches spans as the SDK's own processor does, and never loses one silently: what the exporter does not take, what is
 * too much for the queue, and what is still here when the process ends goes to `keep()`. Nothing of it holds the process.
 */
export class ExportQueue implements SdkSpanProcessor {
  readonly #options: ExportQueueOptions;
  readonly #inFlight = new Map<readonly SdkSpan[], Promise<void>>();
  #queue: SdkSpan[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ExportQueueOptions) {
    this.#options = options;
  }

  onStart(): void {}

  onEnding(): void {}

  onEnd(span: SdkSpan): void {
    if ((span.spanContext().traceFlags & TraceFlags.SAMPLED) === 0) return;
    const { maxBatch, maxQueue, delayMillis } = this.#options;
    this.#queue.push(span);
    // One export at a time, as long as the queue has room: a collector in trouble is not helped by more requests.
    if (this.#queue.length >= maxBatch && this.#inFlight.size === 0) this.#exportAll();
    else if (this.#queue.length >= maxQueue) this.#options.keep(this.#queue.splice(0, maxBatch));
    else if (this.#timer === undefined) {
      this.#timer = setTimeout(() => this.#exportAll(), delayMillis);
      this.#timer.unref();
    }
  }

  /** Whether a span is here that is not exported yet. */
  isOwing(): boolean {
    return this.#queue.length > 0 || this.#inFlight.size > 0;
  }

  /** Hands everything over to `keep()`: the process ends now. */
  keepAll(): void {
    const rest = [...this.#inFlight.keys()].flat();
    this.#inFlight.clear();
    this.#options.keep([...rest, ...this.#queue.splice(0)]);
  }

  async forceFlush(): Promise<void> {
    if (this.#options.canExport()) this.#exportAll();
    await Promise.all(this.#inFlight.values());
  }

  async shutdown(): Promise<void> {
    await this.forceFlush();
    await this.#options.exporter.shutdown();
  }

  #exportAll(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    while (this.#queue.length > 0) {
      const batch = this.#queue.splice(0, this.#options.maxBatch);
      this.#inFlight.set(batch, this.#export(batch));
    }
  }

  /** Never rejects. */
  async #export(batch: readonly SdkSpan[]): Promise<void> {
    const { exporter, keep } = this.#options;
    const untraced = context.active().setValue(SUPPRESS_TRACING, true);
    const result = await new Promise<{ readonly code: number; readonly error?: Error }>((resolve) => {
      unrecorded(() => context.with(untraced, () => exporter.export(batch, resolve)));
    }).catch((error: unknown) => ({ code: -1, error: error as Error }));
    // Kept by `keepAll()` meanwhile: sent again, and the same span twice is one span.
    if (!this.#inFlight.delete(batch) || result.code === SUCCESS) return;
    diag.warn(`runproof: ${batch.length} spans were not exported and are kept: ${result.error?.message ?? ""}`);
    keep(batch);
  }
}
