/** A block that keeps its memory from one use to the next. */
interface Reusable {
  reset(): void;
}

/**
 * Lends blocks out, each to one user at a time until its work has settled, and makes as many as are in use at once. A
 * block shared by two batches would store one of them twice, under both names.
 */
export function createBlockPool<Block extends Reusable>(create: () => Block) {
  const idle: Block[] = [];
  return async <Result>(work: (block: Block) => Promise<Result>): Promise<Result> => {
    const block = idle.pop() ?? create();
    try {
      block.reset();
      return await work(block);
    } finally {
      idle.push(block);
    }
  };
}
