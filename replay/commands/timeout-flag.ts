import { UsageError } from "./run-command-line.ts";

/** The option of a replay that `--timeout` stands for, in seconds. @throws UsageError */
export function timeoutFrom(seconds: string | undefined): { timeoutMillis?: number } {
  if (seconds === undefined) return {};
  const value = Number(seconds);
  if (!(value > 0 && value <= 2_000_000)) throw new UsageError("--timeout must be a number of seconds above 0");
  return { timeoutMillis: value * 1_000 };
}
