import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

/** Lines of the OpenTelemetry JS SDK that are supported. They cannot live in one node_modules. */
export const SDK_LINES = ["2.x", "3.x"] as const;
export type SdkLine = (typeof SDK_LINES)[number];

const root = fileURLToPath(new URL("../..", import.meta.url));
const MODULES: Readonly<Record<SdkLine, string>> = {
  "2.x": join(root, "examples", "otel-sdk-2x", "node_modules"),
  "3.x": join(root, "node_modules"),
};
const run = promisify(execFile);

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A program's folder outside of the repository, with exactly one `@opentelemetry/api` within its reach. */
export interface SdkConsumer {
  readonly folder: string;
  /** Runs a script of ours as the program's own. Nothing of this process's environment but PATH reaches it. */
  run(script: string, args?: readonly string[], env?: Readonly<Record<string, string>>): Promise<Ended>;
  remove(): Promise<void>;
}

export interface SdkConsumerOptions {
  readonly line: SdkLine;
  /** Tarball of runproof to install. Default: none. */
  readonly tarball?: string;
  /** Top-level entries of node_modules within reach. Default: what an agent with its own SDK installs. */
  readonly modules?: readonly string[];
}

/** What runproof brings along, and what an agent with its own SDK has. */
const DEFAULT_MODULES = ["@opentelemetry", "zod", "@clickhouse", "commander"];

export async function createSdkConsumer({
  line,
  tarball,
  modules = DEFAULT_MODULES,
}: SdkConsumerOptions): Promise<SdkConsumer> {
  if (!existsSync(MODULES[line])) throw new Error(`${MODULES[line]} is missing: \`npm test\` installs it`);
  const folder = await mkdtemp(join(tmpdir(), "runproof-consumer-"));
  await writeFile(join(folder, "package.json"), '{ "private": true, "type": "module" }');
  for (const name of modules) {
    const at = join(folder, "node_modules", name);
    await mkdir(dirname(at), { recursive: true });
    const own = name.startsWith("@opentelemetry") || name === "zod";
    await symlink(join(own ? MODULES[line] : MODULES["3.x"], name), at, "junction");
  }
  if (tarball !== undefined) await unpack(tarball, join(folder, "node_modules", "runproof"));
  return {
    folder,
    async run(script, args = [], env = {}) {
      const at = join(folder, basename(script));
      await copyFile(script, at);
      return await ended(at, args, { cwd: folder, env: { PATH: process.env["PATH"] ?? "", ...env } });
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

async function unpack(tarball: string, into: string): Promise<void> {
  await mkdir(into, { recursive: true });
  await run("tar", ["-xzf", tarball, "--strip-components=1", "-C", into]);
}

/** Runs Node on a script to its end, whatever its exit code. */
export function ended(
  script: string,
  args: readonly string[],
  { cwd, env, node = [] }: { cwd: string; env: Record<string, string>; node?: readonly string[] },
): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(process.execPath, [...node, script, ...args], { cwd, env, timeout: 180_000 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

export interface Packed {
  readonly tarball: string;
  /** Bytes of the tarball. */
  readonly size: number;
  readonly unpackedSize: number;
  readonly files: readonly string[];
}

/** Packs the repository's package, as built, into a folder. */
export async function packPackage(folder: string): Promise<Packed> {
  const args = ["pack", "--json", "--ignore-scripts", "--pack-destination", folder];
  const { stdout } = await run("npm", args, { cwd: root, maxBuffer: 2 ** 24, shell: process.platform === "win32" });
  const told: unknown = JSON.parse(stdout);
  // A list up to npm 11, an object by package name after.
  const [packed] = Object.values(told as object) as {
    filename: string;
    size: number;
    unpackedSize: number;
    files: { path: string }[];
  }[];
  if (packed === undefined) throw new Error(`npm pack said nothing of a package: ${stdout}`);
  const { filename, size, unpackedSize, files } = packed;
  return { tarball: join(folder, filename), size, unpackedSize, files: files.map(({ path }) => path) };
}
