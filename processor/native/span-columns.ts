import type { SpanRow } from "../clickhouse/rows.ts";
import { GrowableBytes } from "./growable-bytes.ts";
import { LowCardinalityColumn } from "./low-cardinality-column.ts";
import { MapColumn } from "./map-column.ts";
import { StringColumn } from "./string-column.ts";

/** Lengths of every buffer and dictionary: where to cut when a body is taken back. */
export interface SpanMark {
  readonly rows: number;
  readonly buffers: readonly number[];
  readonly dictionaries: readonly number[];
}

/** The 22 insert columns of `otel_traces` in the memory layout of Native. Nested columns share their end offsets. */
export class SpanColumns {
  rows = 0;
  readonly timestamp = new GrowableBytes();
  readonly traceId = new StringColumn();
  readonly spanId = new StringColumn();
  readonly parentSpanId = new StringColumn();
  readonly traceState = new StringColumn();
  readonly spanName = new LowCardinalityColumn();
  readonly spanKind = new LowCardinalityColumn();
  readonly serviceName = new LowCardinalityColumn();
  readonly resourceAttributes = new MapColumn();
  readonly scopeName = new StringColumn();
  readonly scopeVersion = new StringColumn();
  readonly spanAttributes = new MapColumn();
  readonly duration = new GrowableBytes();
  readonly statusCode = new LowCardinalityColumn();
  readonly statusMessage = new StringColumn();
  readonly events = {
    offsets: new GrowableBytes(),
    timestamp: new GrowableBytes(),
    name: new LowCardinalityColumn(),
    attributes: new MapColumn(),
  };
  readonly links = {
    offsets: new GrowableBytes(),
    traceId: new StringColumn(),
    spanId: new StringColumn(),
    traceState: new StringColumn(),
    attributes: new MapColumn(),
  };

  readonly #maps = [this.resourceAttributes, this.spanAttributes, this.events.attributes, this.links.attributes];
  readonly #lowCardinality = [
    this.spanName,
    this.spanKind,
    this.serviceName,
    this.statusCode,
    this.events.name,
    ...this.#maps.map((map) => map.keys),
  ];
  readonly #buffers: readonly GrowableBytes[] = [
    this.timestamp,
    this.duration,
    this.events.offsets,
    this.events.timestamp,
    this.links.offsets,
    ...[this.traceId, this.spanId, this.parentSpanId, this.traceState, this.scopeName, this.scopeVersion].map(dataOf),
    ...[this.statusMessage, this.links.traceId, this.links.spanId, this.links.traceState].map(dataOf),
    ...this.#lowCardinality.map((column) => column.ids),
    ...this.#maps.flatMap((map) => [map.offsets, map.values.data]),
  ];

  /** Bytes of the block so far, about. */
  get bytes(): number {
    let bytes = 0;
    for (const buffer of this.#buffers) bytes += buffer.length;
    return bytes;
  }

  /** Number of events, over all rows. */
  get eventCount(): number {
    return this.events.timestamp.length / 8;
  }

  get linkCount(): number {
    return this.links.attributes.offsets.length / 8;
  }

  /** Fills `lengths`; `cutRow` with them takes back what was appended since. Dictionaries keep what they learned. */
  markRow(lengths: number[]): void {
    const buffers = this.#buffers;
    for (let index = 0; index < buffers.length; index++) lengths[index] = buffers[index]!.length;
  }

  cutRow(lengths: readonly number[]): void {
    for (const [index, buffer] of this.#buffers.entries()) buffer.length = lengths[index]!;
  }

  mark(): SpanMark {
    const buffers: number[] = [];
    this.markRow(buffers);
    return { rows: this.rows, buffers, dictionaries: this.#lowCardinality.map(({ dictionary }) => dictionary.size) };
  }

  /** Back to exactly the state at the mark. */
  cut(mark: SpanMark): void {
    this.rows = mark.rows;
    this.cutRow(mark.buffers);
    for (const [index, column] of this.#lowCardinality.entries()) column.dictionary.cutTo(mark.dictionaries[index]!);
  }

  /** Makes room for the next block; what `finish()` gave must not be read any more. */
  reset(): void {
    this.rows = 0;
    for (const buffer of this.#buffers) buffer.reset();
    for (const column of this.#lowCardinality) column.reset();
    for (const map of this.#maps) map.reset();
  }

  appendRow(row: SpanRow): void {
    this.serviceName.appendText(row.ServiceName);
    this.resourceAttributes.appendMap(row.ResourceAttributes);
    this.scopeName.appendText(row.ScopeName);
    this.scopeVersion.appendText(row.ScopeVersion);
    this.appendSpan(row);
  }

  /** Everything of a row but what its resource and scope say; counts the row. */
  appendSpan(row: SpanRow): void {
    this.timestamp.appendBigUint64(BigInt(row.Timestamp));
    this.traceId.appendText(row.TraceId);
    this.spanId.appendText(row.SpanId);
    this.parentSpanId.appendText(row.ParentSpanId);
    this.traceState.appendText(row.TraceState);
    this.spanName.appendText(row.SpanName);
    this.spanKind.appendText(row.SpanKind);
    this.spanAttributes.appendMap(row.SpanAttributes);
    this.duration.appendBigUint64(BigInt(row.Duration));
    this.statusCode.appendText(row.StatusCode);
    this.statusMessage.appendText(row.StatusMessage);
    this.#appendEvents(row);
    this.#appendLinks(row);
    this.rows++;
  }

  #appendEvents(row: SpanRow): void {
    const { events } = this;
    for (const time of row["Events.Timestamp"]) events.timestamp.appendBigUint64(BigInt(time));
    for (const name of row["Events.Name"]) events.name.appendText(name);
    for (const attributes of row["Events.Attributes"]) events.attributes.appendMap(attributes);
    events.offsets.appendUint64(this.eventCount);
  }

  #appendLinks(row: SpanRow): void {
    const { links } = this;
    for (const id of row["Links.TraceId"]) links.traceId.appendText(id);
    for (const id of row["Links.SpanId"]) links.spanId.appendText(id);
    for (const state of row["Links.TraceState"]) links.traceState.appendText(state);
    for (const attributes of row["Links.Attributes"]) links.attributes.appendMap(attributes);
    links.offsets.appendUint64(this.linkCount);
  }
}

const dataOf = (column: StringColumn): GrowableBytes => column.data;
