import { mkdir, readFile, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";

import { escapedXml, usersXml } from "./engine-users.ts";

/**
 * Seconds that the sources of a merge outlive it; chDB's own is 0 (3.4.0), ClickHouse's 480. What a merge writes is not
 * flushed: its sources are what is left when a full disk or a loss of power has damaged the result. Linux writes a page
 * back half a minute after it was dirtied; this is twice that. Each part that waits holds 100 KB of memory, and a steady
 * load leaves nine a second.
 */
const OLD_PARTS_SECONDS = 60;

/**
 * Merges at a time. The engine's own 32 are for servers: on two cores they only share the time of two, and hold the
 * memory of all (with two, 40 MiB less at 10,000 spans/s, and acknowledgements are not later).
 */
const MERGES = Math.max(2, availableParallelism());

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
  // Merges can wait; who inserts, reads or waits for an acknowledgement cannot.
  const background = tags({
    os_threads_nice_value_merge_mutate: 19,
    background_pool_size: MERGES,
    background_merges_mutations_concurrency_ratio: 1,
  });
  // The free entries are counted against pools of 32: with a smaller one no large merge would ever begin.
  const mergeTree = tags({
    old_parts_lifetime: OLD_PARTS_SECONDS,
    number_of_free_entries_in_pool_to_lower_max_size_of_merge: MERGES,
    number_of_free_entries_in_pool_to_execute_mutation: 1,
    number_of_free_entries_in_pool_to_execute_optimize_entire_partition: 1,
  });
  await writeChanged(config, `<clickhouse>${access}${background}<merge_tree>${mergeTree}</merge_tree></clickhouse>\n`);
  return config;
}

const tags = (settings: Readonly<Record<string, number>>): string =>
  Object.entries(settings)
    .map(([name, value]) => `<${name}>${value}</${name}>`)
    .join("");

async function writeChanged(path: string, text: string): Promise<void> {
  const before = await readFile(path, "utf8").catch(() => undefined);
  if (before !== text) await writeFile(path, text, { mode: 0o600 });
}
