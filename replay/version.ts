import { existsSync, readFileSync } from "node:fs";

/** Version of the package, from its package.json: one folder up from the sources, two from the built files. */
export function version(): string {
  const file = ["../package.json", "../../package.json"].map((path) => new URL(path, import.meta.url)).find(existsSync);
  if (file === undefined) return "unknown";
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}
