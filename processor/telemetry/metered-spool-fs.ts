import type { SpoolFs } from "../spool/spool-fs.ts";
import type { Instruments } from "./instruments.ts";

/** The same file system; what each `fdatasync` takes is recorded. */
export const meteredSpoolFs = (fs: SpoolFs, { spoolSyncDuration }: Instruments): SpoolFs => ({
  ...fs,
  async open(path, flags) {
    const file = await fs.open(path, flags);
    return {
      ...file,
      async datasync() {
        const begin = performance.now();
        await file.datasync();
        spoolSyncDuration.record((performance.now() - begin) / 1_000);
      },
    };
  },
});
