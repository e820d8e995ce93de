import type * as crypto from "node:crypto";

/** Reproducible random values: xoshiro128** (Blackman and Vigna), seeded with the SHA-256 of a text. Not a secret. */
export interface SeededStream {
  /** 0 to 2^32 - 1. */
  uint32(): number;
  /** 0 to below 1, 53 bits. */
  float(): number;
  fill(bytes: Uint8Array): void;
}

/** `createHash` is handed in: this file is loaded while node:crypto is being changed. */
export function createSeededStream(createHash: typeof crypto.createHash, seed: string): SeededStream {
  const digest = createHash("sha256").update(seed).digest();
  const state = new Uint32Array(4);
  for (let i = 0; i < 4; i++) state[i] = digest.readUInt32LE(i * 4);

  function uint32(): number {
    const [a, b, c, d] = state as unknown as [number, number, number, number];
    const result = Math.imul(rotateLeft(Math.imul(b, 5), 7), 9) >>> 0;
    const [third, fourth] = [c ^ a, d ^ b];
    state.set([a ^ fourth, b ^ third, third ^ (b << 9), rotateLeft(fourth, 11)]);
    return result;
  }

  return {
    uint32,
    float: () => ((uint32() >>> 5) * 2 ** 26 + (uint32() >>> 6)) / 2 ** 53,
    fill(bytes) {
      for (let i = 0; i < bytes.length; i += 4) {
        const word = uint32();
        for (let byte = 0; byte < 4 && i + byte < bytes.length; byte++) bytes[i + byte] = (word >>> (byte * 8)) & 0xff;
      }
    },
  };
}

const rotateLeft = (value: number, by: number): number => (value << by) | (value >>> (32 - by));
