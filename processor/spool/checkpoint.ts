import { crc32 } from "node:zlib";
import { isMissing, readFully, type SpoolFile, type SpoolFs, writeFully } from "./spool-fs.ts";

/** A place in the log. */
export interface LogPosition {
  /** Id of the segment. */
  readonly segment: number;
  readonly offset: number;
}

/** A batch that was handed out: its bounds must not change until it is consumed. */
export interface BatchBounds {
  readonly segment: number;
  readonly start: number;
  readonly end: number;
  /** Consumed, but an earlier one is not. */
  readonly done: boolean;
}

export interface Checkpoint {
  /** Everything before it is consumed. */
  readonly position: LogPosition;
  /** From the position on, in order. */
  readonly batches: readonly BatchBounds[];
}

export interface CheckpointFile {
  /** The newest checkpoint that was saved whole; `undefined` when there is none or the file is damaged. */
  load(): Promise<Checkpoint | undefined>;
  /** Resolves when it is durable. After a failure the one before still holds. */
  save(checkpoint: Checkpoint): Promise<void>;
  close(): Promise<void>;
}

export const CHECKPOINT_SLOT_BYTES = 4096;

/**
 * Two slots written in turn, in place: a torn one leaves the other, and a full disk, on which no new file could be written,
 * does not keep the consumer from making room.
 */
export function createCheckpointFile(fs: SpoolFs, path: string): CheckpointFile {
  let opened: SpoolFile | undefined;
  let sequence = 0;

  async function file(): Promise<SpoolFile> {
    opened ??= await openOrCreate(fs, path);
    return opened;
  }

  return {
    async load() {
      const bytes = await readFully(await file(), 0, 2 * CHECKPOINT_SLOT_BYTES);
      const slots = [0, 1].map((slot) => decodeSlot(bytes.subarray(slot * CHECKPOINT_SLOT_BYTES)));
      const newest = slots.toSorted((a, b) => (b?.sequence ?? 0) - (a?.sequence ?? 0))[0];
      sequence = newest?.sequence ?? 0;
      return newest?.checkpoint;
    },
    async save(checkpoint) {
      // Counted only when saved: a retry goes to the slot that failed, never to the one that is sound.
      const next = sequence + 1;
      const target = await file();
      await writeFully(target, [encodeSlot(next, checkpoint)], (next % 2) * CHECKPOINT_SLOT_BYTES);
      await target.datasync();
      sequence = next;
    },
    async close() {
      const closing = opened;
      opened = undefined;
      await closing?.close();
    },
  };
}

async function openOrCreate(fs: SpoolFs, path: string): Promise<SpoolFile> {
  try {
    return await fs.open(path, "r+");
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  await (await fs.open(path, "wx")).close();
  const file = await fs.open(path, "r+");
  try {
    // The blocks are taken now, so that no later save needs new ones.
    await writeFully(file, [Buffer.alloc(2 * CHECKPOINT_SLOT_BYTES)], 0);
    await file.datasync();
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

function encodeSlot(sequence: number, { position, batches }: Checkpoint): Uint8Array {
  const marks = batches.map((batch) => [batch.segment, batch.start, batch.end, batch.done ? 1 : 0]);
  const text = Buffer.from(JSON.stringify([sequence, position.segment, position.offset, marks]));
  const slot = Buffer.alloc(CHECKPOINT_SLOT_BYTES);
  text.copy(slot, 8);
  slot.writeUInt32LE(text.length, 4);
  slot.writeUInt32LE(crc32(slot.subarray(4, 8 + text.length)), 0);
  return slot;
}

function decodeSlot(bytes: Uint8Array): { readonly sequence: number; readonly checkpoint: Checkpoint } | undefined {
  const slot = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, CHECKPOINT_SLOT_BYTES));
  if (slot.length < 8) return undefined;
  const end = 8 + slot.readUInt32LE(4);
  if (end === 8 || end > slot.length || crc32(slot.subarray(4, end)) !== slot.readUInt32LE(0)) return undefined;
  // The checksum holds, so this is what `encodeSlot` wrote.
  type Slot = [number, number, number, [number, number, number, number][]];
  const [sequence, segment, offset, marks] = JSON.parse(slot.toString("utf8", 8, end)) as Slot;
  const batches = marks.map(([id, start, stop, done]) => ({ segment: id, start, end: stop, done: done === 1 }));
  return { sequence, checkpoint: { position: { segment, offset }, batches } };
}
