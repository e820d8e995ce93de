import { closeSync, openSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { realNow } from "../real-sources.ts";
import { reasonOf } from "./bounded-request.ts";
import type { RecordResource, RecordSpan } from "./record-span.ts";
import { openSpoolDirectory, spoolDirectoryBytes } from "./spool-directory.ts";
import { newSpoolFileName, parseSpool, type OpenRun, type SpoolEntry } from "./spool-file.ts";
import { currentOwner, TOUCH_INTERVAL_MILLIS } from "./spool-owner.ts";

export interface CrashSpoolOptions {
  /** Made with mode 0700 when missing. */
  readonly directory: string;
  readonly resource: RecordResource;
  /** Largest file of this process. Default 16 MiB. */
  readonly maxBytes?: number;
  /** Largest sum of the files of all processes; beyond it nothing more is spooled. Default 256 MiB. */
  readonly maxDirectoryBytes?: number;
  readonly onDiagnostic?: (message: string) => void;
}

interface SpoolHandle {
  readonly path: string;
  readonly fd: number;
  bytes: number;
  /** The last write was short: the file ends inside a line. */
  torn: boolean;
}

const MAX_BYTES = 16 * 1024 * 1024;
const MAX_DIRECTORY_BYTES = 256 * 1024 * 1024;

/**
 * What this process still owes the collector, in one file that outlives it. Every append is one write of one whole
 * line: what returned `true` is there after SIGKILL (not after power loss; there is no fsync on the agent's path).
 * The file exists only while something is owed. Never throws.
 */
export class CrashSpool {
  readonly #options: CrashSpoolOptions;
  readonly #maxBytes: number;
  readonly #records = new Map<string, number>();
  readonly #runs = new Map<string, { readonly run: OpenRun; readonly bytes: number }>();
  #file: SpoolHandle | undefined;
  #toucher: NodeJS.Timeout | undefined;
  #dropped = 0;

  constructor(options: CrashSpoolOptions) {
    this.#options = options;
    this.#maxBytes = options.maxBytes ?? MAX_BYTES;
  }

  /** Entries lost: no room, or the disk refused. */
  get dropped(): number {
    return this.#dropped;
  }

  get outstanding(): number {
    return this.#records.size;
  }

  get openRuns(): readonly OpenRun[] {
    return Array.from(this.#runs.values(), ({ run }) => run);
  }

  /** `false` when the record could not be kept. */
  appendRecord(runId: string, event: string, span: RecordSpan): boolean {
    const bytes = this.#append({ type: "record", run_id: runId, event, span });
    if (bytes > 0) this.#records.set(span.spanId, bytes);
    return bytes > 0;
  }

  /** Marks the run as begun: should this process die, the next one reports it. */
  markOpen(run: OpenRun): boolean {
    const bytes = this.#append({ type: "open", run });
    this.#runs.set(run.runId, { run, bytes });
    return bytes > 0;
  }

  markClosed(runId: string): void {
    const known = this.#runs.get(runId);
    if (!this.#runs.delete(runId)) return;
    if (known !== undefined && known.bytes > 0) this.#settle({ type: "closed", run_id: runId });
  }

  acknowledge(spanIds: readonly string[]): void {
    for (const spanId of spanIds) {
      if (this.#records.delete(spanId)) this.#settle({ type: "acknowledged", span_id: spanId });
    }
  }

  /** Records written and not acknowledged, read back from the file: memory stays bounded however many there are. */
  outstandingRecords(): readonly RecordSpan[] {
    if (this.#file === undefined || this.#records.size === 0) return [];
    try {
      return parseSpool(readFileSync(this.#file.path, "utf8")).records;
    } catch {
      return [];
    }
  }

  /** Lets go of the file; it stays for the next process when something is still owed. */
  close(): void {
    clearInterval(this.#toucher);
    if (this.#file === undefined) return;
    quietly(() => closeSync(this.#file?.fd ?? -1));
    this.#file = undefined;
  }

  #append(entry: SpoolEntry): number {
    const line = `${JSON.stringify(entry)}\n`;
    const bytes = Buffer.byteLength(line);
    try {
      if ((this.#file?.bytes ?? 0) + bytes > this.#maxBytes) this.#compact();
      const file = (this.#file ??= this.#open());
      if (file.bytes + bytes > this.#maxBytes) return this.#drop(`the crash spool is full (${this.#maxBytes} bytes)`);
      return this.#write(file, line, bytes) ? bytes : this.#drop("the disk took only part of a line");
    } catch (error) {
      return this.#drop(reasonOf(error));
    }
  }

  #write(file: SpoolHandle, line: string, bytes: number): boolean {
    // After a short write the next line starts on a line of its own, so that one loss stays one loss.
    const written = writeSync(file.fd, file.torn ? `\n${line}` : line) - (file.torn ? 1 : 0);
    file.bytes += Math.max(0, written);
    file.torn = written < bytes;
    return !file.torn;
  }

  #drop(reason: string): 0 {
    this.#dropped++;
    this.#options.onDiagnostic?.(`crash spool: an entry was dropped: ${reason}`);
    return 0;
  }

  #open(): SpoolHandle {
    const { directory, maxDirectoryBytes = MAX_DIRECTORY_BYTES } = this.#options;
    openSpoolDirectory(directory);
    if (spoolDirectoryBytes(directory) > maxDirectoryBytes)
      throw new Error(`${directory} is over ${maxDirectoryBytes} bytes`);
    const path = join(directory, newSpoolFileName(currentOwner()));
    const file = { path, fd: openSync(path, "ax", 0o600), bytes: 0, torn: false };
    const header = this.#headerLine();
    this.#write(file, header, Buffer.byteLength(header));
    this.#toucher = setInterval(
      () => quietly(() => utimesSync(path, realNow() / 1_000, realNow() / 1_000)),
      TOUCH_INTERVAL_MILLIS,
    );
    this.#toucher.unref();
    return file;
  }

  #headerLine(): string {
    const header: SpoolEntry = { type: "header", version: 1, resource: this.#options.resource };
    return `${JSON.stringify(header)}\n`;
  }

  /** Something is owed no more. When nothing is left the file goes. */
  #settle(entry: SpoolEntry): void {
    const file = this.#file;
    if (file === undefined) return;
    if (this.#records.size > 0 || this.#runs.size > 0) {
      this.#append(entry);
      return;
    }
    this.close();
    quietly(() => rmSync(file.path, { force: true }));
  }

  /** Rewrites the file with what is still owed, through a rename, when that frees at least half of it. */
  #compact(): void {
    const old = this.#file;
    const owed = [...this.#records.values(), ...Array.from(this.#runs.values(), ({ bytes }) => bytes)];
    if (old === undefined || owed.reduce((sum, bytes) => sum + bytes, 0) > this.#maxBytes / 2) return;
    const { records, openRuns } = parseSpool(readFileSync(old.path, "utf8"));
    const entries: SpoolEntry[] = [
      ...records.map((span): SpoolEntry => ({ type: "record", run_id: "", event: "", span })),
      ...openRuns.map((run): SpoolEntry => ({ type: "open", run })),
    ];
    const text = this.#headerLine() + entries.map((entry) => `${JSON.stringify(entry)}\n`).join("");
    writeFileSync(`${old.path}.tmp`, text, { mode: 0o600 });
    renameSync(`${old.path}.tmp`, old.path);
    closeSync(old.fd);
    this.#file = { path: old.path, fd: openSync(old.path, "a"), bytes: Buffer.byteLength(text), torn: false };
  }
}

function quietly(action: () => void): void {
  try {
    action();
  } catch {
    // What failed is a clean-up; the next process does it.
  }
}
