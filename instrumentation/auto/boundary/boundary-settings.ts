import { isSdkDisabled } from "../../environment.ts";
import type { RunContract } from "../../contract/contract.ts";

/**
 * Where a run may begin by itself. - `agent`: an agent operation of a stack. - `http`: a request that a server of this
 * process answers. - `job`: a job of a queue. - `process`: the whole process.
 */
export const BOUNDARY_KINDS = ["agent", "http", "job", "process"] as const;
export type BoundaryKind = (typeof BOUNDARY_KINDS)[number];

export interface BoundaryOptions {
  /** Default `["agent"]`. */
  readonly boundaries?: readonly BoundaryKind[] | undefined;
  /** The agent's name, whatever a stack calls it. Default: what the boundary knows, else `fallbackName`. */
  readonly agentName?: string | undefined;
  /** For boundaries that know no name. Default `agent`. */
  readonly fallbackName?: string | undefined;
}

interface BoundarySettings extends BoundaryOptions {
  readonly contracts: ReadonlyMap<string, RunContract>;
}

// One slot for the process: the copy of the package that reads the configuration may not be the one that opens runs.
const SLOT = Symbol.for("runproof.boundaries");
const slots = globalThis as unknown as Record<symbol, BoundarySettings | undefined>;
const settings = (): BoundarySettings => (slots[SLOT] ??= { contracts: new Map() });

/** Says which boundaries open runs, and under which name. Contracts stay as they are. */
export function configureBoundaries(options: BoundaryOptions): void {
  slots[SLOT] = { ...options, contracts: settings().contracts };
}

/** Contracts of runs that begin by themselves, by agent name; parsed ones. Replaces those set before. */
export function setContracts(byAgentName: Readonly<Record<string, RunContract>>): void {
  slots[SLOT] = { ...settings(), contracts: new Map(Object.entries(byAgentName)) };
}

const DEFAULT_BOUNDARIES: readonly BoundaryKind[] = ["agent"];

/** Whether runs begin by themselves here. Never with `OTEL_SDK_DISABLED=true`. */
export const opensRuns = (kind: BoundaryKind): boolean =>
  (settings().boundaries ?? DEFAULT_BOUNDARIES).includes(kind) && !isSdkDisabled(process.env);

export const contractOf = (agentName: string): RunContract | undefined => settings().contracts.get(agentName);

/**
 * The name of an agent: the boundary's own if a contract bears it, else the configured one, else the boundary's own.
 * So one process may hold several agents with contracts, and all others go by one name.
 */
export function agentNameFor(known: string | undefined): string {
  const { contracts, agentName, fallbackName } = settings();
  if (known !== undefined && contracts.has(known)) return known;
  return agentName ?? known ?? fallbackName ?? "agent";
}
