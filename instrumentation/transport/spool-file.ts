import { realRandomBytes } from "../real-sources.ts";
import type { RecordAttributes, RecordResource, RecordSpan } from "./record-span.ts";
import type { SpoolOwner } from "./spool-owner.ts";

/** A run that has begun: what its death record is made of. */
export interface OpenRun {
  readonly runId: string;
  readonly traceId: string;
  readonly rootSpanId: string;
  /** Carried by the death record too: agent, project, task. */
  readonly attributes: RecordAttributes;
}

/** One line of a spool file. The first line is the header. */
export type SpoolEntry =
  | { readonly type: "header"; readonly version: 1; readonly resource: RecordResource }
  | { readonly type: "record"; readonly run_id: string; readonly event: string; readonly span: RecordSpan }
  | { readonly type: "acknowledged"; readonly span_id: string }
  | { readonly type: "open"; readonly run: OpenRun }
  | { readonly type: "closed"; readonly run_id: string };

/** What a spool file leaves to be done. */
export interface SpoolContent {
  readonly resource: RecordResource;
  /** Not acknowledged, in the order written. */
  readonly records: readonly RecordSpan[];
  readonly openRuns: readonly OpenRun[];
  /** Lines that are no entries; the last one may be torn. */
  readonly corruptLines: readonly string[];
}

const RECORD_HEX = { traceId: /^[0-9a-f]{32}$/, spanId: /^[0-9a-f]{16}$/ };

/** Reads a spool file's text. Another process wrote it and may have died in the middle: nothing is taken on trust. */
export function parseSpool(text: string): SpoolContent {
  let resource: RecordResource = { attributes: {} };
  const records = new Map<string, RecordSpan>();
  const openRuns = new Map<string, OpenRun>();
  const corruptLines: string[] = [];
  for (const line of text.split("\n")) {
    if (line === "") continue;
    const entry = parseEntry(line);
    if (entry === undefined) corruptLines.push(line);
    else if (entry.type === "header") resource = entry.resource;
    else if (entry.type === "record") records.set(entry.span.spanId, entry.span);
    else if (entry.type === "acknowledged") records.delete(entry.span_id);
    else if (entry.type === "open") openRuns.set(entry.run.runId, entry.run);
    else openRuns.delete(entry.run_id);
  }
  return { resource, records: [...records.values()], openRuns: [...openRuns.values()], corruptLines };
}

function parseEntry(line: string): SpoolEntry | undefined {
  try {
    const entry = JSON.parse(line) as SpoolEntry;
    return isEntry(entry) ? entry : undefined;
  } catch {
    return undefined;
  }
}

function isEntry(entry: SpoolEntry): boolean {
  switch (entry.type) {
    case "header":
      return entry.version === 1 && isAttributes(entry.resource.attributes);
    case "record":
      return isSpan(entry.span);
    case "acknowledged":
      return typeof entry.span_id === "string";
    case "open":
      return isRun(entry.run);
    case "closed":
      return typeof entry.run_id === "string";
    default:
      return false;
  }
}

const isSpan = (span: RecordSpan): boolean =>
  RECORD_HEX.traceId.test(span.traceId) &&
  RECORD_HEX.spanId.test(span.spanId) &&
  (span.parentSpanId === undefined || RECORD_HEX.spanId.test(span.parentSpanId)) &&
  typeof span.name === "string" &&
  /^\d{1,20}$/.test(span.timeUnixNano) &&
  isAttributes(span.attributes);

const isRun = (run: OpenRun): boolean =>
  typeof run.runId === "string" &&
  RECORD_HEX.traceId.test(run.traceId) &&
  RECORD_HEX.spanId.test(run.rootSpanId) &&
  isAttributes(run.attributes);

const isAttributes = (attributes: RecordAttributes): boolean =>
  typeof attributes === "object" &&
  attributes !== null &&
  Object.values(attributes).every((value) => ["string", "number", "boolean"].includes(typeof value));

const OWNER = String.raw`(\d{1,10})-(\d{1,20})-([0-9a-f]{8})`;
const NAME = new RegExp(`^(${OWNER}-[0-9a-f]{8}\\.jsonl)(?:\\.${OWNER}\\.claimed)?$`);

/** A file in a spool directory, told by its name. */
export interface SpoolFileName {
  /** Name under its first owner. */
  readonly base: string;
  readonly owner: SpoolOwner;
  /** Who is sending it on, if anyone. */
  readonly claimer: SpoolOwner | undefined;
}

const ownerText = ({ pid, startTicks, host }: SpoolOwner): string => `${pid}-${startTicks}-${host}`;

/** The random part keeps two copies of the library in one process apart. */
export const newSpoolFileName = (owner: SpoolOwner): string =>
  `${ownerText(owner)}-${realRandomBytes(4).toString("hex")}.jsonl`;

export const claimedFileName = (base: string, claimer: SpoolOwner): string => `${base}.${ownerText(claimer)}.claimed`;

export function parseSpoolFileName(name: string): SpoolFileName | undefined {
  const [, base, pid, startTicks, host, claimerPid, claimerTicks, claimerHost] = NAME.exec(name) ?? [];
  if (base === undefined || startTicks === undefined || host === undefined) return undefined;
  const claimer =
    claimerPid === undefined || claimerTicks === undefined || claimerHost === undefined
      ? undefined
      : { pid: Number(claimerPid), startTicks: claimerTicks, host: claimerHost };
  return { base, owner: { pid: Number(pid), startTicks, host }, claimer };
}
