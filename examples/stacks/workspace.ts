import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runProgram } from "./run-program.ts";
import type { StackVersion } from "./stacks.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const AGENTS = fileURLToPath(new URL("agents/", import.meta.url));
const INSTALL_MILLIS = 600_000;

/** A temporary folder with the packed runproof, the runtimes, and one project for each version of each stack. */
export interface Workspace {
  readonly folder: string;
  /** Path of a major version of Node. */
  node(major: string): Promise<string>;
  /** Folder of a project that has the stack and runproof installed, with the agents in it. */
  project(version: StackVersion): Promise<string>;
  remove(): Promise<void>;
}

/** What a replay needs of its own, as it advises to install. */
const REPLAY_PACKAGES = {
  "@opentelemetry/api": "^1.9.0",
  "@opentelemetry/sdk-node": "^0.301.0",
  "@opentelemetry/exporter-trace-otlp-http": "^0.301.0",
  "@opentelemetry/sdk-trace": "^3.1.1",
};

export async function createWorkspace(): Promise<Workspace> {
  const folder = await mkdtemp(join(tmpdir(), "runproof-stacks-"));
  await npm(["pack", "--pack-destination", folder, "--ignore-scripts"], ROOT);
  const packed = (await readdir(folder)).find((name) => name.endsWith(".tgz"));
  if (packed === undefined) throw new Error("npm pack wrote no package");

  const install = async (name: string, packages: Readonly<Record<string, string>>): Promise<string> => {
    const path = join(folder, name);
    await mkdir(path);
    await writeFile(join(path, "package.json"), JSON.stringify({ name, private: true, dependencies: packages }));
    await npm(["install", "--no-audit", "--no-fund", "--prefer-offline", "--legacy-peer-deps"], path);
    return path;
  };
  const once = memo();
  return {
    folder,
    node: (major) =>
      once(`node-${major}`, async () => {
        const path = await install(`node-${major}`, { node: `^${major}.0.0` });
        return join(path, "node_modules", "node", "bin", "node");
      }),
    project: (version) =>
      once(`${version.stack}-${version.age}`, async () => {
        const packages = { ...version.packages, ...REPLAY_PACKAGES, runproof: `file:../${packed}` };
        const path = await install(`${version.stack}-${version.age}`, packages);
        await cp(AGENTS, path, { recursive: true });
        return path;
      }),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

function memo(): (name: string, make: () => Promise<string>) => Promise<string> {
  const made = new Map<string, Promise<string>>();
  return (name, make) => {
    const known = made.get(name) ?? make();
    made.set(name, known);
    return known;
  };
}

async function npm(args: readonly string[], cwd: string): Promise<void> {
  const env = process.env as Record<string, string>;
  const { code, stderr } = await runProgram("npm", { args, cwd, env, timeoutMillis: INSTALL_MILLIS });
  if (code !== 0) throw new Error(`npm ${args[0]} ended with ${code}: ${stderr.slice(-2_000)}`);
}
