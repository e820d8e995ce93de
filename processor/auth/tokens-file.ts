import { readFile } from "node:fs/promises";
import { z } from "zod";
import type { AuthenticatorOptions } from "./authenticator.ts";
import type { TokenEntry } from "./tokens.ts";
import { tokenSha256 } from "./tokens.ts";

/** Safe in paths, commands and SQL texts; compared exactly. */
export const projectName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/, {
  error: "must be 1 to 128 letters, digits, dots, dashes or underscores, and start with a letter or digit",
});

const scopes = z.array(z.enum(["write", "read", "admin"])).min(1);

const tokenEntry = z
  .strictObject({
    /** In clear. Prefer `sha256`: then a reader of the file cannot send. */
    token: z
      .string()
      .regex(/^[\w\-.~+/]{16,1024}=*$/, { error: "must be at least 16 characters of a bearer token (RFC 6750)" })
      .optional(),
    sha256: z
      .string()
      .regex(/^[0-9a-fA-F]{64}$/, { error: "must be 64 hex digits" })
      .optional(),
    project: projectName,
    scopes: scopes.default(["write"]),
    /** ISO 8601 with a zone. */
    expiresAt: z.iso.datetime({ offset: true }).optional(),
  })
  .refine((entry) => (entry.token === undefined) !== (entry.sha256 === undefined), {
    error: "needs either token or sha256",
  });

const rateLimit = z.strictObject({
  bytesPerSecond: z.number().positive().optional(),
  requestsPerSecond: z.number().positive().optional(),
});

const file = z.strictObject({
  tokens: z.array(tokenEntry).default([]),
  /** Project by CN or SAN of a verified client certificate. */
  clientCertificates: z.array(z.strictObject({ name: z.string().min(1), project: projectName })).default([]),
  /** Rate limits of single projects, in place of the general ones. */
  projects: z.record(projectName, rateLimit).default({}),
});

export interface TokensFile extends Required<Pick<AuthenticatorOptions, "tokens" | "certificateProjects">> {
  readonly rateLimits: ReadonlyMap<string, { readonly bytesPerSecond?: number; readonly requestsPerSecond?: number }>;
}

/** Reads the file that maps credentials to projects. @throws Error that names every problem and no secret */
export async function readTokensFile(path: string): Promise<TokensFile> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    throw new Error(`tokensFile: cannot read ${path} (${codeOf(cause)})`, { cause });
  }
  return parseTokensFile(text, path);
}

/** `name` is how errors call the file. */
export function parseTokensFile(text: string, name = "tokensFile"): TokensFile {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's message quotes the text, and with it a token.
    throw new Error(`tokensFile: ${name} is not JSON`);
  }
  const parsed = file.safeParse(value);
  if (!parsed.success) throw problemsError(name, parsed.error.issues.map(issueText));
  const { tokens, clientCertificates, projects } = parsed.data;
  const problems = [
    ...duplicates(tokens.map(digestOf)).map((at) => `tokens.${at}: the same token appears before`),
    ...duplicates(clientCertificates.map(({ name: own }) => own)).map(
      (at) => `clientCertificates.${at}: the same name appears before`,
    ),
  ];
  if (problems.length > 0) throw problemsError(name, problems);
  return {
    tokens: tokens.map(entryFrom),
    certificateProjects: new Map(clientCertificates.map((entry) => [entry.name, entry.project])),
    rateLimits: new Map(Object.entries(projects).map(([project, limit]) => [project, defined(limit)])),
  };
}

const digestOf = (entry: z.output<typeof tokenEntry>): string =>
  entry.sha256?.toLowerCase() ?? tokenSha256(entry.token ?? "");

const entryFrom = (entry: z.output<typeof tokenEntry>): TokenEntry => ({
  sha256: digestOf(entry),
  project: entry.project,
  scopes: entry.scopes,
  ...(entry.expiresAt === undefined ? {} : { expiresAtMillis: Date.parse(entry.expiresAt) }),
});

const defined = ({ bytesPerSecond, requestsPerSecond }: z.output<typeof rateLimit>) => ({
  ...(bytesPerSecond === undefined ? {} : { bytesPerSecond }),
  ...(requestsPerSecond === undefined ? {} : { requestsPerSecond }),
});

/** Indexes of values that appeared before. */
const duplicates = (values: readonly string[]): number[] =>
  values.flatMap((value, at) => (values.indexOf(value) === at ? [] : [at]));

const issueText = (issue: z.core.$ZodIssue): string => `${issue.path.join(".") || "file"}: ${issue.message}`;

const problemsError = (name: string, problems: readonly string[]): Error =>
  new Error(`tokensFile: ${name} is not valid:\n${problems.map((problem) => `  - ${problem}`).join("\n")}`);

const codeOf = (cause: unknown): string => (cause as NodeJS.ErrnoException).code ?? "unknown error";
