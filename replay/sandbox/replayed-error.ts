import type { RecordedError } from "./messages.ts";

/**
 * What an error of a class carries in the wild. A recording keeps name, message and class; agents look at `code` and
 * `status`, and so does the normalisation that gave the class, so a replay gives the class back in that form.
 */
const SIGNS: Readonly<Record<string, { readonly code?: string; readonly status?: number }>> = {
  dependency_unavailable: { code: "ECONNREFUSED" },
  timeout: { code: "ETIMEDOUT" },
  rate_limited: { status: 429 },
  cancelled: { code: "ABORT_ERR" },
  not_found: { code: "ENOENT" },
  permission_denied: { code: "EACCES" },
  storage_full: { code: "ENOSPC" },
  bad_request: { status: 400 },
};

/** The error a recorded call threw, with the name and message it had. */
export function replayedError({ name, message, class: errorClass }: RecordedError): Error {
  const error = new Error(message);
  error.name = name;
  const signs = errorClass !== undefined && Object.hasOwn(SIGNS, errorClass) ? SIGNS[errorClass] : {};
  return Object.assign(error, signs);
}

/** Thrown into the agent by a call that the cassette has no answer for. */
export class CassetteMissError extends Error {
  readonly code = "RUNPROOF_CASSETTE_MISS";
  constructor(message: string) {
    super(message);
    this.name = "CassetteMissError";
  }
}
