import { memberOf } from "./operation/index.ts";

/**
 * The same object with another value for one member: own properties (hidden ones too) and prototype stay. Stacks brand
 * their tools, and the agent's own object is not to be changed.
 */
export function withMember<Given extends object>(object: Given, name: string, value: unknown): Given {
  const enumerable = Object.prototype.propertyIsEnumerable.call(object, name);
  return Object.create(Object.getPrototypeOf(object) as object | null, {
    ...Object.getOwnPropertyDescriptors(object),
    [name]: { value, enumerable, configurable: true, writable: true },
  }) as Given;
}

/** A member of a member …: `nested(OpenAI, "Chat", "Completions")`. `undefined` when one is missing. Total. */
export const nested = (value: unknown, ...names: readonly string[]): unknown => names.reduce(memberOf, value);
