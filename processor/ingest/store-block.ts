import { storeRows, type RowSink } from "./store-rows.ts";

export interface BlockSink<Row> extends RowSink<Row> {
  /** Stores a block of the Native format under a token. Rejects like `insert`. */
  insertNative(pieces: readonly Uint8Array[], token: string): Promise<void>;
}

/** A block that is ready to be sent, and the same rows as objects. */
export interface FilledBlock<Row> {
  readonly rows: number;
  finish(): Uint8Array[];
  /** Asked for only when the store refuses the block. */
  asRows(): readonly Row[];
}

/**
 * Stores a block under a token. One the store refuses for its content is stored again row by row until the bad ones stand
 * alone. Rejects for trouble that a later try may not meet.
 */
export async function storeBlock<Row>(block: FilledBlock<Row>, token: string, sink: BlockSink<Row>): Promise<void> {
  if (block.rows === 0) return;
  try {
    await sink.insertNative(block.finish(), token);
  } catch (error) {
    if (!sink.isContentError(error)) throw error;
    // A name of its own: parts of the refused block must not count as the block.
    await storeRows(block.asRows(), `${token}-rows`, sink);
  }
}
