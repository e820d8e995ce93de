import { type Frame, type FrameDamage, readFrames } from "./frame.ts";
import { readFully, type SpoolFile } from "./spool-fs.ts";

export interface SegmentScan {
  /** Where the last sound frame ends. */
  readonly end: number;
  readonly damage: FrameDamage | undefined;
}

const WINDOW_BYTES = 1024 * 1024;

/**
 * Checks every frame between two offsets of a file and calls `onFrame` with each and the offset its window starts at.
 * Memory stays at a window or one frame. Payloads are valid only during the call.
 */
export async function scanSegment(
  file: SpoolFile,
  range: { readonly start: number; readonly end: number },
  onFrame: (frame: Frame, windowStart: number) => void,
): Promise<SegmentScan> {
  let at = range.start;
  let windowBytes = WINDOW_BYTES;
  while (at < range.end) {
    const wanted = Math.min(windowBytes, range.end - at);
    const window = await readFully(file, at, wanted);
    const { frames, end, stop } = readFrames(window);
    for (const frame of frames) onFrame(frame, at);
    at += end;
    windowBytes = WINDOW_BYTES;
    if (stop.reason === "end" && window.length === wanted) continue;
    if (stop.reason !== "torn" || window.length < wanted) return { end: at, damage: damageFrom(stop.reason) };
    if (stop.neededBytes > range.end - at) return { end: at, damage: "torn" };
    windowBytes = Math.max(WINDOW_BYTES, stop.neededBytes);
  }
  return { end: at, damage: undefined };
}

/** A file that ends before its length says is torn, wherever that happens to be. */
const damageFrom = (reason: FrameDamage | "end"): FrameDamage => (reason === "end" ? "torn" : reason);
