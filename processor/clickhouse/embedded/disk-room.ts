/** What the engine may still do with the room that is left on its disk. */
export interface DiskRoom {
  readonly takesInserts: boolean;
  /** A merge that meets a full disk publishes a part with empty files (measured, chDB 3.4 / ClickHouse 26.7). */
  readonly takesMerges: boolean;
}

export interface DiskSpace {
  readonly freeBytes: number;
  readonly totalBytes: number;
}

export const AMPLE_ROOM: DiskRoom = { takesInserts: true, takesMerges: true };

const MIB = 1024 * 1024;
const SHARE = 0.05;
const LEAST_BYTES = 64 * MIB;
const MOST_BYTES = 1024 * MIB;
/** A small disk is not made useless. */
const MOST_SHARE = 0.25;
/** Room that must come back before work goes on, as a multiple of what stopped it. */
const RETURN = 1.5;

/** Free bytes below which inserts are refused: 5 % of the disk, 64 MiB to 1 GiB, never more than a quarter of it. */
export function reserveBytes(totalBytes: number): number {
  return Math.min(MOST_BYTES, Math.max(LEAST_BYTES, totalBytes * SHARE), totalBytes * MOST_SHARE);
}

/**
 * Inserts stop at the reserve, merges only at half of it: in between they still make room, as what has outlived its time
 * goes with a merge. The other half is for what is written until somebody looks again.
 */
export function diskRoom(before: DiskRoom, { freeBytes, totalBytes }: DiskSpace): DiskRoom {
  const reserve = reserveBytes(totalBytes);
  const enough = (bytes: number, was: boolean): boolean => freeBytes >= (was ? bytes : bytes * RETURN);
  return {
    takesInserts: enough(reserve, before.takesInserts),
    takesMerges: enough(reserve / 2, before.takesMerges),
  };
}
