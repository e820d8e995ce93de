/** A repeatable source of numbers below `max` (mulberry32). */
export function createRandom(seed: number): (max: number) => number {
  let state = seed >>> 0;
  return (max) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % max;
  };
}

type Random = (max: number) => number;
type Mutation = (bytes: Buffer, random: Random, other: Buffer) => Buffer;

const place = (bytes: Buffer, random: Random): number => random(bytes.length + 1);

function withByte(bytes: Buffer, random: Random, byte: number): Buffer {
  const changed = Buffer.from(bytes);
  if (changed.length > 0) changed[random(changed.length)] = byte;
  return changed;
}

function inserted(bytes: Buffer, at: number, ...parts: readonly Buffer[]): Buffer {
  return Buffer.concat([bytes.subarray(0, at), ...parts, bytes.subarray(at)]);
}

/** Texts that mean something to a decoder: long varints, nesting, numbers out of range, broken UTF-8. */
const POISON = [
  Buffer.alloc(10, 0xff),
  Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f]),
  Buffer.alloc(64, 0x0a),
  Buffer.from([0xc3, 0x28, 0xed, 0xa0, 0x80]),
  Buffer.from('{"a":'.repeat(200)),
  Buffer.from("[".repeat(500)),
  Buffer.from("1e999"),
  Buffer.from("-0"),
  Buffer.from('"\\ud800"'),
  Buffer.from("null"),
  Buffer.from('"__proto__"'),
  Buffer.from(",,"),
];

const MUTATIONS: readonly Mutation[] = [
  (bytes, random) => withByte(bytes, random, random(256)),
  (bytes, random) => withByte(bytes, random, [0, 0x7f, 0x80, 0xff][random(4)]!),
  (bytes, random) => bytes.subarray(0, place(bytes, random)),
  (bytes, random) => bytes.subarray(place(bytes, random)),
  (bytes, random) => {
    const at = place(bytes, random);
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + random(40))]);
  },
  (bytes, random) => {
    const at = place(bytes, random);
    return inserted(bytes, at, bytes.subarray(at, at + random(400)));
  },
  (bytes, random) => inserted(bytes, place(bytes, random), POISON[random(POISON.length)]!),
  (bytes, random, other) =>
    Buffer.concat([bytes.subarray(0, place(bytes, random)), other.subarray(place(other, random))]),
  (bytes, random) => inserted(bytes, place(bytes, random), Buffer.from(Array.from({ length: 8 }, () => random(256)))),
];

/** One to four changes to a body; `other` is another body to take pieces from. */
export function mutateBytes(bytes: Buffer, random: Random, other: Buffer): Buffer {
  let mutated = bytes;
  for (let changes = 1 + random(4); changes > 0; changes--) {
    mutated = MUTATIONS[random(MUTATIONS.length)]!(mutated, random, other);
  }
  return mutated;
}
