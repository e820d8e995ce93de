import { join } from "node:path";
import type { PendingRecord } from "./append-queue.ts";
import { createSegment, markAge, type Segment, segmentFileName } from "./segment.ts";
import type { SegmentList } from "./segment-list.ts";
import { type SpoolFile, type SpoolFs, writeFully } from "./spool-fs.ts";

export interface SegmentWriterOptions {
  readonly fs: SpoolFs;
  readonly directory: string;
  readonly segments: SegmentList;
  readonly segmentBytes: number;
}

/** Appends to the newest segment. One call at a time. */
export interface SegmentWriter {
  /** Bytes the open segment still takes; any number while it is empty, none when there is no open segment. */
  readonly room: number;
  /** Starts a segment with this id; the one before is sealed. */
  open(id: number): Promise<void>;
  /** Resolves when the records are durable. After a rejection nobody knows what is on disk: call `abandon`. */
  write(records: readonly PendingRecord[]): Promise<void>;
  /**
   * Seals the segment at the last byte known to be durable and cuts off the rest, if the disk lets it. A rest that stays
   * is found again after a restart; its records were answered `failed`, so they only come twice. Never rejects.
   */
  abandon(): Promise<void>;
  /** Seals the segment. */
  close(): Promise<void>;
}

export function createSegmentWriter({ fs, directory, segments, segmentBytes }: SegmentWriterOptions): SegmentWriter {
  let active: { readonly segment: Segment; readonly file: SpoolFile } | undefined;

  async function seal(): Promise<void> {
    const sealing = active;
    active = undefined;
    if (sealing === undefined) return;
    sealing.segment.sealed = true;
    await sealing.file.close();
  }

  return {
    get room() {
      if (active === undefined || active.segment.sealed) return 0;
      const { length } = active.segment;
      return length === 0 ? Number.POSITIVE_INFINITY : Math.max(0, segmentBytes - length);
    },
    async open(id) {
      await seal();
      const segment = createSegment(id);
      const file = await fs.open(join(directory, segmentFileName(segment)), "wx");
      active = { segment, file };
      segments.add(segment);
      // Without it the file itself may be gone after a power cut, whatever was synced within it.
      await fs.syncDirectory(directory);
    },
    async write(records) {
      if (active === undefined) throw new Error("No spool segment is open.");
      const { segment, file } = active;
      const start = segment.length;
      await writeFully(
        file,
        records.flatMap((record) => record.frame),
        start,
      );
      await file.datasync();
      if (segment.damage !== undefined) throw new Error("The spool segment was found damaged.");
      let at = start;
      for (const record of records) {
        markAge(segment, at, record.receivedAtMillis);
        at += record.bytes;
      }
      segment.length = at;
    },
    async abandon() {
      if (active === undefined) return;
      const { segment, file } = active;
      // What lies behind a damage goes to quarantine instead.
      if (segment.damage === undefined) await file.truncate(segment.length).catch(() => {});
      await seal().catch(() => {});
    },
    close: seal,
  };
}
