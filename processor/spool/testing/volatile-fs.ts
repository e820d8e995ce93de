import { dirname } from "node:path";
import type { SpoolFile, SpoolFs } from "../spool-fs.ts";
import { interceptedFs, systemError } from "./intercepted-fs.ts";

interface Inode {
  content: Buffer;
  /** What a power cut leaves for certain. */
  durable: Buffer;
}

/** A disk that forgets what was not synced. */
export interface VolatileFs extends SpoolFs {
  /** The disk as one process sees it: after a power cut that process can do no more. */
  mount(): SpoolFs;
  /** The power goes: of what was not synced, each page and each name is there or not, as `chance()` in [0, 1) says. */
  powerCut(chance: () => number): void;
  /** The next sync of this file fails and loses its dirty pages, as Linux does. */
  failNextSync(matches: (path: string) => boolean): void;
}

const PAGE = 512;

export function createVolatileFs(): VolatileFs {
  let names = new Map<string, Inode>();
  let durableNames = new Map<string, Inode>();
  let failingSync: ((path: string) => boolean) | undefined;
  let boot = 0;

  function fileOf(path: string, inode: Inode): SpoolFile {
    return {
      async writev(buffers, position) {
        const bytes = Buffer.concat(buffers);
        const length = Math.max(inode.content.length, position + bytes.length);
        const content = Buffer.alloc(length);
        inode.content.copy(content);
        bytes.copy(content, position);
        inode.content = content;
        return bytes.length;
      },
      async read(target, position) {
        return inode.content.copy(target, 0, position);
      },
      async datasync() {
        if (failingSync?.(path)) {
          failingSync = undefined;
          inode.durable = torn(inode, () => 0.9);
          inode.content = Buffer.from(inode.durable);
          throw systemError("EIO");
        }
        inode.durable = Buffer.from(inode.content);
      },
      async truncate(length) {
        inode.content = Buffer.from(inode.content.subarray(0, length));
      },
      size: async () => inode.content.length,
      close: async () => {},
    };
  }

  const fs: VolatileFs = {
    mount() {
      const mountedIn = boot;
      return interceptedFs(fs, {
        before: () => {
          if (mountedIn !== boot) throw systemError("EIO");
        },
      });
    },
    async open(path, flags) {
      const found = names.get(path);
      if (flags === "wx") {
        if (found !== undefined) throw systemError("EEXIST");
        const inode = { content: Buffer.alloc(0), durable: Buffer.alloc(0) };
        names.set(path, inode);
        return fileOf(path, inode);
      }
      if (found === undefined) throw systemError("ENOENT");
      return fileOf(path, found);
    },
    list: async (directory) =>
      [...names.keys()].filter((path) => dirname(path) === directory).map((path) => path.slice(directory.length + 1)),
    makeDirectory: async () => {},
    async rename(from, to) {
      names.set(to, names.get(from)!);
      names.delete(from);
    },
    async remove(path) {
      if (!names.delete(path)) throw systemError("ENOENT");
    },
    async syncDirectory(directory) {
      for (const path of durableNames.keys()) if (dirname(path) === directory) durableNames.delete(path);
      for (const [path, inode] of names) if (dirname(path) === directory) durableNames.set(path, inode);
    },
    powerCut(chance) {
      boot++;
      const left = new Map<string, Inode>();
      for (const path of new Set([...names.keys(), ...durableNames.keys()])) {
        const now = names.get(path);
        const before = durableNames.get(path);
        const kept = now === before || chance() < 0.5 ? now : before;
        if (kept !== undefined) left.set(path, kept);
      }
      for (const inode of left.values()) inode.content = inode.durable = torn(inode, chance);
      names = left;
      durableNames = new Map(left);
    },
    failNextSync(matches) {
      failingSync = matches;
    },
  };
  return fs;
}

/** The old bytes with some of the new pages; any length between the two. */
function torn({ content, durable }: Inode, chance: () => number): Buffer {
  if (content.equals(durable)) return durable;
  const length = durable.length + Math.round(chance() * (content.length - durable.length));
  const result = Buffer.alloc(Math.max(0, length));
  durable.copy(result);
  for (let at = 0; at < result.length; at += PAGE) {
    if (at < content.length && chance() < 0.5) content.copy(result, at, at, Math.min(at + PAGE, result.length));
  }
  return result;
}
