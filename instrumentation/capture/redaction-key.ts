import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { realRandomBytes } from "../real-sources.ts";

const KEY_BYTES = 32;
export const REDACTION_KEY_FILE = "redaction.key";

export interface RedactionKeyOptions {
  /** Where the key is kept, in `redaction.key` with mode 0600. */
  readonly stateDirectory: string;
  /** A key from the configuration; wins. Set one when several machines must agree on pseudonyms. */
  readonly fromOptions?: string | Uint8Array | undefined;
}

/**
 * The key of the pseudonyms: the given one, else the one in the state directory (made on first use; processes that
 * start together agree on one), else a key of this process alone, so that redaction works where nothing can be written.
 * Never throws.
 */
export function loadRedactionKey({ stateDirectory, fromOptions }: RedactionKeyOptions): string | Uint8Array {
  if (fromOptions !== undefined && fromOptions.length > 0) return fromOptions;
  const path = join(stateDirectory, REDACTION_KEY_FILE);
  try {
    return readKey(path) ?? createKey(stateDirectory, path) ?? realRandomBytes(KEY_BYTES);
  } catch {
    return realRandomBytes(KEY_BYTES);
  }
}

function readKey(path: string): Uint8Array | undefined {
  try {
    const key = Buffer.from(readFileSync(path, "utf8").trim(), "hex");
    return key.length === KEY_BYTES ? key : undefined;
  } catch {
    return undefined;
  }
}

/** A finished file is linked into place: `link` fails when another process was first, and nobody reads half a key. */
function createKey(stateDirectory: string, path: string): Uint8Array | undefined {
  mkdirSync(stateDirectory, { recursive: true, mode: 0o700 });
  const key = realRandomBytes(KEY_BYTES);
  const draft = `${path}.${process.pid}.${realRandomBytes(4).toString("hex")}`;
  try {
    writeFileSync(draft, `${key.toString("hex")}\n`, { mode: 0o600, flag: "wx" });
    linkSync(draft, path);
    return key;
  } catch {
    return readKey(path);
  } finally {
    rmSync(draft, { force: true });
  }
}
