import { join } from "node:path";
import { type FrameDamage, type FramesRead, readFrames, type SpoolRecord } from "./frame.ts";
import { type Segment, segmentFileName } from "./segment.ts";
import { readFully, type SpoolFile, type SpoolFs } from "./spool-fs.ts";

export interface LogPart {
  readonly records: readonly SpoolRecord[];
  /** Offset behind the last record. */
  readonly end: number;
  /** Why reading stopped before the part was complete; the disk changed what was once sound. */
  readonly damage: FrameDamage | undefined;
}

/**
 * Reads whole records from a segment: as many as fit into `maxBytes`, at least one, none behind `end`. They share one
 * buffer that belongs to the caller.
 */
export async function readLogPart(
  { fs, directory }: { readonly fs: SpoolFs; readonly directory: string },
  segment: Segment,
  part: { readonly start: number; readonly end: number; readonly maxBytes: number },
): Promise<LogPart> {
  const file = await fs.open(join(directory, segmentFileName(segment)), "r");
  try {
    const available = part.end - part.start;
    const first = await readWindow(file, part.start, Math.min(part.maxBytes, available));
    const { stop } = first;
    const oneIsLarger = first.end === 0 && stop.reason === "torn" && stop.neededBytes <= available;
    // The second look may be at a header only, then the third sees how long the record is.
    const window = oneIsLarger ? await readWhole(file, part.start, stop.neededBytes, available) : first;
    return {
      records: window.frames.map((frame) => frame.record),
      end: part.start + window.end,
      damage: damageOf(window, available),
    };
  } finally {
    await file.close();
  }
}

const readWindow = async (file: SpoolFile, start: number, bytes: number): Promise<FramesRead> =>
  readFrames(await readFully(file, start, bytes));

async function readWhole(file: SpoolFile, start: number, bytes: number, available: number): Promise<FramesRead> {
  const window = await readWindow(file, start, bytes);
  const { stop } = window;
  const knowsNowMore = window.end === 0 && stop.reason === "torn" && stop.neededBytes > bytes;
  return knowsNowMore && stop.neededBytes <= available ? readWindow(file, start, stop.neededBytes) : window;
}

function damageOf({ end, frames, stop }: FramesRead, available: number): FrameDamage | undefined {
  if (stop.reason === "end") return frames.length > 0 ? undefined : "torn";
  if (stop.reason !== "torn") return stop.reason;
  // Cut by the window, not by the disk; unless no frame came out at all.
  return frames.length > 0 && end + stop.neededBytes <= available ? undefined : "torn";
}
