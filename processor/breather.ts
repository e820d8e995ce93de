import { setImmediate as nextTurn } from "node:timers/promises";

/** Work that takes longer lets the event loop turn in between: who waits for an acknowledgement waits behind it. */
const MAX_STRETCH_MILLIS = 4;

/** To be awaited between the parts of a long computation; gives the loop a turn when one is due. */
export function createBreather(): () => Promise<void> | undefined {
  let since = performance.now();
  return () => {
    if (performance.now() - since < MAX_STRETCH_MILLIS) return undefined;
    return nextTurn().then(() => {
      since = performance.now();
    });
  };
}
