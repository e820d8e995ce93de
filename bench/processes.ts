import { readFileSync } from "node:fs";

/** What Linux tells about another process; 0 and none once it is gone. */

/** Processor time of all its threads, seconds; Linux counts in hundredths. */
export function cpuSeconds(pid: number): number {
  // The name in brackets may hold blanks; the fields after it are numbered from 3.
  const fields = read(pid, "stat")
    .replace(/^.*\) /s, "")
    .split(" ");
  return fields.length < 13 ? 0 : (Number(fields[11]) + Number(fields[12])) / 100;
}

/** Resident memory now, MiB. */
export const residentMiB = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(read(pid, "status"))?.[1] ?? 0) / 1_024;

export const childrenOf = (pid: number): number[] =>
  read(pid, `task/${pid}/children`).trim().split(" ").filter(Boolean).map(Number);

function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "latin1");
  } catch {
    return "";
  }
}
