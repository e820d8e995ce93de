import { existsSync } from "node:fs";
import { mkdir, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";

/**
 * Makes the packages that are installed in the main checkout visible in a worktree, which git left without any: a link
 * for each `node_modules` between the root and the module's folder, and for the nearest one above the root.
 * The packages are today's, whatever the ref's lockfile asked for.
 */
export async function linkPackages(root: string, worktree: string, module: string): Promise<void> {
  for (const folder of foldersDownTo(module)) {
    const installed = join(root, folder, "node_modules");
    if (existsSync(installed)) await link(installed, join(worktree, folder, "node_modules"));
  }
  const above = nearestAbove(dirname(root));
  if (above !== undefined) await link(above, join(worktree, "node_modules"));
}

/** `""`, `a`, `a/b` for `a/b/agent.ts`. */
function foldersDownTo(module: string): string[] {
  const parts = module.split("/").slice(0, -1);
  return ["", ...parts.map((_, n) => parts.slice(0, n + 1).join("/"))];
}

function nearestAbove(from: string): string | undefined {
  for (let at = from; ; at = dirname(at)) {
    if (existsSync(join(at, "node_modules"))) return join(at, "node_modules");
    if (dirname(at) === at) return undefined;
  }
}

/** Packages that the ref itself carries stay. */
async function link(target: string, path: string): Promise<void> {
  if (existsSync(path) || !existsSync(dirname(path))) return;
  await mkdir(dirname(path), { recursive: true });
  await symlink(target, path, "dir").catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
  });
}
