import type { AnyFunction } from "./patch.ts";

/**
 * An object with some of its methods replaced, for one call. Everything else happens on the object itself, private
 * fields included, so that a class of the user's does not notice.
 */
export function overriding(target: object, methods: Readonly<Record<string, AnyFunction>>): object {
  return new Proxy(target, {
    get(_target, name) {
      if (typeof name === "string" && Object.hasOwn(methods, name)) return methods[name];
      const member: unknown = Reflect.get(target, name, target);
      return typeof member === "function" && name !== "constructor" ? (member as AnyFunction).bind(target) : member;
    },
  });
}
