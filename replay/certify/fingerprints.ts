import { dirname } from "node:path/posix";
import type { Certificate, CertifiedCode } from "../fixture/certificate-format.ts";
import type { ReplayResult } from "../worker/replay-result.ts";
import { objectAt, type Repository } from "./repository.ts";

export type Runtime = Certificate["runtime"];
export type Fingerprints = Certificate["fingerprints"];

/** The agent's module at a commit with its hashes; `undefined` when the commit has no such module. */
export async function codeAt(
  repository: Repository,
  commit: string,
  agent: { readonly module: string; readonly exportName: string },
): Promise<CertifiedCode | undefined> {
  const { module, exportName } = agent;
  const [tree, blob] = await Promise.all([
    objectAt(repository, commit, folderOf(module)),
    objectAt(repository, commit, module),
  ]);
  if (tree === undefined || blob === undefined) return undefined;
  return { module, export: exportName, commit, tree_hash: tree, blob_hash: blob };
}

/** From the repository's root; `""` for the root itself. */
export const folderOf = (module: string): string => (dirname(module) === "." ? "" : dirname(module));

/** What the fixed code is, and what its replayed runs said of themselves. */
export function fingerprintsOf(code: CertifiedCode, results: readonly ReplayResult[]): Fingerprints {
  const { commit: _, ...hashes } = code;
  const run = results.find((result) => result.run !== null)?.run;
  return {
    code: hashes,
    prompt_version: run?.promptVersion ?? "",
    model: run?.model ?? "",
    tool_allowlist: [...(run?.toolAllowlist ?? [])].sort(),
  };
}
