import { copyFile, mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { REDACTION_KEY_FILE } from "../../instrumentation/capture/redaction-key.ts";
import { bytesOfFile, type FixtureFileContent } from "../fixture/fixture-files.ts";

/** A place of its own for one replay: a work folder, and homes for what programs keep beside it. */
export interface WorkFolder {
  readonly base: string;
  /** Where the agent starts. */
  readonly work: string;
  remove(): Promise<void>;
}

/**
 * Makes the folders under the system's temporary folder. With the redaction key of the recording machine the replay
 * gives equal secrets the pseudonyms they have in the cassette. `files`, of a fixture that was parsed, are all that lies
 * in the work folder.
 */
export async function makeWorkFolder(
  redactionKeyFile?: string,
  files: readonly FixtureFileContent[] = [],
): Promise<WorkFolder> {
  const base = await realpath(await mkdtemp(join(tmpdir(), "runproof-replay-")));
  for (const name of ["work", "home", "state", "tmp"]) await mkdir(join(base, name), { mode: 0o700 });
  if (redactionKeyFile !== undefined) {
    await copyFile(redactionKeyFile, join(base, "state", REDACTION_KEY_FILE)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") throw error;
    });
  }
  const work = join(base, "work");
  for (const file of files) {
    const path = join(work, file.path);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, bytesOfFile(file), { flag: "wx" });
  }
  return { base, work, remove: () => rm(base, { recursive: true, force: true, maxRetries: 3 }) };
}
