import { randomBytes } from "node:crypto";
import type { SpoolBatch } from "../batch-source.ts";
import type { RecordLane, SpoolRecord } from "../frame.ts";
import type { Spool } from "../spool.ts";

/** A record that can be told from others by its id. */
export function recordOf(id: string, { bytes = 200, lane = "bulk" }: { bytes?: number; lane?: RecordLane } = {}) {
  const payload = Buffer.concat([Buffer.from(`${id}\n`), randomBytes(bytes)]);
  return { kind: "traces", encoding: "protobuf", lane, project: "p", receivedAtMillis: 1_000, payload } as SpoolRecord;
}

export const idOf = (record: SpoolRecord): string => Buffer.from(record.payload).toString("latin1").split("\n", 1)[0]!;

export const idsOf = (batch: SpoolBatch | undefined): string[] => (batch?.records ?? []).map(idOf);

/** Reads and commits until nothing is left. */
export async function drain(spool: Spool, maxBytes = 1 << 20): Promise<string[]> {
  const ids: string[] = [];
  for (let batch = await spool.read(maxBytes); batch !== undefined; batch = await spool.read(maxBytes)) {
    ids.push(...idsOf(batch));
    await spool.commit(batch);
  }
  return ids;
}

export const numbered = (count: number, prefix = "r"): string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}${index}`);
