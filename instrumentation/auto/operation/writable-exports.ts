import { types } from "node:util";

/**
 * The exports that `require()` gave, in a form that can be patched: bundlers write getters that nobody can redefine,
 * and a required ES module is a namespace that nobody can write. What is not patched stays live. Exports that can be
 * patched as they are come back as they are.
 */
export function writableExports<Exports>(exports: Exports): Exports {
  if (typeof exports !== "object" || exports === null) return exports;
  const own = Object.getOwnPropertyDescriptors(exports);
  const isNamespace = types.isModuleNamespaceObject(exports);
  const isOpen = ({ configurable, writable }: PropertyDescriptor): boolean =>
    configurable === true || writable === true;
  if (!isNamespace && Object.values(own).every(isOpen)) return exports;
  const open = Object.keys(own).map((name): [string, PropertyDescriptor] => [name, openOne(exports, name, own[name])]);
  return Object.create(Object.getPrototypeOf(exports) as object | null, Object.fromEntries(open)) as Exports;
}

function openOne(exports: object, name: string, before: PropertyDescriptor | undefined): PropertyDescriptor {
  const enumerable = before?.enumerable ?? true;
  if (before !== undefined && "value" in before && !types.isModuleNamespaceObject(exports)) {
    return { ...before, configurable: true };
  }
  return { get: () => (exports as Record<string, unknown>)[name], enumerable, configurable: true };
}
