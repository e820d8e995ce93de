import { join } from "node:path";
import { countIntactFrames } from "./frame.ts";
import { type Segment, segmentFileName } from "./segment.ts";
import { readFully, type SpoolFile, type SpoolFs, writeFully } from "./spool-fs.ts";

export interface QuarantinedTail {
  readonly bytes: number;
  /** The damaged record and the sound ones found behind it; a lower bound. */
  readonly records: number;
}

/** Larger than a segment by default; only a planted file is counted in pieces. */
const PIECE_BYTES = 128 * 1024 * 1024;

/**
 * Copies what lies behind the damage of a segment to `quarantine/<segment>-<offset>.tail`, with a `.json` that says why, and
 * cuts it off the segment. Doing it again after a crash gives the same files. Rejects, with the segment as it was, when the
 * disk does not take the copy.
 */
export async function quarantineTail(fs: SpoolFs, directory: string, segment: Segment): Promise<QuarantinedTail> {
  const folder = join(directory, "quarantine");
  const stem = join(folder, `${segment.name}-${segment.length}`);
  await fs.makeDirectory(folder);
  await fs.syncDirectory(directory);
  const source = await fs.open(join(directory, segmentFileName(segment)), "r+");
  try {
    const bytes = (await source.size()) - segment.length;
    const records = 1 + (await writeNew(fs, `${stem}.tail`, (target) => copyTail(source, target, segment.length)));
    const report = { reason: segment.damage, segment: segment.name, offset: segment.length, bytes, records };
    await writeNew(fs, `${stem}.json`, (target) =>
      writeFully(target, [Buffer.from(`${JSON.stringify(report, undefined, 2)}\n`)], 0),
    );
    await fs.syncDirectory(folder);
    await source.truncate(segment.length);
    await source.datasync();
    return { bytes, records };
  } finally {
    await source.close();
  }
}

/** The file appears whole or not at all. */
async function writeNew<T>(fs: SpoolFs, path: string, write: (target: SpoolFile) => Promise<T>): Promise<T> {
  const draft = `${path}.tmp`;
  await fs.remove(draft).catch(() => {});
  const target = await fs.open(draft, "wx");
  try {
    const result = await write(target);
    await target.datasync();
    await fs.rename(draft, path);
    return result;
  } catch (error) {
    // What a full disk took of it would only keep it full.
    await fs.remove(draft).catch(() => {});
    throw error;
  } finally {
    await target.close();
  }
}

async function copyTail(source: SpoolFile, target: SpoolFile, from: number): Promise<number> {
  let intact = 0;
  for (let at = from, size = await source.size(); at < size;) {
    const piece = await readFully(source, at, Math.min(PIECE_BYTES, size - at));
    if (piece.length === 0) break;
    intact += countIntactFrames(piece);
    await writeFully(target, [piece], at - from);
    at += piece.length;
  }
  return intact;
}
