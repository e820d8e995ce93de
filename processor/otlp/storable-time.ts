import { MAX_TIME_UNIX_NANO, MIN_TIME_UNIX_NANO } from "./limits.ts";

/** Whether a time can be stored without failing, or moving, in the engine. */
export const isStorableTime = (unixNano: bigint): boolean =>
  unixNano >= MIN_TIME_UNIX_NANO && unixNano <= MAX_TIME_UNIX_NANO;

/** Ends the reason of a rejection for which `isStorableTime` is the cause. */
export const TIME_RULE = "must be nanoseconds since 1970, between the years 2001 and 2262";
