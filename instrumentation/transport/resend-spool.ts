import { appendFileSync, lstatSync, readdirSync, readFileSync, renameSync, rmSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { realNow } from "../real-sources.ts";
import { reasonOf } from "./bounded-request.ts";
import type { RecordSpan } from "./record-span.ts";
import { processDiedRecord } from "./run-death.ts";
import { sendInBatches, type SendBody } from "./send-batches.ts";
import { claimedFileName, parseSpool, parseSpoolFileName, type SpoolContent, type SpoolEntry } from "./spool-file.ts";
import { currentOwner, isOwnerDead } from "./spool-owner.ts";

export interface ResendCounts {
  /** Files of dead owners that this process took on. */
  files: number;
  /** Of these, files left for a later try. */
  filesLeft: number;
  records: number;
  /** Runs reported as `process_died`. */
  deaths: number;
  /** Records the collector will never take, and lines nobody can read; kept beside, in `.quarantine`. */
  quarantined: number;
}

const MAX_FILE_BYTES = 64 * 1024 * 1024;
const MAX_QUARANTINE_BYTES = 1024 * 1024;

/**
 * Sends on what dead processes left in the spool directory, and reports the runs they had open. A file is claimed by
 * an atomic rename, so of any number of processes one sends it; should that one die too, the next takes over. What the
 * collector did not acknowledge stays. At least once: a process that dies between the acknowledgement and its note
 * sends again, under the same span ids. Never throws.
 */
export async function resendSpool(
  directory: string,
  send: SendBody,
  onDiagnostic: (message: string) => void = () => {},
): Promise<ResendCounts> {
  const counts: ResendCounts = { files: 0, filesLeft: 0, records: 0, deaths: 0, quarantined: 0 };
  const waiting = spoolFiles(directory);
  const lane = async (): Promise<void> => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      try {
        const claim = claimFile(directory, name);
        if (claim === undefined) continue;
        counts.files++;
        if (await resendFile(claim, send, counts)) continue;
        counts.filesLeft++;
        waiting.length = 0; // The collector is not there; the other files wait as well.
      } catch (error) {
        onDiagnostic(`crash spool: ${name} could not be sent on: ${reasonOf(error)}`);
      }
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return counts;
}

/** Each dead process left a file of its own, and a collector acknowledges many requests as fast as one. */
const LANES = 16;

function spoolFiles(directory: string): string[] {
  try {
    return readdirSync(directory).toSorted();
  } catch {
    return [];
  }
}

interface Claim {
  /** The file as it is named now. */
  readonly path: string;
  readonly originalPath: string;
  readonly bytes: number;
  readonly lastSeenMillis: number;
}

function claimFile(directory: string, name: string): Claim | undefined {
  const parsed = parseSpoolFileName(name);
  if (parsed === undefined) return undefined;
  const from = join(directory, name);
  const stat = lstatSync(from, { throwIfNoEntry: false });
  if (stat === undefined || !stat.isFile()) return undefined;
  if (!isOwnerDead(parsed.claimer ?? parsed.owner, stat.mtimeMs, realNow())) return undefined;
  const path = join(directory, claimedFileName(parsed.base, currentOwner()));
  try {
    renameSync(from, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined; // Another process was first.
    throw error;
  }
  // Other hosts go by the age of the file. On this one the age stays: it is the owner's last sign of life.
  if (parsed.owner.host !== currentOwner().host) utimesSync(path, realNow() / 1_000, realNow() / 1_000);
  return { path, originalPath: join(directory, parsed.base), bytes: stat.size, lastSeenMillis: stat.mtimeMs };
}

/** `false` when the collector did not take everything: the file goes back for a later try. */
async function resendFile(claim: Claim, send: SendBody, counts: ResendCounts): Promise<boolean> {
  if (claim.bytes > MAX_FILE_BYTES) {
    counts.quarantined++;
    renameSync(claim.path, `${claim.originalPath}.quarantine`);
    return true;
  }
  const content = parseSpool(readFileSync(claim.path, "utf8"));
  const deaths = new Map<string, string>();
  const reports = content.openRuns.map((run): RecordSpan => {
    const report = processDiedRecord(run, claim.lastSeenMillis);
    deaths.set(report.spanId, run.runId);
    return report;
  });
  const note = (spanIds: readonly string[]): void => {
    appendFileSync(claim.path, `\n${spanIds.map((id) => JSON.stringify(doneEntry(id, deaths))).join("\n")}\n`);
    utimesSync(claim.path, claim.lastSeenMillis / 1_000, claim.lastSeenMillis / 1_000);
  };
  const outcome = await sendInBatches(content.resource, [...content.records, ...reports], send, note);
  const reported = outcome.acknowledged.filter((id) => deaths.has(id)).length;
  counts.deaths += reported;
  counts.records += outcome.acknowledged.length - reported;
  if (outcome.stopped !== undefined) {
    renameSync(claim.path, claim.originalPath);
    return false;
  }
  counts.quarantined += quarantine(claim, content, outcome.rejected);
  rmSync(claim.path, { force: true });
  return true;
}

const doneEntry = (spanId: string, deaths: ReadonlyMap<string, string>): SpoolEntry => {
  const runId = deaths.get(spanId);
  return runId === undefined ? { type: "acknowledged", span_id: spanId } : { type: "closed", run_id: runId };
};

function quarantine(
  claim: Claim,
  content: SpoolContent,
  rejected: readonly { readonly span: RecordSpan; readonly reason: string }[],
): number {
  const lines = [...content.corruptLines, ...rejected.map((rejection) => JSON.stringify(rejection))];
  if (lines.length === 0) return 0;
  const text = `${lines.join("\n")}\n`.slice(0, MAX_QUARANTINE_BYTES);
  appendFileSync(`${claim.originalPath}.quarantine`, text, { mode: 0o600 });
  return lines.length;
}
