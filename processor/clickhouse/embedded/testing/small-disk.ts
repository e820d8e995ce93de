import { spawnSync } from "node:child_process";
import { closeSync, fstatSync, ftruncateSync, openSync, rmSync, writeSync } from "node:fs";
import { mkdtemp, rmdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A disk of its own in memory, which the test can fill. */
export interface SmallDisk {
  readonly path: string;
  /** Takes all the room but `leaveMib`; with 0 it goes on taking what becomes free. Ends an earlier filling. */
  fill(leaveMib: number): void;
  free(): void;
  remove(): Promise<void>;
}

/** `undefined` where this user may not mount. */
export async function mountSmallDisk(mebibytes: number): Promise<SmallDisk | undefined> {
  const path = await mkdtemp(join(tmpdir(), "runproof-disk-"));
  if (spawnSync("mount", ["-t", "tmpfs", "-o", `size=${mebibytes}m`, "tmpfs", path]).status !== 0) {
    await rmdir(path);
    return undefined;
  }
  const ballast = join(path, "ballast");
  let file: number | undefined;
  let timer: NodeJS.Timeout | undefined;

  function free(): void {
    clearInterval(timer);
    if (file !== undefined) closeSync(file);
    file = undefined;
    rmSync(ballast, { force: true });
  }

  return {
    path,
    free,
    fill(leaveMib) {
      free();
      const opened = openSync(ballast, "w");
      file = opened;
      takeAll(opened);
      if (leaveMib === 0) timer = setInterval(() => takeAll(opened), 2);
      else ftruncateSync(opened, fstatSync(opened).size - leaveMib * MIB);
    },
    async remove() {
      free();
      spawnSync("umount", ["--lazy", path]);
      await rmdir(path).catch(() => {});
    },
  };
}

const MIB = 1024 * 1024;

function takeAll(file: number): void {
  for (const bytes of [MIB, 1 << 16, 1 << 12]) {
    const block = Buffer.alloc(bytes);
    try {
      while (writeSync(file, block) > 0);
    } catch {
      // Full for blocks of this size.
    }
  }
}
