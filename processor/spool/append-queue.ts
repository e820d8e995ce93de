import type { RecordLane } from "./frame.ts";

/** What became of a record: on disk; not taken, there is no room; not taken, the disk does not work. */
export type AppendOutcome = "durable" | "full" | "failed";

export interface PendingRecord {
  readonly lane: RecordLane;
  readonly frame: readonly Uint8Array[];
  readonly bytes: number;
  readonly receivedAtMillis: number;
  readonly settle: (outcome: AppendOutcome) => void;
}

const MAX_GROUP_RECORDS = 4_096;

/** Records on their way to the disk. */
export interface AppendQueue {
  readonly length: number;
  /** Bytes waiting and taken but not settled. */
  readonly bytes: number;
  add(record: PendingRecord): void;
  /**
   * The next records that fit into `room` bytes, priority first; about 8 MiB at most, so that a late priority record
   * never waits for all the bulk before it.
   */
  take(room: number, groupBytes: number): PendingRecord[];
  takeAll(): PendingRecord[];
  /** Answers records, which frees their bytes. */
  settle(records: readonly PendingRecord[], outcome: AppendOutcome): void;
}

export function createAppendQueue(): AppendQueue {
  const lanes: Record<RecordLane, PendingRecord[]> = { priority: [], bulk: [] };
  let bytes = 0;
  return {
    get length() {
      return lanes.priority.length + lanes.bulk.length;
    },
    get bytes() {
      return bytes;
    },
    add(record) {
      bytes += record.bytes;
      lanes[record.lane].push(record);
    },
    take(room, groupBytes) {
      const limits = { room, groupBytes };
      const first = takeFrom(lanes.priority, limits, { bytes: 0, records: 0 });
      // Bulk may go ahead of nothing: what does not fit now comes first in the next segment.
      if (lanes.priority.length > 0) return first;
      const used = { bytes: first.reduce((sum, record) => sum + record.bytes, 0), records: first.length };
      return first.concat(takeFrom(lanes.bulk, limits, used));
    },
    takeAll: () => [...lanes.priority.splice(0), ...lanes.bulk.splice(0)],
    settle(records, outcome) {
      for (const record of records) {
        bytes -= record.bytes;
        record.settle(outcome);
      }
    },
  };
}

interface GroupSize {
  readonly bytes: number;
  readonly records: number;
}

function takeFrom(
  lane: PendingRecord[],
  { room, groupBytes }: { readonly room: number; readonly groupBytes: number },
  used: GroupSize,
): PendingRecord[] {
  let { bytes } = used;
  let count = 0;
  for (const record of lane) {
    const records = used.records + count;
    // One that is larger than any group goes alone.
    const limit = records === 0 ? room : Math.min(room, groupBytes);
    if (bytes + record.bytes > limit || records === MAX_GROUP_RECORDS) break;
    bytes += record.bytes;
    count++;
  }
  return lane.splice(0, count);
}
