import { agentSpanRequests } from "./agent-spans.ts";
import { type BenchEngine, fillMemoryTable, SPAN_COLUMN_LIST, withEngine } from "./bench-engine.ts";
import { rounded } from "./figures.ts";
import { cpuSeconds } from "./processes.ts";

export interface CeilingResult {
  readonly spansPerSecond: number;
  /** Of the engine's process, merges included. */
  readonly cpuMicrosPerSpan: number;
}

/** As many bytes as the service stores at once. */
const BODIES_PER_BLOCK = 11;
/** Blocks that differ, so that merges do not see the same rows again and again. */
const TABLES = 6;
const LANES = 2;

/** How fast the engine stores rows that it has in memory already, with its merges, on all cores: nobody can be faster. */
export const runCeiling = (seconds: number): Promise<CeilingResult> =>
  withEngine(async (engine) => {
    const requests = [...agentSpanRequests({ requests: BODIES_PER_BLOCK * TABLES, runsPerRequest: 42 })];
    let rows = 0;
    for (let table = 0; table < TABLES; table++) {
      const bodies = requests.slice(table * BODIES_PER_BLOCK, (table + 1) * BODIES_PER_BLOCK);
      rows = await fillMemoryTable(engine, `memory_${table}`, bodies);
    }
    await insertFor(engine, 1);
    const cpu = cpuSeconds(engine.pid ?? 0);
    const { inserts, elapsed } = await insertFor(engine, seconds);
    const spans = inserts * rows;
    return {
      spansPerSecond: rounded(spans / elapsed),
      cpuMicrosPerSpan: rounded(((cpuSeconds(engine.pid ?? 0) - cpu) / spans) * 1e6, 2),
    };
  });

async function insertFor({ client }: BenchEngine, seconds: number): Promise<{ inserts: number; elapsed: number }> {
  const began = performance.now();
  let inserts = 0;
  const lane = async (): Promise<void> => {
    while (performance.now() - began < seconds * 1_000) {
      const table = `memory_${inserts++ % TABLES}`;
      await client.command({
        query: `INSERT INTO otel_traces (${SPAN_COLUMN_LIST}) SELECT * FROM ${table} SETTINGS max_insert_threads = 1`,
      });
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return { inserts, elapsed: (performance.now() - began) / 1_000 };
}
