/**
 * The parts of OpenTelemetry SDK spans that we use, as structural types. SDK 2.x and 3.x fit both; importing either
 * would tie every user to one line.
 */
export type HrTime = readonly [seconds: number, nanoseconds: number];

export interface SdkSpan {
  readonly name: string;
  readonly kind: number;
  spanContext(): { readonly traceId: string; readonly spanId: string; readonly traceFlags: number };
  readonly parentSpanContext?: { readonly spanId: string } | undefined;
  readonly startTime: HrTime;
  readonly duration: HrTime;
  readonly status: { readonly code: number; readonly message?: string };
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly resource: { readonly attributes: Readonly<Record<string, unknown>> };
  readonly instrumentationScope: { readonly name: string; readonly version?: string };
}

/** A span that is ending and still takes attributes. */
export interface EndingSpan extends SdkSpan {
  setAttributes(attributes: Record<string, string>): unknown;
  addEvent(name: string, attributes: Record<string, string>): unknown;
}

/** `SpanProcessor` of SDK 2.x and 3.x. */
export interface SdkSpanProcessor {
  onStart(span: SdkSpan, parentContext: unknown): void;
  onEnding(span: EndingSpan): void;
  onEnd(span: SdkSpan): void;
  forceFlush(): Promise<void>;
  shutdown(): Promise<void>;
}
