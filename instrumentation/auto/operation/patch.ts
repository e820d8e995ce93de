import { reportFailure } from "../../fail-open.ts";

/** An object of a stack, of which nothing is known for sure. */
export type Patchable = Record<string, unknown>;
export type AnyFunction = (this: unknown, ...args: unknown[]) => unknown;

/**
 * Puts a function of ours in the place of a stack's, if it is there: an export, or a method of a class. Returns what
 * undoes it. A place that cannot be written is reported and left.
 */
export function patch(target: unknown, name: string, wrap: (original: AnyFunction) => AnyFunction): () => void {
  try {
    const original = isPatchable(target) ? target[name] : undefined;
    if (typeof original !== "function" || WRAPPED.has(original)) return () => {};
    return replace(target as Patchable, name, named(wrap(original as AnyFunction), original));
  } catch (error) {
    reportFailure(`instrumenting ${name}`, error);
    return () => {};
  }
}

// One slot for the process: two copies of the package must not record everything twice.
const SLOT = Symbol.for("runproof.patched-functions");
const slots = globalThis as unknown as Record<symbol, WeakSet<object> | undefined>;
const WRAPPED = (slots[SLOT] ??= new WeakSet());

function replace(target: Patchable, name: string, wrapped: AnyFunction): () => void {
  const before = Object.getOwnPropertyDescriptor(target, name);
  WRAPPED.add(wrapped);
  if (before?.configurable === false || before?.set !== undefined) target[name] = wrapped;
  else {
    const { enumerable = false } = before ?? {};
    Object.defineProperty(target, name, { value: wrapped, writable: true, configurable: true, enumerable });
  }
  if (target[name] !== wrapped) throw new TypeError("it cannot be written");
  return () => {
    // Somebody who came after us keeps their place.
    if (target[name] !== wrapped) return;
    if (before === undefined) delete target[name];
    else if (before.configurable === false || before.set !== undefined) target[name] = before.value;
    else Object.defineProperty(target, name, before);
  };
}

/** Stacks look at the names of functions, and so do people who read a stack trace. */
const named = (wrapped: AnyFunction, original: object): AnyFunction =>
  Object.defineProperty(wrapped, "name", { value: (original as AnyFunction).name, configurable: true });

export const isPatchable = (value: unknown): value is Patchable =>
  (typeof value === "object" || typeof value === "function") && value !== null;

/** The prototype of an exported class; `undefined` if there is none. */
export const prototypeOf = (exports: unknown, name: string): unknown => memberOf(memberOf(exports, name), "prototype");

/** A value of a member that may not be there, in an object that may be none. Total: getters and proxies may throw. */
export function memberOf(value: unknown, name: string): unknown {
  try {
    return isPatchable(value) ? value[name] : undefined;
  } catch {
    return undefined;
  }
}

export const textOf = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" ? value : undefined;

export const undoAll = (undo: (() => void)[]) => (): void => {
  for (const one of undo.splice(0).toReversed()) one();
};
