import { diag } from "@opentelemetry/api";
import { thrownText } from "./capture/error-class.ts";

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

/** Total: neither what was thrown nor the host's logger may throw from here. */
export function reportFailure(what: string, error: unknown): void {
  try {
    diag.warn(`runproof: ${what} failed, going on without it: ${thrownText(error).message}`);
  } catch {
    // Nowhere left to report to.
  }
}
