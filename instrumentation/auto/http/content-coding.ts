import zlib from "node:zlib";

/** Longest decoded form that is looked at: a small body may unfold to any size. */
const MAX_DECODED_BYTES = 16 * 1024 * 1024;

interface Coding {
  decode(bytes: Buffer): Buffer;
  encode(bytes: Buffer): Buffer;
}

const { Z_SYNC_FLUSH, BROTLI_OPERATION_FLUSH, ZSTD_e_flush } = zlib.constants;
const limit = { maxOutputLength: MAX_DECODED_BYTES };
/** With a flush in place of a finish, what arrived of a stream that was cut is decoded too. */
const cut = { ...limit, finishFlush: Z_SYNC_FLUSH };

const gzip: Coding = { decode: (bytes) => zlib.gunzipSync(bytes, cut), encode: (bytes) => zlib.gzipSync(bytes) };
const CODINGS: Readonly<Record<string, Coding>> = {
  gzip,
  "x-gzip": gzip,
  deflate: { decode: inflate, encode: (bytes) => zlib.deflateSync(bytes) },
  br: {
    decode: (bytes) => zlib.brotliDecompressSync(bytes, { ...limit, finishFlush: BROTLI_OPERATION_FLUSH }),
    encode: (bytes) => zlib.brotliCompressSync(bytes),
  },
  zstd: {
    decode: (bytes) => zlib.zstdDecompressSync(bytes, { ...limit, finishFlush: ZSTD_e_flush }),
    encode: (bytes) => zlib.zstdCompressSync(bytes),
  },
};

/** Servers send both forms under this name. */
function inflate(bytes: Buffer): Buffer {
  const isWrapped = ((bytes[0] ?? 0) & 0x0f) === 8;
  return isWrapped ? zlib.inflateSync(bytes, cut) : zlib.inflateRawSync(bytes, cut);
}

/** The codings of a `content-encoding` header, in the order they were applied. */
export const codingsOf = (header: string): string[] =>
  header
    .toLowerCase()
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "" && name !== "identity");

/** Takes the codings off. `undefined` when that cannot be done. */
export function decoded(bytes: Buffer, codings: readonly string[]): Buffer | undefined {
  if (bytes.length === 0) return bytes;
  try {
    return codings.toReversed().reduce((body, name) => codingOf(name).decode(body), bytes);
  } catch {
    return undefined;
  }
}

export const encoded = (bytes: Buffer, codings: readonly string[]): Buffer =>
  codings.reduce((body, name) => codingOf(name).encode(body), bytes);

function codingOf(name: string): Coding {
  const coding = Object.hasOwn(CODINGS, name) ? CODINGS[name] : undefined;
  if (coding === undefined) throw new Error("unknown content coding");
  return coding;
}
