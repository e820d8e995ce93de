import type { Certificate, CertifiedCode } from "../fixture/certificate-format.ts";
import { codeAt, folderOf, type Fingerprints } from "./fingerprints.ts";
import type { Current } from "./life-cycle.ts";
import { objectAt, type Repository, resolveCommit } from "./repository.ts";

/** The certified module as it is in the checkout now: committed, and with nothing changed since. */
export async function currentCode(
  repository: Repository | null,
  then: Fingerprints["code"],
): Promise<Current<Fingerprints["code"]>> {
  const unknown = (why: string): Current<never> => ({ known: false, why: `the code cannot be compared: ${why}` });
  if (repository === null) return unknown("there is no git checkout around the fixture");
  const head = await resolveCommit(repository, "HEAD");
  if (head === undefined) return unknown("HEAD is no commit");
  const code = await codeAt(repository, head, { module: then.module, exportName: then.export });
  if (code === undefined) return unknown(`HEAD has no module ${then.module}`);
  const changed = await uncommitted(repository, folderOf(then.module));
  if (changed === undefined) return unknown("git cannot tell what is uncommitted");
  if (changed.length > 0) return unknown(`${changed.length} uncommitted changes around ${then.module}`);
  const { commit: _, ...hashes } = code;
  return { known: true, value: hashes };
}

/** Tracked files that differ and new files that are not ignored; `undefined` when git cannot tell. */
async function uncommitted({ git }: Repository, folder: string): Promise<readonly string[] | undefined> {
  const path = folder === "" ? [] : ["--", folder];
  const options = ["--porcelain", "-z", "--untracked-files=all", "--ignore-submodules=all"];
  const { ok, stdout } = await git.run(["status", ...options, ...path]);
  return ok ? stdout.split("\0").filter((entry) => entry !== "") : undefined;
}

/**
 * Why the commits of a certificate are not what it says: this repository has them, with other files. A commit that is not
 * here proves nothing; a squash or a shallow clone loses it.
 */
export async function commitProblems(
  repository: Repository | null,
  { broken, fixed }: Pick<Certificate, "broken" | "fixed">,
): Promise<string[]> {
  if (repository === null) return [];
  const problems = await Promise.all([broken, fixed].map((code) => commitProblem(repository, code)));
  return problems.filter((problem) => problem !== undefined);
}

async function commitProblem(repository: Repository, code: CertifiedCode): Promise<string | undefined> {
  if ((await objectAt(repository, code.commit, "")) === undefined) return undefined;
  const real = await codeAt(repository, code.commit, { module: code.module, exportName: code.export });
  const isSame = real?.tree_hash === code.tree_hash && real.blob_hash === code.blob_hash;
  return isSame
    ? undefined
    : `the proof says of ${code.commit.slice(0, 12)} what it is not: ${code.module} is another there`;
}
