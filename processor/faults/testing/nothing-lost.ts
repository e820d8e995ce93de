import { isDeepStrictEqual } from "node:util";
import type { SpanRow } from "../../clickhouse/rows.ts";
import type { Store } from "../../clickhouse/store.ts";
import { expectedRow, numberedBatch, numbersOf, SPANS_PER_BATCH } from "./numbered-spans.ts";
import type { SendLedger } from "./otlp-senders.ts";
import { storedSpans } from "./stored-spans.ts";

/** What contradicts "nothing lost, nothing doubled, nothing changed"; a few examples of each. */
export interface Findings {
  /** Acknowledged and not readable. */
  readonly lost: string[];
  /** Readable and never sent. */
  readonly foreign: string[];
  /** Stored more often than sent. */
  readonly doubled: string[];
  /** Not equal to what was sent, field by field. */
  readonly changed: string[];
  readonly quarantined: number;
}

export interface Checked {
  readonly findings: Findings;
  readonly acknowledged: number;
  readonly stored: number;
}

/** Enough to hold the rows of one page in memory. */
const PAGES = 16;
const EXAMPLES = 5;
/** What a test sends by hand is not of the ledger. */
const PAGE_OF_ROWS = "cityHash64(TraceId) % {pages:UInt8} = {page:UInt8} AND ServiceName != 'probe'";

/**
 * Compares the store with the ledger after a drain: acknowledged ⊆ stored ⊆ sent, each key once to a reader, all columns
 * equal. Nothing these senders send belongs into quarantine.
 */
export async function checkNothingLost(store: Store, ledger: SendLedger): Promise<Checked> {
  const findings: Findings = { lost: [], foreign: [], doubled: [], changed: [], quarantined: await quarantined(store) };
  const seen = new Map<string, number>();
  const resource = resourceAttributes();
  for (let page = 0; page < PAGES; page++) {
    for (const row of await storedSpans(store, PAGE_OF_ROWS, { pages: PAGES, page }))
      check(row, { ledger, findings, seen, resource });
  }
  for (const batch of ledger.acknowledged)
    for (let index = 0; index < SPANS_PER_BATCH; index++)
      if (!seen.has(`${batch}.${index}`)) note(findings.lost, `${batch}.${index}`);
  return { findings, acknowledged: ledger.acknowledged.size * SPANS_PER_BATCH, stored: seen.size };
}

interface Checking {
  readonly ledger: SendLedger;
  readonly findings: Findings;
  readonly seen: Map<string, number>;
  readonly resource: SpanRow["ResourceAttributes"];
}

function check(row: SpanRow, { ledger, findings, seen, resource }: Checking): void {
  const { batch, index } = numbersOf(row);
  const key = `${batch}.${index}`;
  if (batch >= ledger.next || index >= SPANS_PER_BATCH) return note(findings.foreign, key);
  const times = (seen.get(key) ?? 0) + 1;
  seen.set(key, times);
  if (times > 1 && !ledger.repeated.has(batch)) note(findings.doubled, key);
  if (!isDeepStrictEqual(row, expectedRow(batch, index, resource)))
    note(findings.changed, `${key} ${JSON.stringify(row)}`);
}

function note(list: string[], what: string): void {
  if (list.length < EXAMPLES) list.push(what);
}

const resourceAttributes = (): SpanRow["ResourceAttributes"] =>
  Object.fromEntries(
    Object.entries(numberedBatch(0)[0]?.resource.attributes ?? {}).map(([key, value]) => [key, String(value)]),
  );

async function quarantined(store: Store): Promise<number> {
  const [row] = await store.query<{ rows: number }>("SELECT count() AS rows FROM runproof_quarantine");
  return row?.rows ?? 0;
}
