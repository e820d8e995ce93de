import { createRuntimeSource } from "./runtime-source.ts";
import type { ScopeFallback } from "./resolve-scope.ts";
import type { ScopeSource } from "./scope-source.ts";

/** runproof's own project scope: what the command line, the service and the agents agree on. */
export const PROJECT_VARIABLE = "RUNPROOF_PROJECT";
/** From the working folder, or the configuration's. */
export const PROJECT_SCOPE_FILE = ".runproof/scope.json";
/** Beside the file. */
export const PROJECT_SCOPE_JOURNAL = "scope-journal.jsonl";

/** `identity`, `fail`, or the name of a fixed project. */
export function fallbackFrom(text: string, identity: string | null): ScopeFallback {
  if (text === "fail") return { kind: "fail" };
  if (text === "identity") return { kind: "identity", identity };
  return { kind: "fixed", scope: text };
}

/** The runtime override. A variable that is set and empty counts as not set, as everywhere in runproof. */
export function projectRuntimeSource(
  flag: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): ScopeSource {
  const given = env[PROJECT_VARIABLE]?.trim();
  const seen = given === undefined || given === "" ? {} : { [PROJECT_VARIABLE]: given };
  return createRuntimeSource({ flag, env: seen, variable: PROJECT_VARIABLE });
}
