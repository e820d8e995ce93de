import { MAX_NODES, MAX_REPEATED_LENGTH, MAX_TEXT_BYTES } from "../otlp/limits.ts";
import { logRowsFrom } from "../otlp/log-rows.ts";
import { NODES_PER_GROUP } from "../otlp/node-budget.ts";
import { decodeLogsProtobuf } from "../otlp/protobuf-logs.ts";
import { checkLogRecord } from "./check-log-record.ts";
import { ContentCache } from "./content-cache.ts";
import { embeddedMessage, forEachMessage } from "./protobuf-piece.ts";
import { rejectedFrom, Rejections } from "./rejections.ts";
import { type ResourceColumns, resourceColumnsFrom } from "./resource-columns.ts";
import type { ScanResult } from "./scan-traces.ts";
import { type ScopeColumns, scopeColumnsFrom } from "./scope-columns.ts";
import { slowLogRecord } from "./slow-record.ts";
import { LeaveFastPath, leaveFastPath, WireCursor } from "./wire-cursor.ts";

export type LogsScan = (body: Uint8Array) => ScanResult;

interface GroupCaches {
  readonly resources: ContentCache<ResourceColumns>;
  readonly scopes: ContentCache<ScopeColumns>;
}

/** The same for logs as `createTracesScan` for spans: what will be stored of a protobuf body, without making rows. */
export function createLogsScan(): LogsScan {
  const caches = { resources: new ContentCache(resourceColumnsFrom), scopes: new ContentCache(scopeColumnsFrom) };
  return (body) => {
    try {
      return new LogsWalk(body, caches).result();
    } catch (error) {
      if (!(error instanceof LeaveFastPath)) throw error;
      const { rows, rejections } = logRowsFrom(decodeLogsProtobuf(body));
      return { rows: rows.length, rejected: rejectedFrom(rejections) };
    }
  };
}

/** Names of the five texts that `logRowsFrom` counts with their values. */
const REPEATED_NAMES = 63;

class LogsWalk {
  readonly #cursor: WireCursor;
  readonly #caches: GroupCaches;
  readonly #rejections = new Rejections();
  #rows = 0;
  #repeated = 0;

  constructor(body: Uint8Array, caches: GroupCaches) {
    this.#cursor = new WireCursor(body);
    this.#caches = caches;
  }

  result(): ScanResult {
    const end = this.#cursor.bytes.length;
    forEachMessage(this.#cursor, { start: 0, end, field: 1 }, (groupEnd) => this.#resource(groupEnd));
    this.#checkNodes();
    return { rows: this.#rows, rejected: this.#rejections.list() };
  }

  #resource(end: number): void {
    const cursor = this.#cursor;
    const start = cursor.pos;
    const resource = this.#caches.resources.get(embeddedMessage(cursor, end, 1, 3));
    cursor.nodes += NODES_PER_GROUP + resource.nodes;
    cursor.pos = start;
    const shared = resource.length + resource.serviceName.length + schemaUrlBytes(cursor, end);
    forEachMessage(cursor, { start, end, field: 2 }, (scopeEnd) => this.#scope(scopeEnd, shared));
  }

  #scope(end: number, sharedLength: number): void {
    const cursor = this.#cursor;
    const start = cursor.pos;
    const scope = this.#caches.scopes.get(embeddedMessage(cursor, end, 1, 3));
    cursor.nodes += NODES_PER_GROUP + scope.nodes;
    cursor.pos = start;
    const own = scope.length + scope.attributesLength + schemaUrlBytes(cursor, end);
    forEachMessage(cursor, { start, end, field: 2 }, (recordEnd) => {
      this.#repeated += sharedLength + own + REPEATED_NAMES;
      // Counted in bytes, which are never fewer than characters.
      if (this.#repeated > MAX_REPEATED_LENGTH) leaveFastPath();
      this.#record(recordEnd);
      this.#checkNodes();
    });
  }

  #record(end: number): void {
    const { pos, bytes } = this.#cursor;
    if (checkLogRecord(this.#cursor, end)) this.#rows++;
    else this.#rejections.add(slowLogRecord(bytes.subarray(pos, end)).rejections);
  }

  #checkNodes(): void {
    if (this.#cursor.nodes > MAX_NODES) leaveFastPath();
  }
}

/** Size of the field `schema_url` of a group; one to be cut is named in another column, which is for the slow path. */
function schemaUrlBytes(cursor: WireCursor, end: number): number {
  const { length } = embeddedMessage(cursor, end, 3, 3);
  return length > MAX_TEXT_BYTES ? leaveFastPath() : length;
}
