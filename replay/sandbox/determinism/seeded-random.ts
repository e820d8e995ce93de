import crypto from "node:crypto";
import { randomStream } from "./current-world.ts";
import { replaceMembers } from "./replace-members.ts";
import { uuidFromBytes, uuidV7FromBytes } from "./uuid.ts";

type Done<Value> = (error: Error | null, value: Value) => void;
type View = ArrayBufferLike | NodeJS.ArrayBufferView;

/**
 * Replaces the sources of random values by the streams of the current step. Each asks the original first, which checks
 * the arguments and throws what it always threw. What is to come later is drawn at the call: callbacks come in any
 * order. Keys and signatures stay random.
 */
export function seedRandom(now: () => number): void {
  Math.random = () => randomStream("number").float();
  const { randomUUID } = crypto;
  replaceMembers(crypto, {
    randomBytes: seededBytes(),
    randomFillSync: seededFillSync(),
    randomFill: seededFill(),
    randomInt: seededInt(),
    randomUUID: (options?: crypto.RandomUUIDOptions) => (randomUUID(options), uuidFromBytes(drawn("uuid", 16))),
    ...("randomUUIDv7" in crypto ? { randomUUIDv7: () => uuidV7FromBytes(drawn("uuid", 16), now()) } : {}),
  });
  // Old names; reading them would warn of their age.
  for (const alias of ["pseudoRandomBytes", "prng", "rng"]) {
    if (alias in crypto) replaceMembers(crypto, { [alias]: crypto.randomBytes });
  }
  seedWebCrypto(Object.getPrototypeOf(globalThis.crypto) as Crypto);
}

function seedWebCrypto(webcrypto: Crypto): void {
  const { getRandomValues, randomUUID } = webcrypto;
  replaceMembers(webcrypto, {
    getRandomValues(this: Crypto, view: NodeJS.ArrayBufferView) {
      getRandomValues.call(this, view as Uint8Array<ArrayBuffer>);
      randomStream("bytes").fill(bytesOf(view));
      return view;
    },
    randomUUID(this: Crypto) {
      randomUUID.call(this);
      return uuidFromBytes(drawn("uuid", 16));
    },
  });
}

function seededBytes() {
  const { randomBytes } = crypto;
  return (size: number, done?: Done<Buffer>): Buffer | undefined => {
    if (done === undefined) return overwrite(randomBytes(size));
    const bytes = overwrite(randomBytes(size));
    randomBytes(0, (error) => done(error, bytes));
    return undefined;
  };
}

function seededFillSync() {
  const original = crypto.randomFillSync as (view: View, offset?: number, size?: number) => View;
  return (view: View, offset?: number, size?: number): View => {
    original(view, offset, size);
    overwrite(bytesOf(view, offset, size));
    return view;
  };
}

function seededFill() {
  const original = crypto.randomFill as (view: View, ...rest: readonly unknown[]) => void;
  return (view: View, ...rest: readonly unknown[]): void => {
    const done = rest.at(-1);
    if (typeof done !== "function") return original(view, ...rest);
    const [offset, size] = rest.slice(0, -1) as readonly number[];
    const seeded = (error: Error | null): void => {
      if (error === null) bytesOf(view, offset, size).set(values);
      (done as Done<View>)(error, view);
    };
    original(view, ...rest.slice(0, -1), seeded);
    const values = overwrite(Buffer.alloc(bytesOf(view, offset, size).length));
  };
}

function seededInt() {
  const original = crypto.randomInt as (...args: readonly unknown[]) => number;
  return (...args: readonly unknown[]): number | undefined => {
    const done = typeof args.at(-1) === "function" ? (args.at(-1) as Done<number>) : undefined;
    const bounds = (done === undefined ? args : args.slice(0, -1)) as readonly number[];
    original(...bounds);
    const [min, max] = bounds.length > 1 && bounds[1] !== undefined ? [bounds[0] ?? 0, bounds[1]] : [0, bounds[0] ?? 0];
    const value = min + Math.floor(randomStream("integer").float() * (max - min));
    if (done === undefined) return value;
    process.nextTick(done, null, value);
    return undefined;
  };
}

const drawn = (kind: "bytes" | "uuid", size: number): Buffer => {
  const bytes = Buffer.alloc(size);
  randomStream(kind).fill(bytes);
  return bytes;
};

function overwrite<Bytes extends Uint8Array>(bytes: Bytes): Bytes {
  randomStream("bytes").fill(bytes);
  return bytes;
}

/** The bytes of a view from an offset on; both are counted in elements of the view, as node:crypto counts them. */
function bytesOf(view: View, offset = 0, size?: number): Uint8Array {
  const width = "BYTES_PER_ELEMENT" in view ? (view.BYTES_PER_ELEMENT as number) : 1;
  const [buffer, start] = ArrayBuffer.isView(view) ? [view.buffer, view.byteOffset] : [view, 0];
  const from = offset * width;
  return new Uint8Array(buffer, start + from, size === undefined ? view.byteLength - from : size * width);
}
