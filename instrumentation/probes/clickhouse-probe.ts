import type { ArtifactObservation } from "../contract/evidence.ts";
import { canonicalJson, sha256Hex } from "../json/canonical.ts";
import { parseJson, type JsonValue } from "../json/json.ts";
import { boundedRequest, type BoundedAnswer } from "../transport/bounded-request.ts";
import { notPresent, schemaErrorsOf, type ArtifactTarget } from "./artifact-observation.ts";
import { PROBE_TIMEOUT_MILLIS, type ProbeContext } from "./probe-context.ts";

export interface ClickHouseTarget extends ArtifactTarget {
  /** The HTTP interface: `http://127.0.0.1:8123`. */
  readonly url: string;
  /** One SELECT without FORMAT; values only as parameters: `… WHERE id = {id:String}`. */
  readonly query: string;
  readonly params?: Readonly<Record<string, string | number | boolean>>;
  readonly user?: string;
  readonly password?: string;
}

const MAX_BODY_BYTES = 4 * 1024 * 1024;
const MAX_ROWS = 1_000;

/**
 * Reads rows back: present when the query gives at least one. Bytes and hash are those of the rows' canonical JSON, in
 * the order given; a schema is held against the first row. The server refuses anything but reading (`readonly=1`).
 */
export async function probeClickHouseRow(
  target: ClickHouseTarget,
  context: ProbeContext,
): Promise<ArtifactObservation> {
  const url = URL.parse(target.url);
  if (url === null) return notPresent(target, "unreadable", "not a URL");
  if (!/^\s*(?:select|with)\b/i.test(target.query)) return notPresent(target, "unreadable", "not a SELECT");
  const timeoutMillis = context.timeoutMillis ?? PROBE_TIMEOUT_MILLIS;
  addSettings(url, target, timeoutMillis);
  const answer = await boundedRequest({
    url,
    method: "POST",
    headers: credentialsOf(target),
    body: target.query,
    timeoutMillis,
    maxBytes: MAX_BODY_BYTES,
    signal: context.signal,
  });
  return observationOf(target, answer);
}

function addSettings(url: URL, { params = {} }: ClickHouseTarget, timeoutMillis: number): void {
  const settings = {
    default_format: "JSONEachRow",
    readonly: "1",
    max_result_rows: String(MAX_ROWS),
    result_overflow_mode: "break",
    max_execution_time: String(Math.max(1, Math.ceil(timeoutMillis / 1_000))),
    // Errors after the first rows would otherwise follow a status of 200.
    wait_end_of_query: "1",
  };
  for (const [name, value] of Object.entries(settings)) url.searchParams.set(name, value);
  for (const [name, value] of Object.entries(params)) url.searchParams.set(`param_${name}`, escapeParam(value));
}

/** Parameters travel in the escaped TSV form: a backslash, tab or line end would change the value. */
const escapeParam = (value: string | number | boolean): string =>
  String(value).replace(
    /[\\\t\n\r]/g,
    (char) => ({ "\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r" })[char] ?? char,
  );

const credentialsOf = ({ user, password }: ClickHouseTarget): Record<string, string> => ({
  "content-type": "text/plain; charset=utf-8",
  ...(user === undefined ? {} : { "x-clickhouse-user": user }),
  ...(password === undefined ? {} : { "x-clickhouse-key": password }),
});

function observationOf(target: ClickHouseTarget, answer: BoundedAnswer): ArtifactObservation {
  if (answer.outcome === "failed") return notPresent(target, "unreadable", answer.reason);
  const text = answer.body.toString("utf8");
  if (answer.status !== 200) {
    return notPresent(target, "unreadable", `HTTP ${answer.status}: ${text.trim().slice(0, 300)}`);
  }
  if (!answer.complete)
    return notPresent(target, "unreadable", `the rows did not arrive whole: ${answer.cut ?? "cut"}`);
  const rows = text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => parseJson(line));
  if (rows.includes(undefined)) return notPresent(target, "unreadable", "the answer is not JSONEachRow");
  const [first] = rows;
  if (first === undefined) return notPresent(target, "missing", "no row");
  const content = rows.map((row) => canonicalJson(row as JsonValue)).join("\n");
  const schemaErrors = target.schema === undefined ? null : schemaErrorsOf(target, canonicalJson(first));
  const { name, kind, ref } = target;
  const bytes = Buffer.byteLength(content);
  return { name, kind, ref, state: "present", bytes, sha256: sha256Hex(content), schemaErrors, detail: null };
}
