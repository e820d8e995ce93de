import fc from "fast-check";

/** One damage to a body. */
export interface Mutation {
  readonly at: number;
  readonly kind: "flip" | "cut" | "insert" | "remove";
  readonly byte: number;
}

export const mutation: fc.Arbitrary<Mutation> = fc.record({
  at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  kind: fc.constantFrom("flip", "cut", "insert", "remove"),
  byte: fc.integer({ min: 0, max: 255 }),
});

export function mutate(bytes: Uint8Array, { at, kind, byte }: Mutation): Uint8Array {
  const index = Math.floor(at * bytes.length);
  const head = bytes.subarray(0, index);
  const tail = bytes.subarray(index);
  if (kind === "cut") return head;
  if (kind === "insert") return Buffer.concat([head, Uint8Array.of(byte), tail]);
  if (kind === "remove") return Buffer.concat([head, tail.subarray(1)]);
  return Buffer.concat([head, Uint8Array.of((tail[0] ?? 0) ^ byte), tail.subarray(1)]);
}
