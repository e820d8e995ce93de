/** A request that a replay kept in, because nobody could have recorded it. */
export interface RefusedTraffic {
  readonly method: string;
  /** Without credentials and query, which may hold secrets. */
  readonly url: string;
  /** Spans on their way to a place of the agent's own choice: no operation of the agent. */
  readonly isTelemetry: boolean;
}

// One slot for the process, like the interceptor's.
const SLOT = Symbol.for("runproof.refused-traffic");
const slots = globalThis as unknown as Record<symbol, ((traffic: RefusedTraffic) => void) | undefined>;

/** Installs (or with `undefined` removes) the listener of this process. It must not throw. */
export function setRefusedTrafficListener(listener: ((traffic: RefusedTraffic) => void) | undefined): void {
  slots[SLOT] = listener;
}

export const tellRefusedTraffic = (traffic: RefusedTraffic): void => slots[SLOT]?.(traffic);
