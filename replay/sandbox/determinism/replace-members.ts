/** Replaces functions of an object by others, each as visible and as changeable as it was. */
export function replaceMembers(target: object, members: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(members)) {
    const enumerable = Object.getOwnPropertyDescriptor(target, name)?.enumerable ?? false;
    Object.defineProperty(target, name, { configurable: true, writable: true, enumerable, value });
  }
}
