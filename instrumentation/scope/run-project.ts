import { resolve } from "node:path";
import { reportFailure } from "../fail-open.ts";
import { PROJECT_SCOPE_FILE } from "./project-scope.ts";
import { readScopeFileSync } from "./scope-file.ts";

/** Runs in no project: what an unreadable scope file leaves. */
const NO_PROJECT = "";

/**
 * Project of this process's runs where neither code nor environment names one: the local persisted scope. `undefined` when
 * nothing is kept. A file that cannot be read is reported, and the runs go without a project: in the default one they would
 * be somebody else's. The service has the last word anyway, by the credential.
 */
export function localProject(env: Readonly<Record<string, string | undefined>>, cwd: string): string | undefined {
  const path = resolve(cwd, env["RUNPROOF_SCOPE_FILE"] || PROJECT_SCOPE_FILE);
  const reading = readScopeFileSync(path);
  if (reading.kind === "absent") return undefined;
  if (reading.kind === "present") return reading.scope;
  reportFailure("reading the project scope", new Error(`${path}: ${reading.problem}`));
  return NO_PROJECT;
}
