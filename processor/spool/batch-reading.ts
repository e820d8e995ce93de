import { join } from "node:path";
import type { BytePool } from "../byte-pool.ts";
import { type FrameDamage, type FramesRead, readFrames, type SpoolRecord } from "./frame.ts";
import { type Segment, segmentFileName } from "./segment.ts";
import { readInto, type SpoolFile, type SpoolFs } from "./spool-fs.ts";

export interface LogPart {
  readonly records: readonly SpoolRecord[];
  /** Offset behind the last record. */
  readonly end: number;
  /** Why reading stopped before the part was complete; the disk changed what was once sound. */
  readonly damage: FrameDamage | undefined;
  /** What the payloads are views of. */
  readonly memory: Uint8Array;
}

export interface LogPartSource {
  readonly fs: SpoolFs;
  readonly directory: string;
  readonly pool: BytePool;
}

/**
 * Reads whole records from a segment: as many as fit into `maxBytes`, at least one, none behind `end`. They share one
 * buffer that belongs to the caller.
 */
export async function readLogPart(
  { fs, directory, pool }: LogPartSource,
  segment: Segment,
  part: { readonly start: number; readonly end: number; readonly maxBytes: number },
): Promise<LogPart> {
  const file = await fs.open(join(directory, segmentFileName(segment)), "r");
  try {
    const available = part.end - part.start;
    const source = { file, start: part.start, pool };
    const first = await readWindow(source, Math.min(part.maxBytes, available));
    const { stop } = first;
    const oneIsLarger = first.end === 0 && stop.reason === "torn" && stop.neededBytes <= available;
    // The second look may be at a header only, then the third sees how long the record is.
    const window = oneIsLarger ? await readWhole(source, first, available) : first;
    return {
      records: window.frames.map((frame) => frame.record),
      end: part.start + window.end,
      damage: damageOf(window, available),
      memory: window.memory,
    };
  } finally {
    await file.close();
  }
}

interface Window extends FramesRead {
  readonly memory: Uint8Array;
}

interface WindowSource {
  readonly file: SpoolFile;
  readonly start: number;
  readonly pool: BytePool;
}

async function readWindow({ file, start, pool }: WindowSource, bytes: number): Promise<Window> {
  const memory = pool.take(bytes);
  try {
    return { ...readFrames(await readInto(file, start, memory)), memory };
  } catch (error) {
    pool.give(memory);
    throw error;
  }
}

/** The second look may be at a header only, then the third sees how long the record is. */
async function readWhole(source: WindowSource, first: Window, available: number): Promise<Window> {
  let window = first;
  for (let looks = 0; looks < 2; looks++) {
    const { end, stop, memory } = window;
    if (end > 0 || stop.reason !== "torn" || stop.neededBytes > available) break;
    if (stop.neededBytes <= memory.length) break;
    source.pool.give(memory);
    window = await readWindow(source, stop.neededBytes);
  }
  return window;
}

function damageOf({ end, frames, stop }: FramesRead, available: number): FrameDamage | undefined {
  if (stop.reason === "end") return frames.length > 0 ? undefined : "torn";
  if (stop.reason !== "torn") return stop.reason;
  // Cut by the window, not by the disk; unless no frame came out at all.
  return frames.length > 0 && end + stop.neededBytes <= available ? undefined : "torn";
}
