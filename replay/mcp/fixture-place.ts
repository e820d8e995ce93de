import { lstat, realpath } from "node:fs/promises";
import { join, resolve } from "node:path";
import { loadConfig } from "../config.ts";
import { fixtureIdProblem } from "../fixture/fixture-id.ts";
import { DEFAULT_FIXTURES_DIRECTORY } from "../fixture/fixture-store.ts";

export type FixturePlace =
  | { readonly ok: true; readonly path: string }
  | { readonly ok: false; readonly reason: string };

/** The one folder whose fixtures a client can name. */
export async function fixturesRoot(cwd: string): Promise<string> {
  const { directory, config } = await loadConfig(cwd);
  return resolve(directory, config.fixturesDirectory ?? DEFAULT_FIXTURES_DIRECTORY);
}

/**
 * Where the fixture of this id is: a real folder directly in the configured one. An id is no path, and a folder that is a
 * link is refused, so that nothing else of the machine can be named.
 */
export async function fixturePlace(root: string, id: string): Promise<FixturePlace> {
  const problem = fixtureIdProblem(id);
  if (problem !== undefined) return { ok: false, reason: problem };
  const path = join(root, id);
  const stat = await lstat(path).catch(() => undefined);
  if (stat === undefined)
    return { ok: false, reason: `there is no fixture ${id}; list_fixtures names those there are` };
  if (stat.isSymbolicLink()) return { ok: false, reason: `${id} is a symbolic link; links are refused` };
  if (!stat.isDirectory()) return { ok: false, reason: `${id} is not a folder` };
  const notes = await lstat(join(path, "notes.json")).catch(() => undefined);
  if (notes?.isFile() !== true) return { ok: false, reason: `${id} has no notes.json; it is not a fixture` };
  if ((await realpath(path)) !== join(await realpath(root), id)) return { ok: false, reason: `${id} is elsewhere` };
  return { ok: true, path };
}
