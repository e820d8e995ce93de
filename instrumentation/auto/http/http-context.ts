import type { ByteBudget } from "./byte-collector.ts";

/** What all watched clients of the process share. */
export interface HttpContext {
  readonly budget: ByteBudget;
  /** Of the recorded waits, how much a replay keeps. */
  readonly delayScale: number;
}
