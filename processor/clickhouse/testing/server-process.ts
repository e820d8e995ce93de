/**
 * Entry of a process that is a ClickHouse server: chDB's library holds `clickhouse-local` as well, and that can listen.
 * Unlike the embedded engine's endpoint it has ClickHouse's own HTTP and TCP interfaces, users, grants and clusters.
 *
 * Arguments: TCP port, HTTP port. `config.xml` is taken from the working directory. The call does not return.
 */
import { dlopen, getRawPointer } from "node:ffi";
import { join } from "node:path";

import { libchdbPath } from "chdb/libchdb";

const [tcpPort = "", httpPort = ""] = process.argv.slice(2);
const SERVE =
  "SYSTEM START LISTEN TCP; SYSTEM START LISTEN HTTP; SELECT sleepEachRow(1) FROM numbers(86400) " +
  "SETTINGS max_block_size = 1, function_sleep_max_microseconds_per_block = 0 FORMAT Null";
const options = [
  "--path",
  join(process.cwd(), "data"),
  "--listen_host",
  "127.0.0.1",
  "--tcp_port",
  tcpPort,
  "--http_port",
  httpPort,
];
const texts = ["clickhouse", ...options, "--query", SERVE].map((text) => Buffer.from(`${text}\0`));
const argv = Buffer.from(new BigUint64Array([...texts.map((text) => getRawPointer(text)), 0n]).buffer);

const { functions } = dlopen(libchdbPath(), {
  chdb_query_cmdline: { arguments: ["i32", "pointer"], return: "pointer" },
});
functions.chdb_query_cmdline(texts.length, getRawPointer(argv));
// It came back: the server could not start, and has printed why.
process.exit(1);
