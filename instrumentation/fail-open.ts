import { diag } from "@opentelemetry/api";

/**
 * Runs a piece of our own work inside the agent. Whatever it throws is reported through OpenTelemetry's `diag` and
 * replaced by `otherwise`: the agent never pays for our mistakes.
 */
export function failOpen<Result>(what: string, work: () => Result, otherwise: Result): Result {
  try {
    return work();
  } catch (error) {
    reportFailure(what, error);
    return otherwise;
  }
}

/** The same for work that is waited for. */
export async function failOpenAsync<Result>(
  what: string,
  work: () => Promise<Result>,
  otherwise: Result,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    reportFailure(what, error);
    return otherwise;
  }
}

export function reportFailure(what: string, error: unknown): void {
  diag.warn(`runproof: ${what} failed, going on without it: ${error instanceof Error ? error.message : String(error)}`);
}
