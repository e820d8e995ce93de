import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { JsonValue } from "../../instrumentation/json/json.ts";
import type { ChildOutcome, StrictReport } from "../sandbox/run-child.ts";
import type { Attempt } from "../sandbox/strict/attempt.ts";
import { FIRST_MARKER_ID, MARKER_FOLDER } from "./agents/escaping-agent.ts";
import type { EscapeRunInput } from "./escape-run.ts";

export interface EscapeRun {
  readonly outcome: ChildOutcome;
  readonly strict?: StrictReport;
  /** What reached the witness. */
  readonly hits: readonly string[];
  /** What each attempt came to, by name. */
  readonly results: Readonly<Record<string, string>>;
  readonly stderr: string;
  /** Arguments of the calls that the cassette had no answer for. */
  readonly missed: readonly JsonValue[];
}

export interface EscapeRunOptions extends EscapeRunInput {
  /** User and group id of the worker and the agent. Default: this process's. */
  readonly user?: number;
  /** Where programs are looked for. */
  readonly path: string;
  /** Whether the worker's runtime may make system calls. Default true. */
  readonly foreignFunctions?: boolean;
}

const ENTRY = fileURLToPath(new URL("./escape-run.ts", import.meta.url));

/** Runs the escaping agent in a worker of its own. */
export async function runEscapes(options: EscapeRunOptions): Promise<EscapeRun> {
  const { user, path, foreignFunctions = true, ...input } = options;
  const flags = ["--no-warnings", ...(foreignFunctions ? [] : ["--no-experimental-ffi"])];
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, ENTRY, JSON.stringify(input)], {
    env: { PATH: path },
    maxBuffer: 64 * 1024 * 1024,
    ...(user === undefined ? {} : { uid: user, gid: user }),
  });
  return JSON.parse(stdout) as EscapeRun;
}

/** The ledger's entries by the attempt they belong to; each layer marked its place before each attempt. */
export function attemptsByName({ strict }: EscapeRun, names: readonly string[]): ReadonlyMap<string, Attempt[]> {
  const byName = new Map<string, Attempt[]>(names.map((name) => [name, []]));
  for (const layer of ["code", "system"] as const) {
    let at = -1;
    for (const attempt of strict?.attempts ?? []) {
      if (attempt.layer !== layer) continue;
      const marker = markerOf(attempt);
      if (marker === undefined) byName.get(names[at] ?? "")?.push(attempt);
      else at = marker;
    }
  }
  return byName;
}

/** Attempts that became calls without a recorded answer, by name: HTTP is answered before it reaches a socket. */
export const missedNames = ({ missed }: EscapeRun, names: readonly string[]): readonly string[] =>
  missed.flatMap((it) => names[Number(/\/out-(\d+)"/.exec(JSON.stringify(it))?.[1] ?? -1)] ?? []);

/** Entries that belong to no attempt: what the runtime or our own code did on its way. */
export const strayAttempts = (run: EscapeRun, names: readonly string[]): readonly Attempt[] => {
  const known = new Set([...attemptsByName(run, names).values()].flat());
  return (run.strict?.attempts ?? []).filter((it) => markerOf(it) === undefined && !known.has(it));
};

function markerOf({ target }: Attempt): number | undefined {
  const id = /^process (\d{10})$/.exec(target)?.[1];
  if (id !== undefined && Number(id) >= FIRST_MARKER_ID) return Number(id) - FIRST_MARKER_ID;
  return target.startsWith(`${MARKER_FOLDER}-`) ? Number(target.slice(MARKER_FOLDER.length + 1)) : undefined;
}
