import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import type { FileRights } from "./landlock.ts";

/** The path of `bwrap`, or `undefined`. */
export function findBubblewrap(searchPath: string): string | undefined {
  return searchPath
    .split(delimiter)
    .filter((folder) => folder.startsWith("/"))
    .map((folder) => join(folder, "bwrap"))
    .find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Command and options that put what follows into namespaces of its own, with these files and no others. */
export function bubblewrapCommand(bwrap: string, files: FileRights, cwd: string): readonly string[] {
  const read = [...files.execute, ...files.read].filter((path) => !/^\/(proc|sys|dev)\//.test(path));
  return [
    bwrap,
    ...["--unshare-all", "--die-with-parent", "--new-session"],
    ...["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"],
    ...read.flatMap((path) => ["--ro-bind-try", path, path]),
    ...files.write.flatMap((path) => ["--bind", path, path]),
    ...["--chdir", cwd, "--"],
  ];
}
