import { z } from "zod";

const text = z.string().max(4_096);

/** One thing the agent tried that no recording covers. */
export const attemptSchema = z.strictObject({
  /**
   * Who saw it: `code`, the layer inside the agent's process, which knows what was meant; `system`, the layer below it,
   * which misses nothing that was asked of the kernel.
   */
  layer: z.enum(["code", "system"]),
  kind: z.enum(["network", "process", "signal", "file_read", "file_write", "memory", "kernel", "native", "call"]),
  /** The function or system call: `net.connect`, `openat`. */
  operation: text,
  /** Host and port, path, command, process: what it was aimed at, as far as it could be read. */
  target: text,
  /** Call path of the tool it was made in, `fetch_page#2`, where that is known. */
  callPath: text.optional(),
  /** False for what is refused but is no operation on the outside: a native library that was not loaded. */
  counts: z.boolean(),
});

export type Attempt = z.output<typeof attemptSchema>;

export const attemptTarget = (value: string): string => value.slice(0, 1_000);

/** In one line: `net.connect example.com:443 (network) in fetch_page#2`. */
export function describeAttempt({ kind, operation, target, callPath }: Attempt): string {
  const what = `${operation} ${target}`.trim() + ` (${kind})`;
  return callPath === undefined ? what : `${what} in ${callPath}`;
}

/** What the supervisor tells the worker, one JSON document a line. */
export const ledgerLineSchema = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("attempt"), attempt: attemptSchema }),
  /** The canary is over; from here on it is the agent. */
  z.strictObject({ type: z.literal("agent_begins") }),
  /** More than `MAX_LINES`: from here on attempts are refused without being told. */
  z.strictObject({ type: z.literal("full") }),
  z.strictObject({ type: z.literal("fault"), message: z.string() }),
  z.strictObject({ type: z.literal("ended"), code: z.number().nullable(), signal: z.string().nullable() }),
]);

export type LedgerLine = z.output<typeof ledgerLineSchema>;

/** An agent that tries in a loop must not fill the worker's memory. */
export const MAX_LINES = 10_000;

/**
 * A path that is nowhere. The child opens it when the canary is over; the supervisor sees that in the same order as
 * everything else, which no message over another channel would guarantee.
 */
export const CANARY_OVER_PATH = "/runproof-strict/canary-over";
