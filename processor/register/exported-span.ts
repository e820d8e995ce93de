import type { HrTime, SdkSpan } from "../sdk-span.ts";

/** The parts of an ended SDK span that an exporter sends, as structural types like those of `SdkSpan`. */
export interface ExportedSpan extends SdkSpan {
  spanContext(): ExportedSpanContext;
  readonly parentSpanContext?: ExportedSpanContext | undefined;
  readonly endTime: HrTime;
  readonly resource: { readonly attributes: Attributes; readonly schemaUrl?: string };
  readonly instrumentationScope: ExportedScope;
  readonly events: readonly ExportedEvent[];
  readonly links: readonly ExportedLink[];
  readonly droppedAttributesCount: number;
  readonly droppedEventsCount: number;
  readonly droppedLinksCount: number;
}

export type Attributes = Readonly<Record<string, unknown>>;

export interface ExportedSpanContext {
  readonly traceId: string;
  readonly spanId: string;
  readonly traceFlags: number;
  readonly isRemote?: boolean;
  readonly traceState?: { serialize(): string } | undefined;
}

export interface ExportedScope {
  readonly name: string;
  readonly version?: string;
  readonly schemaUrl?: string;
  readonly attributes?: Attributes;
  readonly droppedAttributesCount?: number;
}

export interface ExportedEvent {
  readonly name: string;
  readonly time: HrTime;
  readonly attributes?: Attributes;
  readonly droppedAttributesCount?: number;
}

export interface ExportedLink {
  readonly context: ExportedSpanContext;
  readonly attributes?: Attributes;
  readonly droppedAttributesCount?: number;
}
