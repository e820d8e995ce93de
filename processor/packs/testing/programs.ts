import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

export type Program = "prometheus" | "promtool" | "prometheus-alertmanager" | "amtool";

/** Where `.ci/tools.mjs` unpacks Debian's packages. */
const UNPACKED = fileURLToPath(new URL("../../../node_modules/.cache/runproof-tools/usr/bin", import.meta.url));

/** The whole path of a program that npm does not have; `undefined` where it is not installed. */
export const findProgram = (program: Program): string | undefined =>
  [...(process.env["PATH"] ?? "").split(delimiter).filter((folder) => folder.startsWith("/")), UNPACKED]
    .map((folder) => join(folder, program))
    .find(existsSync);

/**
 * The programs, or `undefined` where one is missing, so that a test can be skipped by name. In CI nothing is skipped: there
 * a missing program is an error, since `.ci/run` brings them.
 */
export function findPrograms(): Readonly<Record<Program, string>> | undefined {
  const names = ["prometheus", "promtool", "prometheus-alertmanager", "amtool"] as const;
  const found = names.map((name) => [name, findProgram(name)] as const);
  const missing = found.flatMap(([name, path]) => (path === undefined ? [name] : []));
  if (missing.length === 0) return Object.fromEntries(found) as Record<Program, string>;
  if (process.env["CI"] === "true") throw new Error(`not installed: ${missing.join(", ")}; see .ci/tools.mjs`);
  process.stderr.write(
    `skipping tests of deploy/: ${missing.join(", ")} not installed; node .ci/tools.mjs brings them\n`,
  );
  return undefined;
}
