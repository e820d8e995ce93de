import { type Attempt, attemptSchema, ledgerLineSchema, MAX_LINES } from "./attempt.ts";

/** What an agent tried behind the wall. Kept by the worker: nothing the agent does takes anything out of it. */
export interface Ledger {
  /** A line of the supervisor. */
  fromSystem(line: unknown): void;
  /** An attempt that the layer inside the agent's process told. */
  fromCode(attempt: unknown): void;
  /** What the canary tried and the supervisor saw: proof that it sees. */
  canary(): readonly Attempt[];
  attempts(): readonly Attempt[];
  /** Attempts beyond the ledger's bound were refused as well, and are not told one by one. */
  isFull(): boolean;
  /** Where the supervisor itself failed; what it could not decide was refused. */
  faults(): readonly string[];
  readonly ended: Promise<{ readonly code: number | null; readonly signal: string | null }>;
  /** Resolves when the supervisor saw the canary's end. */
  readonly agentBegins: Promise<void>;
}

export function createLedger(): Ledger {
  const canary: Attempt[] = [];
  const attempts: Attempt[] = [];
  const faults: string[] = [];
  const ended = Promise.withResolvers<{ code: number | null; signal: string | null }>();
  const agentBegins = Promise.withResolvers<void>();
  let begun = false;
  let full = false;
  const add = (attempt: Attempt): void => {
    if (attempts.length >= MAX_LINES) full = true;
    else attempts.push(attempt);
  };
  return {
    fromSystem(line) {
      const parsed = ledgerLineSchema.safeParse(line);
      if (!parsed.success) return void faults.push("a line of the ledger cannot be read");
      const { data } = parsed;
      if (data.type === "attempt") (begun ? add : (it: Attempt) => canary.push(it))(data.attempt);
      else if (data.type === "fault") faults.push(data.message);
      else if (data.type === "ended") ended.resolve(data);
      else if (data.type === "full") full = true;
      else {
        begun = true;
        agentBegins.resolve();
      }
    },
    fromCode(attempt) {
      const parsed = attemptSchema.safeParse(attempt);
      if (parsed.success) add({ ...parsed.data, layer: "code" });
      else faults.push("an attempt that the agent's process told cannot be read");
    },
    canary: () => [...canary],
    attempts: () => [...attempts],
    isFull: () => full,
    faults: () => [...faults],
    ended: ended.promise,
    agentBegins: agentBegins.promise,
  };
}
