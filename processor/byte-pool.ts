/**
 * Lends memory out and takes it back. The collector of garbage counts all memory outside its heap, and walks the heap each
 * time some tens of MiB of it are new: taking bodies flat out, that was half of the service's processor time.
 */
export interface BytePool {
  /** At least that many bytes, with what they held before. */
  take(bytes: number): Buffer<ArrayBuffer>;
  /** Takes back what `take` gave; nobody may hold a view of it any more. Anything else is ignored, also a second time. */
  give(buffer: Uint8Array): void;
  /** Lying idle. */
  readonly idleBytes: number;
}

/** Smaller ones come out of the runtime's own pool. */
const LEAST_POOLED_BYTES = 64 * 1024;
/** Takes after which memory that nobody asked for is let go: what a burst needed does not stay. */
const STALE_AFTER_TAKES = 64;

interface Idle {
  readonly memory: ArrayBuffer;
  /** The count of takes when it came back. */
  readonly since: number;
}

/** @param maxIdleBytes kept for the next who asks; more is let go at once */
export function createBytePool(maxIdleBytes: number): BytePool {
  const lent = new WeakSet<ArrayBuffer>();
  let idle: Idle[] = [];
  let idleBytes = 0;
  let takes = 0;

  function dropStale(): void {
    const fresh = idle.filter(({ since }) => takes - since < STALE_AFTER_TAKES);
    if (fresh.length === idle.length) return;
    idle = fresh;
    idleBytes = fresh.reduce((sum, { memory }) => sum + memory.byteLength, 0);
  }

  return {
    take(bytes) {
      if (bytes < LEAST_POOLED_BYTES) return Buffer.allocUnsafeSlow(bytes);
      takes++;
      dropStale();
      const size = classOf(bytes);
      // The one that came back last: the others may turn out to be too many.
      const at = idle.findLastIndex(({ memory }) => memory.byteLength === size);
      const [found] = at === -1 ? [] : idle.splice(at, 1);
      if (found !== undefined) idleBytes -= size;
      const memory = found?.memory ?? new ArrayBuffer(size);
      lent.add(memory);
      return Buffer.from(memory, 0, bytes);
    },
    give({ buffer }) {
      if (!(buffer instanceof ArrayBuffer) || !lent.delete(buffer)) return;
      if (idleBytes + buffer.byteLength > maxIdleBytes) return;
      idle.push({ memory: buffer, since: takes });
      idleBytes += buffer.byteLength;
    },
    get idleBytes() {
      return idleBytes;
    },
  };
}

/** Quarters between powers of two: at most a fifth too much, and few enough sizes to meet again. */
function classOf(bytes: number): number {
  const step = 2 ** (Math.ceil(Math.log2(bytes)) - 3);
  return Math.ceil(bytes / step) * step;
}
