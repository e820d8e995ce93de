/** How rows are stored and, where the store refuses their content for good, set aside. */
export interface RowSink<Row> {
  /** Stores the block under the token, once however often it is called. Rejects when it is not certain to be durable. */
  insert(rows: readonly Row[], token: string): Promise<void>;
  /** Keeps a row that can never be stored, once per token. */
  quarantine(row: Row, reason: string, token: string): Promise<void>;
  /** Whether an error means bad rows, and not a store in trouble. */
  isContentError(error: unknown): boolean;
}

/**
 * Stores a block. When the store refuses its content, halves it until the bad rows stand alone and are quarantined with
 * the reason; the others are stored. Names of the parts follow from the block's, so a repetition after a crash is
 * harmless at every point. Rejects for trouble that a later try may not meet.
 */
export async function storeRows<Row>(rows: readonly Row[], token: string, sink: RowSink<Row>): Promise<number> {
  const [only] = rows;
  if (only === undefined) return 0;
  try {
    await sink.insert(rows, token);
    return 0;
  } catch (error) {
    if (!sink.isContentError(error)) throw error;
    if (rows.length === 1) {
      await sink.quarantine(only, error instanceof Error ? error.message.trim() : String(error), `${token}-q`);
      return 1;
    }
    const middle = rows.length >> 1;
    const left = await storeRows(rows.slice(0, middle), `${token}-a`, sink);
    return left + (await storeRows(rows.slice(middle), `${token}-b`, sink));
  }
}
