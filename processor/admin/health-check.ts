/** `warn`: works, and somebody should look. `fail`: does not do what it is for. */
export type CheckStatus = "ok" | "warn" | "fail";

/** One thing that was looked at. */
export interface Check {
  readonly name: string;
  readonly status: CheckStatus;
  /** For the operator; `''` when there is nothing to say. Never holds a secret or data of a sender. */
  readonly message: string;
}

export interface HealthReport {
  /** The worst of the checks. */
  readonly status: CheckStatus;
  readonly checks: readonly Check[];
}

export const ok = (name: string, message = ""): Check => ({ name, status: "ok", message });
export const warn = (name: string, message: string): Check => ({ name, status: "warn", message });
export const fail = (name: string, message: string): Check => ({ name, status: "fail", message });

export function healthReport(checks: readonly Check[]): HealthReport {
  const has = (status: CheckStatus): boolean => checks.some((check) => check.status === status);
  return { status: has("fail") ? "fail" : has("warn") ? "warn" : "ok", checks };
}
