import { join } from "node:path";
import { type Batch, type BatchLedger, MAX_OPEN_BATCHES } from "./batch-ledger.ts";
import { createBytePool } from "../byte-pool.ts";
import { readLogPart } from "./batch-reading.ts";
import type { CheckpointFile, LogPosition } from "./checkpoint.ts";
import type { SpoolRecord } from "./frame.ts";
import { type QuarantinedTail, quarantineTail } from "./quarantine.ts";
import { type Segment, segmentFileName } from "./segment.ts";
import type { SegmentList } from "./segment-list.ts";
import { isMissing, type SpoolFs } from "./spool-fs.ts";
import { createTurns, type InTurn } from "./turns.ts";

export interface SpoolBatch {
  /**
   * `segment:start-end`. The same name always means the same records in the same order, also after a restart; fit for a
   * deduplication token.
   */
  readonly name: string;
  /** In the order they were written. Payloads are views of one buffer, which is used again after `commit`. */
  readonly records: readonly SpoolRecord[];
  /** Bytes in the log. */
  readonly bytes: number;
}

export interface BatchSourceOptions {
  readonly fs: SpoolFs;
  readonly directory: string;
  readonly segments: SegmentList;
  readonly ledger: BatchLedger;
  readonly checkpoints: CheckpointFile;
  readonly onError: (what: string, error: unknown) => void;
  readonly onQuarantine: (tail: QuarantinedTail) => void;
  /** For several sources of one log. Default: this one alone. */
  readonly shared?: SharedLog;
}

/** What the sources of one log agree on. */
export interface SharedLog {
  /** Whether some source still has to read the segment. */
  isNeeded(segment: Segment): boolean;
  /** Deletes segments: one source at a time. */
  readonly retireInTurn: InTurn;
  /** `false`: a damage that this source finds is passed over up to the next segment, and left to the one that cuts it off. */
  readonly cutsDamage: boolean;
}

export interface BatchSource {
  read(maxBytes: number): Promise<SpoolBatch | undefined>;
  commit(batch: SpoolBatch): Promise<void>;
  release(batch: SpoolBatch): Promise<void>;
  /** Whether `read` would give a batch now. */
  isReadable(): boolean;
  /** Deletes consumed segments. */
  retire(): Promise<void>;
  /** Resolves when the calls before it are done. */
  close(): Promise<void>;
}

/** Two large batches. */
const MAX_IDLE_BYTES = 128 * 1024 * 1024;

/** Hands the log out in batches. Calls may overlap; they are done one after another. */
export function createBatchSource(options: BatchSourceOptions): BatchSource {
  const { fs, directory, segments, ledger, checkpoints, onError } = options;
  const handedOut = new WeakMap<SpoolBatch, Batch & { readonly memory: Uint8Array }>();
  const pool = createBytePool(MAX_IDLE_BYTES);
  const source = { fs, directory, pool };
  const { inTurn, idle } = createTurns();
  const isNeeded = (segment: Segment): boolean => !isBehind(segment, ledger.position);
  const shared = options.shared ?? { isNeeded, retireInTurn: createTurns().inTurn, cutsDamage: true };
  let checkpointWorks = true;

  /**
   * Never rejects: consuming goes on without a checkpoint. All that a lost one costs is that records come again, perhaps
   * under other names.
   */
  async function saveCheckpoint(): Promise<void> {
    try {
      await checkpoints.save(ledger.checkpoint());
      checkpointWorks = true;
    } catch (error) {
      if (checkpointWorks) onError("saving the checkpoint of the spool", error);
      checkpointWorks = false;
    }
  }

  async function readNext(maxBytes: number): Promise<SpoolBatch | undefined> {
    for (;;) {
      const waiting = ledger.takeWaiting();
      const batch = waiting === undefined ? await readNew(maxBytes) : await readAgain(waiting);
      if (batch !== "damaged") return batch;
    }
  }

  async function readAgain(batch: Batch): Promise<SpoolBatch | "damaged"> {
    const segment = segments.find(batch.segment)!;
    const part = { start: batch.offset, end: batch.end, maxBytes: batch.end - batch.offset };
    const { records, end, damage, memory } = await readLogPart(source, segment, part).catch((error) => {
      ledger.giveBack(batch);
      throw error;
    });
    if (damage !== undefined) {
      noteDamage(segment, { end, damage });
      ledger.shorten(batch, end);
      await saveCheckpoint();
    }
    return records.length === 0 ? "damaged" : handOut(segment, { ...batch, end }, { records, memory });
  }

  async function readNew(maxBytes: number): Promise<SpoolBatch | "damaged" | undefined> {
    const at = segments.settled(ledger.cursor);
    ledger.skipTo(at);
    const segment = segments.find(at.segment);
    if (segment === undefined || at.offset >= segment.length || ledger.openBatches >= MAX_OPEN_BATCHES)
      return undefined;
    const part = { start: at.offset, end: segment.length, maxBytes };
    const { records, end, damage, memory } = await readLogPart(source, segment, part);
    if (damage !== undefined) noteDamage(segment, { end, damage });
    if (records.length === 0) {
      // Where the damage is cut off, nothing follows it.
      if (!shared.cutsDamage) ledger.skipTo({ segment: segment.id + 1, offset: 0 });
      return "damaged";
    }
    const batch = { ...at, end };
    ledger.takeNew(batch);
    // Before anybody sees it: by the next start more records may have come, and they must not join this batch.
    await saveCheckpoint();
    return handOut(segment, batch, { records, memory });
  }

  function handOut(
    segment: Segment,
    range: Batch,
    { records, memory }: { readonly records: readonly SpoolRecord[]; readonly memory: Uint8Array },
  ): SpoolBatch {
    const name = `${segment.name}:${range.offset}-${range.end}`;
    const batch = { name, records, bytes: range.end - range.offset };
    handedOut.set(batch, { ...range, memory });
    return batch;
  }

  function noteDamage(segment: Segment, { end, damage }: { end: number; damage: Segment["damage"] }): void {
    onError(`reading the spool segment ${segment.name}`, new Error(`damaged at offset ${end}: ${damage}`));
    if (!shared.cutsDamage) return;
    segment.length = end;
    segment.damage = damage;
    segment.sealed = true;
  }

  const isConsumed = (segment: Segment): boolean => segment.sealed && !shared.isNeeded(segment);

  async function retireNow(): Promise<void> {
    for (const segment of segments.all.filter(isConsumed)) {
      try {
        if (segment.damage !== undefined) options.onQuarantine(await quarantineTail(fs, directory, segment));
        segment.damage = undefined;
        await fs.remove(join(directory, segmentFileName(segment))).catch((error) => {
          if (!isMissing(error)) throw error;
        });
        segments.remove(segment);
      } catch (error) {
        // It stays in the list, and the next commit tries again.
        onError("clearing away a consumed spool segment", error);
      }
    }
  }

  return {
    read: (maxBytes) => inTurn(() => readNext(maxBytes)),
    commit: (batch) =>
      inTurn(async () => {
        const range = handedOut.get(batch);
        if (range === undefined || !ledger.finish(range)) return;
        // Not after `release`: whoever gave a batch up may still have it in use.
        pool.give(range.memory);
        await saveCheckpoint();
        await shared.retireInTurn(retireNow);
      }),
    release: (batch) =>
      inTurn(async () => {
        const range = handedOut.get(batch);
        handedOut.delete(batch);
        if (range !== undefined) ledger.giveBack(range);
      }),
    isReadable() {
      if (ledger.hasWaiting) return true;
      return ledger.openBatches < MAX_OPEN_BATCHES && segments.bytesAfter(ledger.cursor) > 0;
    },
    retire: async () => {
      if (segments.all.some(isConsumed)) await inTurn(() => shared.retireInTurn(retireNow));
    },
    async close() {
      await idle();
      await checkpoints.close();
    },
  };
}

/** Whether nothing of the segment lies behind the position. */
export function isBehind(segment: Segment, { segment: id, offset }: LogPosition): boolean {
  return segment.length === 0 || segment.id < id || (segment.id === id && offset >= segment.length);
}
