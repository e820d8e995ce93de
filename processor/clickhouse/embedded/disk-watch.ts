import { statfs } from "node:fs/promises";

import { AMPLE_ROOM, diskRoom, type DiskRoom, type DiskSpace } from "./disk-room.ts";
import { EngineError } from "./engine-error.ts";
import { type EngineQuery, shortParts } from "./short-parts.ts";

export interface DiskWatchOptions {
  /** On the disk that is watched. */
  readonly directory: string;
  /** Beside the slots: a busy engine must hear it, too. */
  readonly query: EngineQuery;
  /** Called at every change. */
  readonly onRoom: (room: DiskRoom, space: DiskSpace) => void;
  /** Called with the names of parts that only a restart of the engine heals. */
  readonly onDamage: (parts: readonly string[]) => void;
}

/** Keeps the engine's merges away from a full disk, and finds what they left when it filled too fast. */
export interface DiskWatch {
  /** Looks at once and then every second. */
  start(): Promise<void>;
  /** @throws EngineError NOT_ENOUGH_SPACE when no insert is taken. */
  assertRoom(): Promise<void>;
  /** To be told of every statement that fails: it may be the first to notice. */
  statementFailed(error: unknown): void;
  stop(): Promise<void>;
}

const LOOK_MILLIS = 1_000;
/** Longer than between two looks: a part's time counts from before it is published, in whole seconds. */
const NEW_PART_SECONDS = 10;
/** All parts of a large store are many files, and a reader can ask for the errors that lead here. */
const ALL_PARTS_MILLIS = 10_000;

/** Names of ClickHouse's errors that a damaged part can cause, and a disk that filled up. */
const SUSPICIOUS: ReadonlySet<string> = new Set([
  "ATTEMPT_TO_READ_AFTER_EOF",
  "BAD_SIZE_OF_FILE_IN_DATA_PART",
  "CANNOT_READ_ALL_DATA",
  "CANNOT_WRITE_TO_FILE_DESCRIPTOR",
  "CHECKSUM_DOESNT_MATCH",
  "CORRUPTED_DATA",
  "FILE_DOESNT_EXIST",
  "NOT_ENOUGH_SPACE",
  "NO_FILE_IN_DATA_PART",
]);

export function createDiskWatch({ directory, query, onRoom, onDamage }: DiskWatchOptions): DiskWatch {
  let room: DiskRoom = AMPLE_ROOM;
  /** What the engine was last told. */
  let merging = true;
  const newParts = { withinSeconds: NEW_PART_SECONDS, seen: new Set<string>() };
  let allSuspect = false;
  let allCheckedAt = -Infinity;
  let looking: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;

  async function measure(): Promise<void> {
    const { bavail, blocks, bsize } = await statfs(directory);
    const space = { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
    const before = room;
    room = diskRoom(before, space);
    if (room.takesInserts !== before.takesInserts || room.takesMerges !== before.takesMerges) onRoom(room, space);
  }

  async function steerMerges(): Promise<void> {
    const { takesMerges } = room;
    if (takesMerges === merging) return;
    // Those under way are cancelled, and what they have written is removed.
    await query(takesMerges ? "SYSTEM START MERGES" : "SYSTEM STOP MERGES");
    merging = takesMerges;
  }

  /** The engine does not notice that a merge's file came out short, so each new part is looked at. */
  async function inspect(): Promise<void> {
    const all = allSuspect && performance.now() - allCheckedAt > ALL_PARTS_MILLIS;
    if (all) {
      allSuspect = false;
      allCheckedAt = performance.now();
    }
    const short = await shortParts(query, all ? undefined : newParts);
    if (short.length > 0) onDamage(short);
  }

  async function lookOnce(): Promise<void> {
    try {
      await measure();
      await steerMerges();
      await inspect();
    } catch {
      // The next look comes; an engine that does not answer is its supervisor's to notice.
    }
  }

  const look = (): Promise<void> => (looking ??= lookOnce().finally(() => (looking = undefined)));

  return {
    async start() {
      await look();
      timer = setInterval(() => void look(), LOOK_MILLIS);
      timer.unref();
    },
    async assertRoom() {
      await measure();
      if (room.takesMerges !== merging) void look();
      if (room.takesInserts) return;
      throw new EngineError(243, "NOT_ENOUGH_SPACE", "The disk is too full for inserts; its last room is kept free.");
    },
    statementFailed(error) {
      if (error instanceof EngineError && SUSPICIOUS.has(error.type)) allSuspect = true;
    },
    async stop() {
      clearInterval(timer);
      await looking;
    },
  };
}
