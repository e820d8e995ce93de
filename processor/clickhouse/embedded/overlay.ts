import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";

import type { Session } from "chdb";

/**
 * chDB puts an overlay over database `default` in which every file path is a table: `SELECT * FROM "/etc/passwd"` reads
 * it, once it has been touched also under `readonly=1` (chDB 3.4.0). The plain Atomic database underneath takes its place.
 *
 * @throws Error when anything but plain databases is left.
 */
export async function replaceOverlay(base: Session, engineDirectory: string): Promise<void> {
  await base.queryAsync("DETACH DATABASE default");
  await attachDefault(base, engineDirectory);
  const result = await base.queryAsync("SELECT DISTINCT engine FROM system.databases", { format: "TSV" });
  const unexpected = result
    .text()
    .split("\n")
    .filter((engine) => !["", "Atomic", "Memory"].includes(engine));
  if (unexpected.length > 0) throw new Error(`The engine has unexpected databases: ${unexpected.join(", ")}`);
}

async function attachDefault(base: Session, engineDirectory: string): Promise<void> {
  try {
    await base.queryAsync("ATTACH DATABASE default");
    return;
  } catch (error) {
    const isNew = String(error).includes("UNKNOWN_DATABASE_ENGINE");
    // Until its first table exists the database is a file without the link to its tables, and cannot be attached.
    const isEmpty = String(error).includes("UUID mapping") && !existsSync(join(engineDirectory, "metadata", "default"));
    if (!isNew && !isEmpty) throw error;
    if (isEmpty) await rm(join(engineDirectory, "metadata", "default.sql"));
  }
  await base.queryAsync("CREATE DATABASE default ENGINE = Atomic");
}
