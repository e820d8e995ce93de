import { totalmem } from "node:os";

import { EngineError } from "./engine-error.ts";
import { sqlString } from "./sql-text.ts";

/** Who asks. Readers get less time and `readonly=1`. */
export type Role = "reader" | "service";

/** Settings a request may set through URL parameters; anything else is an error, as ClickHouse answers unknown ones. */
const ALLOWED = [
  /^(?:input|output)_format_[a-z0-9_]+$/,
  /^date_time_(?:input|output)_format$/,
  /^format_(?:csv|tsv|custom|template|regexp)_[a-z0-9_]+$/,
  /^max_(?:execution_time|result_rows|result_bytes|memory_usage|threads|block_size|rows_to_read|bytes_to_read)$/,
  /^(?:result|read|timeout)_overflow_mode$/,
  /^(?:insert_deduplication_token|insert_deduplicate|max_partitions_per_insert_block|deduplicate_blocks_in_dependent_materialized_views|session_timezone|final|limit|offset)$/,
];

/** Paths a setting could open; the formats that need them are not offered either. */
const REFUSED = /(?:schema|path|file)/;

/** Accepted and without effect: they steer a server's HTTP layer, queue or sessions, none of which exist here. */
const IGNORED: ReadonlySet<string> = new Set([
  "add_http_cors_header",
  "allow_experimental_analyzer",
  "async_insert",
  "buffer_size",
  "cancel_http_readonly_queries_on_client_close",
  "client_protocol_version",
  "compress",
  "decompress",
  "enable_http_compression",
  "http_headers_progress_interval_ms",
  "http_write_exception_in_output_format",
  "http_zlib_compression_level",
  "log_queries",
  "quota_key",
  "role",
  "send_progress_in_http_headers",
  "session_check",
  "session_id",
  "session_timeout",
  "stacktrace",
  "wait_end_of_query",
  "wait_for_async_insert",
]);

const SECONDS = { reader: 30, service: 120 } as const;
const RESULT_BYTES = { reader: 64 * 1024 * 1024, service: 256 * 1024 * 1024 } as const;

/** Upper bounds of one query: a request may lower them, never lift them. */
function ceilings(role: Role): Readonly<Record<string, number>> {
  return {
    max_execution_time: SECONDS[role],
    max_memory_usage: Math.min(2 ** 31, Math.floor(totalmem() / 3)),
    max_result_bytes: RESULT_BYTES[role],
  };
}

export function isIgnoredSetting(name: string): boolean {
  return IGNORED.has(name);
}

/**
 * The settings of one request with the limits applied.
 * @throws EngineError UNKNOWN_SETTING for a name that is not on the list, BAD_ARGUMENTS for a limit that is no number.
 */
export function effectiveSettings(role: Role, requested: ReadonlyMap<string, string>): Map<string, string> {
  const settings = new Map<string, string>();
  for (const [name, value] of requested) {
    if (!ALLOWED.some((pattern) => pattern.test(name)) || REFUSED.test(name)) {
      throw new EngineError(115, "UNKNOWN_SETTING", `Setting ${name} is unknown or not available here.`);
    }
    settings.set(name, value);
  }
  for (const [name, ceiling] of Object.entries(ceilings(role))) {
    const wanted = Number(settings.get(name) ?? ceiling);
    if (!Number.isFinite(wanted) || wanted < 0) throw new EngineError(36, "BAD_ARGUMENTS", `${name} is not a number.`);
    settings.set(name, String(wanted === 0 ? ceiling : Math.min(wanted, ceiling)));
  }
  return settings;
}

/** One `SET` for all of them, `''` for none. `param_…` entries bind `{name:Type}` placeholders of this session. */
export function setStatement(settings: ReadonlyMap<string, string>): string {
  const pairs = [...settings].map(([name, value]) => `${name} = ${sqlString(value)}`);
  return pairs.length === 0 ? "" : `SET ${pairs.join(", ")}`;
}
