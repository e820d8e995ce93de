import type { SpanRow } from "../clickhouse/rows.ts";
import { decodeTracesProtobuf } from "../otlp/protobuf-traces.ts";
import type { RowBatch } from "../otlp/row-batch.ts";
import { spanRowsFrom } from "../otlp/span-rows.ts";
import { checkSpan } from "./check-span.ts";
import { type Rejected, Rejections } from "./rejections.ts";
import { stampProject } from "../receivers/stamp-project.ts";
import { ResourceWriter } from "./resource-columns.ts";
import { slowSpan } from "./slow-record.ts";
import { SpanColumns } from "./span-columns.ts";
import { spanNativeBlock } from "./span-native-block.ts";
import { SpanWriter } from "./span-writer.ts";
import { type TouchedRun, touchedRunFrom } from "./touched-run.ts";
import { createTracesWalk, type SpanGroup } from "./walk-traces.ts";
import { LeaveFastPath, WireCursor } from "./wire-cursor.ts";

/** What one body added to a block: the same as `spanRowsFrom(decodeTracesProtobuf(body))` says. */
export interface AppendResult {
  readonly rows: number;
  readonly rejected: readonly Rejected[];
  /** One entry per span with a run id, in the order of the rows. */
  readonly touched: readonly TouchedRun[];
  readonly cutValues: number;
  readonly droppedAttributes: number;
}

export interface AppendOptions {
  /** Project of the credential, which overrules what the data says. Default `''`: there is none. */
  readonly project?: string;
}

/** Rows of `otel_traces` on their way into one insert, in the memory layout of ClickHouse's Native format. */
export interface SpanBlock {
  /**
   * Appends the spans of a protobuf `ExportTraceServiceRequest`; with a project, as `stampProject` stamps their rows.
   * @throws OtlpDecodeError for a body that is refused as a whole; the block is then as it was before.
   */
  append(body: Uint8Array, options?: AppendOptions): AppendResult;
  /** Appends a row that came another way (OTLP/JSON, the SDK). */
  appendRow(row: SpanRow): void;
  readonly rows: number;
  /** Size of the block, about. */
  readonly bytes: number;
  /** The block in pieces to send in order. They share the block's memory: send them before the next `append`. */
  finish(): Uint8Array[];
  /** Empties the block and keeps its memory. */
  reset(): void;
}

export function createSpanBlock(): SpanBlock {
  const columns = new SpanColumns();
  const appender = new BodyAppender(columns);
  return {
    append: (body, { project = "" } = {}) => appender.append(body, project),
    appendRow: (row) => columns.appendRow(row),
    get rows() {
      return columns.rows;
    },
    get bytes() {
      return columns.bytes;
    },
    finish: () => spanNativeBlock(columns),
    reset: () => columns.reset(),
  };
}

/** A result while it grows. */
class BodyTally {
  readonly rejections = new Rejections();
  readonly touched: TouchedRun[] = [];
  cutValues = 0;
  droppedAttributes = 0;

  add(losses: { readonly cutValues: number; readonly droppedAttributes: number }): void {
    this.cutValues += losses.cutValues;
    this.droppedAttributes += losses.droppedAttributes;
  }

  touch(run: TouchedRun | undefined): void {
    if (run !== undefined) this.touched.push(run);
  }
}

/** Fast span by span; a span with something rare in it through the decoder; a body the walk gives up on as a whole. */
class BodyAppender {
  readonly #columns: SpanColumns;
  readonly #writer: SpanWriter;
  readonly #resources: ResourceWriter;
  readonly #walk = createTracesWalk();
  readonly #rowLengths: number[] = [];
  #project = "";

  constructor(columns: SpanColumns) {
    this.#columns = columns;
    this.#writer = new SpanWriter(columns);
    this.#resources = new ResourceWriter(columns);
  }

  append(body: Uint8Array, project: string): AppendResult {
    this.#project = project;
    this.#writer.project = project;
    const mark = this.#columns.mark();
    const tally = new BodyTally();
    try {
      this.#walk(new WireCursor(body), {
        resource: (resource) => tally.add(resource),
        span: (cursor, end, group) => this.#appendSpan(cursor, end, { group, tally }),
      });
    } catch (error) {
      this.#columns.cut(mark);
      if (!(error instanceof LeaveFastPath)) throw error;
      return this.#appendSlowly(body);
    }
    const { rejections, touched, cutValues, droppedAttributes } = tally;
    const rows = this.#columns.rows - mark.rows;
    return { rows, rejected: rejections.list(), touched, cutValues, droppedAttributes };
  }

  #appendSpan(cursor: WireCursor, end: number, context: { group: SpanGroup; tally: BodyTally }): void {
    const start = cursor.pos;
    const { nodes } = cursor;
    this.#columns.markRow(this.#rowLengths);
    try {
      const run = this.#writer.write(cursor, end);
      this.#appendGroup(context.group);
      this.#columns.rows++;
      if (run !== undefined) context.tally.touch(run);
    } catch (error) {
      if (!(error instanceof LeaveFastPath)) throw error;
      this.#columns.cutRow(this.#rowLengths);
      cursor.pos = start;
      cursor.nodes = nodes;
      checkSpan(cursor, end);
      this.#appendSpanSlowly(cursor.bytes.subarray(start, end), context);
    }
  }

  #appendSpanSlowly(span: Uint8Array, { group, tally }: { group: SpanGroup; tally: BodyTally }): void {
    const batch = slowSpan(span);
    tally.rejections.add(batch.rejections);
    tally.add(batch);
    if (this.#project !== "") stampProject(batch.rows, this.#project);
    for (const row of batch.rows) {
      this.#appendGroup(group);
      this.#columns.appendSpan(row);
      tally.touch(touchedRunFrom(row));
    }
  }

  #appendGroup({ resource, scope }: SpanGroup): void {
    const { scopeName, scopeVersion } = this.#columns;
    this.#resources.append(resource, this.#project);
    scopeName.data.appendAll(scope.name);
    scopeVersion.data.appendAll(scope.version);
  }

  /** Throws what the decoder throws. */
  #appendSlowly(body: Uint8Array): AppendResult {
    const batch: RowBatch<SpanRow> = spanRowsFrom(decodeTracesProtobuf(body));
    const tally = new BodyTally();
    tally.rejections.add(batch.rejections);
    if (this.#project !== "") stampProject(batch.rows, this.#project);
    for (const row of batch.rows) {
      this.#columns.appendRow(row);
      tally.touch(touchedRunFrom(row));
    }
    const { rejections, touched } = tally;
    const { cutValues, droppedAttributes } = batch;
    return { rows: batch.rows.length, rejected: rejections.list(), touched, cutValues, droppedAttributes };
  }
}
