import { join } from "node:path";
import type { Checkpoint } from "./checkpoint.ts";
import { type QuarantinedTail, quarantineTail } from "./quarantine.ts";
import { markAge, type Segment, segmentFileName, segmentFromFileName } from "./segment.ts";
import { scanSegment } from "./segment-scan.ts";
import type { SpoolFs } from "./spool-fs.ts";

export interface RecoveryOptions {
  readonly fs: SpoolFs;
  readonly directory: string;
  readonly checkpoint: Checkpoint | undefined;
  /** First segment that another reader still has to read. Default: the checkpoint's. */
  readonly firstNeeded?: number;
  readonly onError: (what: string, error: unknown) => void;
  readonly onQuarantine: (tail: QuarantinedTail) => void;
}

/**
 * Finds what the process before left: the segments from the checkpoint on, each up to its first damage, oldest first.
 * Damaged tails go to quarantine; one that cannot be moved now, say on a full disk, keeps its mark and is moved later.
 */
export async function recoverSegments(options: RecoveryOptions): Promise<Segment[]> {
  const { fs, directory, checkpoint, onError } = options;
  const first = checkpoint?.position.segment ?? 0;
  const firstNeeded = Math.min(first, options.firstNeeded ?? first);
  const found: Segment[] = [];
  for (const file of await fs.list(directory)) {
    const segment = segmentFromFileName(file);
    if (segment === undefined) continue;
    if (segment.id >= firstNeeded) found.push(segment);
    else await fs.remove(join(directory, file)).catch((error) => onError("deleting a consumed spool segment", error));
  }
  found.sort((a, b) => a.id - b.id);
  for (const segment of found) {
    await measure(segment, segment.id === first ? (checkpoint?.position.offset ?? 0) : 0, options);
    if (segment.damage === undefined) continue;
    try {
      options.onQuarantine(await quarantineTail(fs, directory, segment));
      segment.damage = undefined;
    } catch (error) {
      onError("putting a damaged tail of the spool into quarantine", error);
    }
  }
  return found;
}

/** Fills in how far the segment is sound. What lies before `from` is consumed and not looked at. */
async function measure(segment: Segment, from: number, { fs, directory }: RecoveryOptions): Promise<void> {
  const file = await fs.open(join(directory, segmentFileName(segment)), "r");
  try {
    const size = await file.size();
    const start = Math.min(from, size);
    const { end, damage } = await scanSegment(file, { start, end: size }, (frame, windowStart) =>
      markAge(segment, windowStart + frame.start, frame.record.receivedAtMillis),
    );
    segment.length = end;
    segment.damage = damage;
  } finally {
    await file.close();
  }
}
