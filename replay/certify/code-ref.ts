/** A place in a repository's history, as a user names it: a ref, and maybe which module of it is the agent. */
export interface CodeRef {
  readonly ref: string;
  /** From the repository's root, `/` between parts; `null` when the configuration says which. */
  readonly module: string | null;
}

export type CodeRefReading =
  | { readonly ok: true; readonly value: CodeRef }
  | { readonly ok: false; readonly reason: string };

const MAX_REF_LENGTH = 250;

// Names, hashes, and the suffixes ~ ^ @{…}. Never a leading dash: git would take it as an option.
const REF = /^[\p{L}\p{N}_@][\p{L}\p{N}_@{}./~^+#=-]*$/u;

// oxlint-disable-next-line no-control-regex -- control characters are what this refuses
const MODULE = /^[^\u0000-\u001f\u007f\\:]{1,1000}$/;

/** Parses `<ref>` or `<ref>:<module path>`, the way git itself writes a file of a commit. Refuses what git could misread. */
export function parseCodeRef(text: string): CodeRefReading {
  const colon = text.indexOf(":");
  const ref = colon < 0 ? text : text.slice(0, colon);
  const module = colon < 0 ? null : text.slice(colon + 1);
  const problem = refProblem(ref) ?? (module === null ? undefined : modulePathProblem(module));
  return problem === undefined ? { ok: true, value: { ref, module } } : { ok: false, reason: problem };
}

/** Why a text cannot be a ref, or `undefined` when it can. Whether it exists is git's to say. */
export function refProblem(ref: string): string | undefined {
  if (ref.length > MAX_REF_LENGTH) return `a ref has at most ${MAX_REF_LENGTH} characters`;
  if (!REF.test(ref))
    return "a ref is a branch, tag or commit: letters, digits and . / _ - @ { } ~ ^ + # =, no leading dash";
  return ref.includes("..") ? "a ref is one commit, not a range" : undefined;
}

/** Why a text cannot be a module's path in a repository, or `undefined` when it can. */
export function modulePathProblem(path: string): string | undefined {
  if (!MODULE.test(path)) return "a module path is a path from the repository's root, with / between its parts";
  const parts = path.split("/");
  return parts.some((part) => part === "" || part === "." || part === ".." || part === ".git")
    ? "a module path goes down from the repository's root: no empty part, no ., no .., no .git"
    : undefined;
}
