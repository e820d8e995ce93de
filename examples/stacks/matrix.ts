/**
 * Every stack in its oldest and newest supported major version, as ES module and CommonJS, on Node 22, 24 and 26: the
 * agent is run with `--import runproof/register`, judged by a service, rebuilt as a fixture and replayed.
 *
 * `node examples/stacks/matrix.ts [--only openai,ai] [--age newest] [--format esm] [--node 22,26] [--json]`
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { createRunReader } from "../../processor/clickhouse/run-reader.ts";
import { createStore } from "../../processor/clickhouse/store.ts";
import { loadServiceConfig } from "../../processor/config.ts";
import { startService } from "../../processor/service.ts";
import { runCell, type CellPlace, type CellResult } from "./cell.ts";
import { startProviderServer } from "./provider-server.ts";
import { FORMATS, NODES, STACK_VERSIONS, type Format, type StackVersion } from "./stacks.ts";
import { createWorkspace, type Workspace } from "./workspace.ts";

const { values } = parseArgs({
  options: {
    only: { type: "string" },
    age: { type: "string" },
    format: { type: "string" },
    node: { type: "string" },
    json: { type: "boolean", default: false },
    keep: { type: "boolean", default: false },
  },
});

const chosen = (list: string | undefined, value: string): boolean =>
  list === undefined || list.split(",").includes(value);

interface Coordinates {
  readonly version: StackVersion;
  readonly format: Format;
  readonly major: string;
}

/** Every stack on one runtime before the next, so that a matrix that is stopped has seen them all. */
function* cells(): Generator<Coordinates> {
  for (const [index, major] of NODES.toReversed().entries()) {
    for (const format of index % 2 === 0 ? FORMATS : FORMATS.toReversed()) {
      if (!chosen(values.node, major) || !chosen(values.format, format)) continue;
      for (const version of STACK_VERSIONS) {
        if (chosen(values.only, version.stack) && chosen(values.age, version.age)) yield { version, format, major };
      }
    }
  }
}

const line = (result: CellResult): string => {
  const { stack, age, versions, format, node, tools, exchanges, silentRetries, replay, seconds, problem } = result;
  const columns = [
    ...[stack.padEnd(13), age.padEnd(6), versions.padEnd(9), format, `node ${node}`, `tools ${tools}`.padEnd(22)],
    ...[`exchanges ${exchanges}`.padEnd(13), `silent retries ${silentRetries}`, replay.padEnd(10), `${seconds} s`],
  ];
  return `${problem === undefined ? "ok  " : "FAIL"} ${columns.join("  ")}${problem === undefined ? "" : `\n     ${problem}`}\n`;
};

async function withPlace(workspace: Workspace, work: (place: CellPlace) => Promise<void>): Promise<void> {
  const dataDirectory = join(workspace.folder, "data");
  await mkdir(dataDirectory);
  const ports = { otlpPort: 0, otlpGrpcPort: 0, clickhousePort: 0, adminPort: 0 };
  const service = await startService(loadServiceConfig({}, { ...ports, dataDirectory }));
  const provider = await startProviderServer();
  const { otlpUrl, clickhouseUrl } = service;
  const store = createStore({ url: clickhouseUrl });
  try {
    await work({ provider, otlpUrl, clickhouseUrl, reader: createRunReader(store) });
  } finally {
    await store.close();
    await provider.close();
    await service.shutdown();
  }
}

async function runMatrix(): Promise<CellResult[]> {
  const workspace = await createWorkspace();
  const results: CellResult[] = [];
  try {
    await withPlace(workspace, async (place) => {
      for (const { version, format, major } of cells()) {
        const [node, project] = [await workspace.node(major), await workspace.project(version)];
        const result = await runCell({ version, format, nodeMajor: major, node, project }, place);
        results.push(result);
        process.stderr.write(line(result));
      }
    });
  } finally {
    if (values.keep) process.stderr.write(`kept ${workspace.folder}\n`);
    else await workspace.remove();
  }
  return results;
}

const results = await runMatrix();
const failed = results.filter(({ problem }) => problem !== undefined).length;
if (values.json) process.stdout.write(`${JSON.stringify({ cells: results, failed }, null, 2)}\n`);
else process.stdout.write(`${results.length - failed} of ${results.length} cells are well\n`);
process.exitCode = failed === 0 ? 0 : 1;
