import { basename } from "node:path";
import type { SpoolFile, SpoolFs } from "../spool-fs.ts";

export type FsSite =
  | "open"
  | "write"
  | "read"
  | "sync"
  | "truncate"
  | "size"
  | "list"
  | "mkdir"
  | "rename"
  | "remove"
  | "syncdir";

export interface FsCall {
  readonly site: FsSite;
  /** File name without its folder. */
  readonly name: string;
}

export interface Interception {
  /** May wait, throw, or end the process. */
  readonly before?: (call: FsCall) => void | Promise<void>;
  readonly after?: (call: FsCall) => void | Promise<void>;
}

/** The file system, with somebody listening at every call. Closing is not announced: it has no effect that matters. */
export function interceptedFs(fs: SpoolFs, { before, after }: Interception): SpoolFs {
  const around = async <T>(site: FsSite, path: string, work: () => Promise<T>): Promise<T> => {
    const call = { site, name: basename(path) };
    // No turn of the event loop between the look and the deed unless somebody wants one.
    const delay = before?.(call);
    if (delay !== undefined) await delay;
    const result = await work();
    await after?.(call);
    return result;
  };
  const wrap = (path: string, file: SpoolFile): SpoolFile => ({
    writev: (buffers, position) => around("write", path, () => file.writev(buffers, position)),
    read: (target, position) => around("read", path, () => file.read(target, position)),
    datasync: () => around("sync", path, () => file.datasync()),
    truncate: (length) => around("truncate", path, () => file.truncate(length)),
    size: () => around("size", path, () => file.size()),
    close: () => file.close(),
  });
  return {
    open: (path, flags) => around("open", path, async () => wrap(path, await fs.open(path, flags))),
    list: (path) => around("list", path, () => fs.list(path)),
    makeDirectory: (path) => around("mkdir", path, () => fs.makeDirectory(path)),
    rename: (from, to) => around("rename", from, () => fs.rename(from, to)),
    remove: (path) => around("remove", path, () => fs.remove(path)),
    syncDirectory: (path) => around("syncdir", path, () => fs.syncDirectory(path)),
  };
}

export function systemError(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: injected`), { code });
}
