export type AnyFunction = (...args: unknown[]) => unknown;

export const isFunction = (value: unknown): value is AnyFunction => typeof value === "function";

type Constructor = AnyFunction & { readonly prototype: unknown };

/** The classes a module exports under one of these names, or is itself (`module.exports = class`), each once. */
export function membersOf(exports: unknown, names: readonly string[]): readonly Constructor[] {
  const holder = exports as Readonly<Record<string, unknown>> | undefined;
  const inner = holder?.["default"] as Readonly<Record<string, unknown>> | undefined;
  const found = [exports, ...names.flatMap((name) => [holder?.[name], inner?.[name]])];
  return [...new Set(found)].filter((it): it is Constructor => isFunction(it));
}
