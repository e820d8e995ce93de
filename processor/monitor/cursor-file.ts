import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** How far a collector has looked for bad runs, over restarts. Losing it costs a longer look, and no alert twice. */
export interface CursorFile {
  /** Milliseconds since the epoch; `undefined` when there is none. */
  load(): Promise<number | undefined>;
  save(millis: number): Promise<void>;
}

export function createCursorFile(directory: string): CursorFile {
  const path = join(directory, "looked-through");
  return {
    async load() {
      const text = (await readFile(path, "utf8").catch(() => "")).trim();
      return /^\d{1,16}$/.test(text) ? Number(text) : undefined;
    },
    async save(millis) {
      await writeFile(`${path}.new`, `${Math.floor(millis)}\n`, { mode: 0o600 });
      await rename(`${path}.new`, path);
    },
  };
}
