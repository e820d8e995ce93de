import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSpool, type Spool, type SpoolOptions } from "../spool.ts";

export interface SpoolDirectory {
  readonly path: string;
  /** Starts a spool in the directory. */
  open(options?: Partial<SpoolOptions>): Promise<Spool>;
  /** Stops every spool that was opened and removes the directory. */
  close(): Promise<void>;
  readonly errors: string[];
}

export async function createSpoolDirectory(parent = tmpdir()): Promise<SpoolDirectory> {
  const root = await mkdtemp(join(parent, "runproof-spool-"));
  const path = join(root, "spool");
  const opened: Spool[] = [];
  const errors: string[] = [];
  return {
    path,
    errors,
    async open(options = {}) {
      const onError = (what: string, error: unknown): void => void errors.push(`${what}: ${String(error)}`);
      const spool = createSpool({ directory: path, onError, now: Date.now, ...options });
      opened.push(spool);
      await spool.start();
      return spool;
    },
    async close() {
      for (const spool of opened) await spool.shutdown();
      await rm(root, { recursive: true, force: true });
    },
  };
}
