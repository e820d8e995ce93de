import { AsyncLocalStorage } from "node:async_hooks";

// One slot for the process: the copy of the package that records may not be the one that sends.
const SLOT = Symbol.for("runproof.unrecorded");
const slots = globalThis as unknown as Record<symbol, AsyncLocalStorage<true> | undefined>;
const storage = (slots[SLOT] ??= new AsyncLocalStorage<true>());

/** Does work of our own: what it exchanges with the outside is no call of the agent. */
export const unrecorded = <Result>(work: () => Result): Result => storage.run(true, work);

export const isUnrecorded = (): boolean => storage.getStore() === true;
