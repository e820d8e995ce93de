import { isBuiltin } from "node:module";
import { findBubblewrap } from "./bubblewrap.ts";
import { isKnownMachine } from "./syscall-numbers.ts";

/**
 * A wall that this machine may offer.
 * - `bubblewrap+launcher`: namespaces, and within them Landlock where there is some, and a filter that tells.
 * - `launcher`: Landlock and the filter. - `bubblewrap`: namespaces and a filter that tells nobody, for runtimes without
 *   `node:ffi`; its ledger holds what the layer inside the agent's process saw.
 */
export interface Wall {
  readonly kind: "bubblewrap+launcher" | "launcher" | "bubblewrap";
  /** Path of `bwrap`; `null` without it. */
  readonly bwrap: string | null;
}

export interface WallSearch {
  readonly walls: readonly Wall[];
  /** Why the other ones are not there, in words. */
  readonly missing: readonly string[];
}

export interface WallHost {
  readonly platform: string;
  readonly arch: string;
  readonly searchPath: string;
  /** Whether this runtime can make system calls. */
  readonly hasForeignFunctions: boolean;
}

export const thisHost = (searchPath: string): WallHost => ({
  platform: process.platform,
  arch: process.arch,
  searchPath,
  hasForeignFunctions: isBuiltin("node:ffi"),
});

/** The walls to try, the strongest first. That one is named here does not say that it stands: the canary says that. */
export function findWalls({ platform, arch, searchPath, hasForeignFunctions }: WallHost): WallSearch {
  if (platform !== "linux") return { walls: [], missing: [`${platform} offers no wall; strict mode needs Linux`] };
  if (!isKnownMachine(arch)) return { walls: [], missing: [`the system calls of ${arch} are not known`] };
  const bwrap = findBubblewrap(searchPath);
  const missing = [
    ...(bwrap === undefined ? ["bubblewrap (bwrap) is not installed"] : []),
    ...(hasForeignFunctions ? [] : [`this Node has no node:ffi (${process.version}; it came with 26.1)`]),
  ];
  const walls: Wall[] = [
    ...(bwrap !== undefined && hasForeignFunctions ? [{ kind: "bubblewrap+launcher", bwrap } as const] : []),
    ...(hasForeignFunctions ? [{ kind: "launcher", bwrap: null } as const] : []),
    ...(bwrap !== undefined && !hasForeignFunctions ? [{ kind: "bubblewrap", bwrap } as const] : []),
  ];
  return { walls, missing };
}
