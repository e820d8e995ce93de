import { MAX_TIME_UNIX_NANO } from "./limits.ts";

/** Whether the engine can hold a time. Zero and other early times are kept as they were sent, as the Collector does. */
export const isStorableTime = (unixNano: bigint): boolean => unixNano >= 0n && unixNano <= MAX_TIME_UNIX_NANO;

/** Ends the reason of a rejection for which `isStorableTime` is the cause. */
export const TIME_RULE = "must be nanoseconds since 1970, before the year 2262";
