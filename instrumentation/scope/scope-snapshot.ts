import { thrownText } from "../capture/error-class.ts";
import { withDeadline } from "./deadline.ts";
import { isScopeName, SCOPE_NAME_RULE } from "./scope-name.ts";
import {
  SCOPE_SOURCES,
  type ScopeReading,
  type ScopeSnapshot,
  type ScopeSource,
  type ScopeSourceName,
  type ScopeSources,
} from "./scope-source.ts";

/** Asks every source that is set up, all within `timeoutMillis`. Never rejects: what cannot be read is `unreadable`. */
export async function readSnapshot(sources: ScopeSources, timeoutMillis: number): Promise<ScopeSnapshot> {
  const readings = await Promise.all(SCOPE_SOURCES.map((name) => readSource(name, sources[name], timeoutMillis)));
  const [runtime, local, cloud] = readings;
  return { runtime, local, cloud };
}

/** One of them; `undefined` for one that is not set up. */
export async function readSource(
  name: ScopeSourceName,
  source: ScopeSource | undefined,
  timeoutMillis: number,
): Promise<ScopeReading | undefined> {
  if (source === undefined) return undefined;
  try {
    const reading = await withDeadline(name, timeoutMillis, (signal) => source.read(signal));
    if (reading.kind === "present" && !isScopeName(reading.scope)) return unreadable(SCOPE_NAME_RULE);
    return reading;
  } catch (error) {
    return unreadable(thrownText(error).message);
  }
}

const unreadable = (problem: string): ScopeReading => ({ kind: "unreadable", problem: problem.slice(0, 500) });

/**
 * Whether nothing was written between two snapshots, so that all their values held at one moment in between. What could
 * not be read may have changed.
 */
export const isSameSnapshot = (one: ScopeSnapshot, other: ScopeSnapshot): boolean =>
  SCOPE_SOURCES.every((name) => isSameReading(one[name], other[name]));

function isSameReading(one: ScopeReading | undefined, other: ScopeReading | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  if (one.kind === "unreadable" || other.kind === "unreadable") return one.kind === other.kind;
  return one.kind === other.kind && one.version === other.version;
}
