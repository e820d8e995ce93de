import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { escapedXml, usersXml } from "./engine-users.ts";

/**
 * Seconds that the sources of a merge outlive it; chDB's own is 0 (3.4.0), ClickHouse's 480. What a merge writes is not
 * flushed: its sources are what is left when a full disk or a loss of power has damaged the result.
 */
export const OLD_PARTS_SECONDS = 120;

/**
 * Writes the engine's configuration and returns its path. A file that is as it should be is left alone: an engine must
 * start on a full disk, too.
 *
 * @param directory of the files, made if need be
 */
export async function writeEngineConfig(directory: string, withUsers: boolean): Promise<string> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const users = join(directory, "users.xml");
  const config = join(directory, "config.xml");
  if (withUsers) await writeChanged(users, usersXml());
  const access = withUsers ? `<users_config>${escapedXml(users)}</users_config>` : "";
  const merges = `<merge_tree><old_parts_lifetime>${OLD_PARTS_SECONDS}</old_parts_lifetime></merge_tree>`;
  // Merges can wait; who inserts, reads or waits for an acknowledgement cannot.
  const lowest = "<os_threads_nice_value_merge_mutate>19</os_threads_nice_value_merge_mutate>";
  await writeChanged(config, `<clickhouse>${access}${lowest}${merges}</clickhouse>\n`);
  return config;
}

async function writeChanged(path: string, text: string): Promise<void> {
  const before = await readFile(path, "utf8").catch(() => undefined);
  if (before !== text) await writeFile(path, text, { mode: 0o600 });
}
