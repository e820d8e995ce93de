import { existsSync, lstatSync, readdirSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { isBeneath } from "./path-rules.ts";

/**
 * What code needs to be loaded from: the package a file belongs to (the nearest folder with a `package.json`, else its
 * own folder), every `node_modules` up the tree, and what those link to. All with links resolved.
 */
export function codeFolders(file: string): readonly string[] {
  const start = dirname(realpathSync(file));
  const ancestors = ancestorsOf(start);
  const own = ancestors.find((folder) => existsSync(join(folder, "package.json"))) ?? start;
  const modules = ancestors.map((folder) => join(folder, "node_modules")).filter((path) => existsSync(path));
  const folders = new Set([own, ...modules.map((path) => realpathSync(path))]);
  for (const linked of modules.flatMap(linkedPackages)) {
    if (!isBeneath(linked, [...folders])) folders.add(linked);
  }
  return [...folders];
}

function ancestorsOf(folder: string): string[] {
  const parent = dirname(folder);
  return parent === folder ? [folder] : [folder, ...ancestorsOf(parent)];
}

/** Packages of a workspace are links out of `node_modules`. */
function linkedPackages(modules: string): string[] {
  const names = readdirSync(modules).flatMap((name) =>
    name.startsWith("@") ? readdirSync(join(modules, name)).map((inner) => join(name, inner)) : [name],
  );
  return names
    .map((name) => join(modules, name))
    .filter((path) => lstatSync(path).isSymbolicLink() && existsSync(path))
    .map((path) => realpathSync(path));
}
