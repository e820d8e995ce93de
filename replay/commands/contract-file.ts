import { readFile } from "node:fs/promises";
import { extname, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { ContractError, parseContract, type RunContract } from "../../instrumentation/contract/contract.ts";
import { UsageError } from "./run-command-line.ts";

const MODULES: ReadonlySet<string> = new Set([".ts", ".mts", ".js", ".mjs"]);

/**
 * Reads a contract from a JSON file, or from a module's default export. A module is code: it runs.
 *
 * @throws UsageError with every problem at once
 */
export async function readContractFile(path: string, cwd: string): Promise<RunContract> {
  const file = resolve(cwd, path);
  const extension = extname(file);
  if (extension !== ".json" && !MODULES.has(extension)) {
    throw new UsageError(`--contract ${path}: a contract is a .json file, or a .ts, .mts, .js or .mjs module`);
  }
  const value = extension === ".json" ? await readJson(path, file) : await readModule(path, file);
  try {
    return parseContract(value);
  } catch (error) {
    if (!(error instanceof ContractError)) throw error;
    const problems = error.problems.map((problem) => `  - ${problem}`).join("\n");
    throw new UsageError(`--contract ${path} is not a valid run contract:\n${problems}`, { cause: error });
  }
}

async function readJson(path: string, file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, "utf8"));
  } catch (error) {
    throw new UsageError(`--contract ${path} cannot be read: ${(error as Error).message}`, { cause: error });
  }
}

async function readModule(path: string, file: string): Promise<unknown> {
  const module = await importModule(path, file);
  if (module.default === undefined) throw new UsageError(`--contract ${path} has no default export`);
  return module.default;
}

async function importModule(path: string, file: string): Promise<{ readonly default?: unknown }> {
  try {
    return (await import(pathToFileURL(file).href)) as { default?: unknown };
  } catch (error) {
    // A contract that is checked while the module is loaded tells its own problems.
    const reason = error instanceof Error ? error.message : String(error);
    throw new UsageError(`--contract ${path} cannot be loaded: ${reason}`, { cause: error });
  }
}
