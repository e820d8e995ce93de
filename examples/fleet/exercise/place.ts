import { execFile } from "node:child_process";
import { mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { freePort } from "../../../processor/testing/free-port.ts";

/** Where an exercise plays: a clone of this repository, whose commits the shipped certificates name, and its addresses. */
export interface Place {
  readonly directory: string;
  /** The clone; its configuration names the mended agents, and the critical tier. */
  readonly repository: string;
  /** In the clone: the fleet, whose configuration names the agents with planted failures. */
  readonly fleet: string;
  readonly ports: Readonly<Record<"otlp" | "grpc" | "admin", number>>;
  close(): Promise<void>;
}

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

/** `everySeconds`: between two rounds of canaries, in place of a quarter of an hour and an hour. */
export async function makePlace(everySeconds: number): Promise<Place> {
  const directory = await mkdtemp(join(tmpdir(), "runproof-exercise-"));
  const repository = join(directory, "repository");
  await promisify(execFile)("git", ["clone", "--quiet", "--shared", ROOT, repository]);
  await symlink(join(ROOT, "node_modules"), join(repository, "node_modules"));
  const fleet = join(repository, "examples", "fleet");
  const own = { tiers: { broad: false, full: false, critical: { every: everySeconds } } };
  await changeConfig(repository, own);
  await changeConfig(fleet, { jobs: 2, tiers: { critical: false, full: false, broad: { every: everySeconds } } });
  const [otlp, grpc, admin] = [await freePort(), await freePort(), await freePort()];
  return {
    directory,
    repository,
    fleet,
    ports: { otlp, grpc, admin },
    close: () => rm(directory, { recursive: true, force: true }),
  };
}

interface Canaries {
  readonly jobs?: number;
  readonly tiers: Readonly<Record<string, boolean | object>>;
}

/** Only the schedule is another one. */
async function changeConfig(folder: string, { tiers, ...canary }: Canaries): Promise<void> {
  await rename(join(folder, "runproof.config.ts"), join(folder, "shipped-config.ts"));
  const text = `
import shipped from "./shipped-config.ts";
const changes: Record<string, false | object> = ${JSON.stringify(tiers)};
const { canary = {} } = shipped as { canary?: { tiers?: Record<string, object> } };
const tiers = Object.entries(changes).map(([name, own]) => [name, own && { ...canary.tiers?.[name], ...own }]);
export default { ...shipped, canary: { ...canary, ...${JSON.stringify(canary)}, tiers: Object.fromEntries(tiers) } };
`;
  await writeFile(join(folder, "runproof.config.ts"), text);
}
