import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { loadServiceConfig } from "./config.ts";
import { attribute, span, traces } from "./otlp/testing/model-builders.ts";
import { encodeTracesProtobuf } from "./otlp/testing/encode-protobuf.ts";
import { createTestGrpcClient, type TestGrpcClient } from "./receivers/testing/grpc-client.ts";
import { startService, type Service } from "./service.ts";
import { closing, contract } from "./testing/evidence.ts";
import { rootSpan, startSpan, testRun } from "./testing/run-spans.ts";
import { SURFACES, type ReaderAnswer } from "./testing/store-surfaces.ts";
import {
  bodyOf,
  canaryOf,
  CLAIMS,
  type Credential,
  neighbourOf,
  type Project,
  PROJECTS,
  send,
  type SenderAnswer,
  type Senders,
  SHARED_RUN_ID,
  SHARED_TRACE_ID,
  tokenOf,
  WIRES,
  writeTokensFile,
} from "./testing/three-projects.ts";

/** No read and no write across projects, through any endpoint of the whole service. */

let directory: string;
let settings: Record<string, unknown>;
let service: Service;
let grpc: TestGrpcClient;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "runproof-isolation-"));
  settings = {
    otlpPort: 0,
    otlpGrpcPort: 0,
    clickhousePort: 0,
    adminPort: 0,
    settleSeconds: 0,
    dataDirectory: join(directory, "data"),
    tokensFile: await writeTokensFile(directory),
  };
  service = await startService(loadServiceConfig({}, settings));
  grpc = createTestGrpcClient(Number(new URL(service.otlpGrpcUrl).port));
  await sendAll({ otlpUrl: service.otlpUrl, grpc });
  await service.idle();
  storedBy.clear();
  for (const signal of ["otel_traces", "otel_logs"]) {
    const name = signal === "otel_traces" ? "SpanName" : "EventName";
    const { outcome } = await asAdmin(`SELECT ${name}, groupArray(Project) FROM ${signal} GROUP BY ${name}`);
    for (const line of outcome.split("\n")) storedBy.set(line.split("\t")[0] ?? "", line.split("\t")[1] ?? "");
  }
});

afterAll(async () => {
  grpc.close();
  await service.shutdown();
  await rm(directory, { recursive: true, force: true });
});

const asAdmin = (sql: string): Promise<ReaderAnswer> => read("POST with Bearer", sql, tokenOf("admin", "shop"));

function read(surface: string, sql: string, token: string | undefined): Promise<ReaderAnswer> {
  const ask = SURFACES[surface];
  if (ask === undefined) throw new Error(`there is no surface ${surface}`);
  return ask(service.clickhouseUrl, sql, token);
}

/** @param allowed the one project whose data may be in there */
function expectNoForeignCanary(told: string, allowed: Project | undefined): void {
  for (const project of PROJECTS) if (project !== allowed) expect(told).not.toContain(canaryOf(project));
}

// Writing.

const WRITE_CREDENTIALS = ["own", "none", "wrong", "expired", "another", "write-only", "read-only", "admin"] as const;

const WRITES = PROJECTS.flatMap((project) =>
  WIRES.flatMap((wire) =>
    WRITE_CREDENTIALS.flatMap((credential) =>
      CLAIMS.map((claim) => ({ project, wire, credential, claim, name: `${project} ${wire} ${credential} ${claim}` })),
    ),
  ),
);

const answers = new Map<string, SenderAnswer>();
/** Projects that a name was stored under, as the engine prints them. */
const storedBy = new Map<string, string>();

async function sendAll(senders: Senders): Promise<void> {
  for (const { project, wire, credential, claim, name } of WRITES) {
    // What another project's token sends is that project's: its canary goes with it.
    const sender = writtenAs(credential, project) ?? project;
    const body = bodyOf(wire, { name, project: sender, claim });
    answers.set(name, await send(senders, wire, { body, token: tokenOf(credential, project) }));
  }
  for (const project of PROJECTS) {
    const body = runOf(project);
    await send(senders, "HTTP protobuf traces", { body, token: tokenOf("write-only", project) });
  }
}

/** The project a credential writes for, if any. */
function writtenAs(credential: Credential, project: Project): Project | undefined {
  if (credential === "own" || credential === "write-only") return project;
  return credential === "another" ? neighbourOf(project) : undefined;
}

/** Of every project one run with the same ids, its start and its end. */
function runOf(project: Project): Uint8Array {
  const run = testRun({
    runId: SHARED_RUN_ID,
    traceId: SHARED_TRACE_ID,
    rootSpanId: "00000000000000aa",
    contract: { ...contract(), agent: `${canaryOf(project)}-agent` },
  });
  const spans = [startSpan(run), rootSpan(run, closing())].map((row, at) =>
    span({
      traceId: row.TraceId,
      spanId: at === 0 ? "00000000000000ab" : row.SpanId,
      name: row.SpanName,
      startTimeUnixNano: BigInt(row.Timestamp),
      endTimeUnixNano: BigInt(row.Timestamp) + 1n,
      attributes: Object.entries(row.SpanAttributes).map(([key, value]) => attribute(key, value)),
    }),
  );
  return encodeTracesProtobuf(traces(spans, [attribute("service.name", `${canaryOf(project)}-service`)]));
}

const REFUSED_STATUS: Partial<Record<Credential, readonly [http: number, grpc: number]>> = {
  none: [401, 16],
  wrong: [401, 16],
  expired: [401, 16],
  "read-only": [403, 7],
  admin: [403, 7],
};

describe(`${WRITES.length} writes over OTLP`, () => {
  it.each(WRITES)("$name", ({ project, wire, credential, name }) => {
    const { status, told } = answers.get(name) ?? { status: -1, told: "" };
    const [http, rpc] = REFUSED_STATUS[credential] ?? [200, 0];
    expect(status).toBe(wire.startsWith("gRPC") ? rpc : http);
    const owner = writtenAs(credential, project);
    expect(storedBy.get(name)).toBe(owner === undefined ? undefined : `['${owner}']`);
    expectNoForeignCanary(told, undefined);
  });
});

// Reading.

const bodiesOf = (signal: "traces" | "logs", project: Project): number =>
  WRITES.filter((write) => write.wire.endsWith(signal) && writtenAs(write.credential, write.project) === project)
    .length;
/** Spans with the start and the end of the run. */
const spansOf = (project: Project): number => bodiesOf("traces", project) + 2;
/** The service's own log record of the run's verdict is in there, too. */
const RECORDS = "otel_logs WHERE EventName != 'gen_ai.evaluation.result'";

type Expected = string | ((project: Project) => string);

/** Kinds of statement, with what a reader of a project gets. */
const STATEMENTS: readonly (readonly [kind: string, sql: string, expected: Expected])[] = [
  ["count", "SELECT count() FROM otel_traces", (own) => String(spansOf(own))],
  ["count of the whole name", 'SELECT count() FROM `default`."otel_traces"', (own) => String(spansOf(own))],
  ["count of logs", `SELECT count() FROM ${RECORDS}`, (own) => String(bodiesOf("logs", own))],
  [
    "minimum and maximum",
    "SELECT min(ServiceName), max(ServiceName) FROM otel_traces",
    (own) => `${canaryOf(own)}-service\t${canaryOf(own)}-service`,
  ],
  ["rows", "SELECT DISTINCT Project, ServiceName FROM otel_traces", (own) => `${own}\t${canaryOf(own)}-service`],
  ["everything", "SELECT count() FROM (SELECT * FROM otel_traces)", (own) => String(spansOf(own))],
  ["every column as text", "SELECT length(toString(groupArray(tuple(*)))) > 0 FROM otel_logs", "1"],
  ["the shared trace", `SELECT DISTINCT Project FROM otel_traces WHERE TraceId = '${SHARED_TRACE_ID}'`, (own) => own],
  [
    "the shared trace's time",
    `SELECT count() FROM (SELECT TraceId FROM otel_traces_trace_id_ts GROUP BY TraceId)`,
    "1",
  ],
  ["rows of others", "SELECT countIf(ServiceName != concat('zq7-', Project, '-canary-service')) FROM otel_traces", "0"],
  ["FINAL", "SELECT DISTINCT Project FROM otel_traces FINAL", (own) => own],
  [
    "join",
    "SELECT DISTINCT a.Project, b.Project FROM otel_traces AS a JOIN otel_logs AS b ON a.TraceId = b.TraceId",
    (own) => `${own}\t${own}`,
  ],
  [
    "subquery",
    "SELECT uniqExact(Project) FROM (SELECT Project FROM otel_traces UNION ALL SELECT Project FROM otel_logs)",
    "1",
  ],
  ["scalar subquery", "SELECT (SELECT groupUniqArray(Project) FROM otel_traces) AS x", (own) => `['${own}']`],
  ["CTE", "WITH t AS (SELECT ServiceName FROM otel_traces) SELECT uniqExact(ServiceName) FROM t", "1"],
  [
    "IN a subquery",
    "SELECT arrayFilter(p -> p IN (SELECT Project FROM otel_traces), ['shop', 'bank', 'lab'])",
    (own) => `['${own}']`,
  ],
  [
    "keys of maps",
    "SELECT arrayFilter(k -> k LIKE 'zq7%', groupUniqArrayArray(mapKeys(SpanAttributes))) FROM otel_traces",
    (own) => `['${canaryOf(own)}-key']`,
  ],
  ["view()", "SELECT uniqExact(Project) FROM view(SELECT * FROM otel_logs)", "1"],
  [
    "an oracle",
    "SELECT max(factorial(20 + (ServiceName LIKE 'zq7-%' AND Project = 'nobody'))) > 0 FROM otel_traces",
    "1",
  ],
  [
    "an oracle on the neighbours",
    "SELECT uniqExact(factorial(19 + match(ServiceName, '^zq7-(shop|bank|lab)-canary-service$'))) FROM otel_traces",
    "1",
  ],
  ["an error that quotes", "SELECT toUInt64(max(ServiceName)) FROM otel_traces", "CANNOT_PARSE_TEXT"],
  ["statistics", "SELECT count() FROM otel_traces WHERE 0 FORMAT JSONCompactEachRow", "[0]"],
  ["merge()", "SELECT * FROM merge('default', '.*')", "ACCESS_DENIED"],
  ["system.parts", "SELECT sum(rows) FROM system.parts", "ACCESS_DENIED"],
  ["system.processes", "SELECT query FROM system.processes", "ACCESS_DENIED"],
  ["system.tables", "SELECT name, total_rows FROM `system`.`tables`", "ACCESS_DENIED"],
  ["information_schema", "SELECT * FROM INFORMATION_SCHEMA.COLUMNS", "ACCESS_DENIED"],
  ["SHOW PROCESSLIST", "SHOW PROCESSLIST", "ACCESS_DENIED"],
  ["EXPLAIN ESTIMATE", "EXPLAIN ESTIMATE SELECT * FROM otel_traces", "ACCESS_DENIED"],
  ["virtual columns", "SELECT DISTINCT _part FROM otel_traces", "UNKNOWN_IDENTIFIER"],
  ["migrations", "SELECT * FROM runproof_migrations", "UNKNOWN_TABLE"],
  ["gaps of the monitor", "SELECT * FROM runproof_monitor_gaps", "UNKNOWN_TABLE"],
  ["quarantine", "SELECT count() FROM runproof_quarantine", "0"],
  ["writing", "INSERT INTO otel_traces (TraceId) SELECT 'x'", "READONLY"],
  ["killing", "KILL QUERY WHERE 1", "READONLY"],
  ["a role", "SET ROLE service", "READONLY"],
  ["a setting", "SELECT count() FROM otel_traces SETTINGS log_comment = 'x'", "READONLY"],
];

const READ_CREDENTIALS = ["own", "none", "wrong", "expired", "another", "write-only", "read-only"] as const;

/** The project that a credential of `project` reads, if any. */
function readAs(credential: Credential, project: Project): Project | undefined {
  if (credential === "own" || credential === "read-only") return project;
  return credential === "another" ? neighbourOf(project) : undefined;
}

/**
 * The short version: every statement by every surface under one of the credentials that read, and a sixth of them under
 * each that does not, because a refusal comes before the statement is looked at.
 */
const READERS: readonly Credential[] = ["own", "another", "read-only"];
const isLong = process.env["RUNPROOF_LONG_TESTS"] === "1";

const READS = Object.keys(SURFACES).flatMap((surface, row) =>
  READ_CREDENTIALS.flatMap((credential, column) =>
    STATEMENTS.flatMap(([kind, sql, expected], at) => {
      const project = PROJECTS[(row + column + at) % PROJECTS.length] ?? "shop";
      const reader = READERS.indexOf(credential);
      const isTried = isLong || (reader === -1 ? at % 6 === (row + column) % 6 : at % 3 === (row + reader) % 3);
      return isTried ? [{ surface, credential, project, kind, sql, expected }] : [];
    }),
  ),
);

describe(`${READS.length} reads of the store`, () => {
  it.each(READS)("$surface, $credential token of $project: $kind", async (one) => {
    const { outcome, told } = await read(one.surface, one.sql, tokenOf(one.credential, one.project));
    const owner = readAs(one.credential, one.project);
    const expected = typeof one.expected === "string" ? one.expected : owner === undefined ? "" : one.expected(owner);
    // Nobody without the right is told more than a stranger.
    expect(outcome).toBe(owner === undefined ? "AUTHENTICATION_FAILED" : expected);
    expectNoForeignCanary(told, owner);
  });
});

describe("one run id in three projects", () => {
  it.each(PROJECTS)("is a run of its own for %s", async (project) => {
    const ask = (sql: string) => read("POST with Basic", sql, tokenOf("read-only", project));
    for (const table of ["runproof_runs", "runproof_run_history"]) {
      const { outcome, told } = await ask(`SELECT DISTINCT run_id, project, agent_name FROM ${table}`);
      expect(outcome).toBe(`${SHARED_RUN_ID}\t${project}\t${canaryOf(project)}-agent`);
      expectNoForeignCanary(told, project);
      expectNoForeignCanary((await ask(`SELECT * FROM ${table} FORMAT JSON`)).told, project);
    }
    const verdicts = await ask("SELECT Body, Project FROM otel_logs WHERE EventName = 'gen_ai.evaluation.result'");
    expect(verdicts.outcome).toContain(`${canaryOf(project)}-agent`);
    expectNoForeignCanary(verdicts.told, project);
    expectNoForeignCanary((await ask("SELECT * FROM runproof_contracts FORMAT JSON")).told, project);
  });
});

const CLI = fileURLToPath(new URL("../replay/cli.ts", import.meta.url));

/** What `runproof runs list` prints with a token for a password. */
async function listRuns(token: string | undefined): Promise<{ code: number; printed: string }> {
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", CLI, "runs", "list", "--json"], {
    env: {
      PATH: process.env["PATH"],
      RUNPROOF_CLICKHOUSE_URL: service.clickhouseUrl,
      ...(token !== undefined && { RUNPROOF_CLICKHOUSE_PASSWORD: token }),
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let printed = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (text: Buffer) => (printed += text.toString()));
  const [code] = (await once(child, "close")) as [number];
  return { code, printed };
}

describe("the command line", () => {
  it.each(PROJECTS)("lists the runs of %s with its token", async (project) => {
    const { code, printed } = await listRuns(tokenOf("read-only", project));
    expect(code, printed).toBe(0);
    expect(printed).toContain(`${canaryOf(project)}-agent`);
    expectNoForeignCanary(printed, project);
  });

  it("lists nothing without one", async () => {
    const { code, printed } = await listRuns(undefined);
    expect(code).not.toBe(0);
    expectNoForeignCanary(printed, undefined);
  });
});

const PROCESS = fileURLToPath(new URL("testing/service-process.ts", import.meta.url));

interface Listening {
  readonly otlpUrl: string;
  readonly otlpGrpcUrl: string;
  readonly enginePid: number;
}

it("what waits in the spool keeps its project when the service is killed and starts again", async () => {
  const own = { ...settings, dataDirectory: join(directory, "killed") };
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", PROCESS, JSON.stringify(own)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  const listening = JSON.parse(line) as Listening;
  // It takes no rows from now on: what is acknowledged is in the spool and nowhere else.
  process.kill(listening.enginePid, "SIGSTOP");
  const client = createTestGrpcClient(Number(new URL(listening.otlpGrpcUrl).port));
  const sent = PROJECTS.flatMap((project) =>
    WIRES.flatMap((wire) => CLAIMS.map((claim) => ({ project, wire, claim }))),
  );
  for (const { project, wire, claim } of sent) {
    const body = bodyOf(wire, { name: `${project} ${wire} ${claim}`, project, claim });
    const answer = await send({ otlpUrl: listening.otlpUrl, grpc: client }, wire, {
      body,
      token: tokenOf("own", project),
    });
    expect(answer.status).toBe(wire.startsWith("gRPC") ? 0 : 200);
  }
  client.close();
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  process.kill(listening.enginePid, "SIGKILL");
  await ended;
  const again = await startService(loadServiceConfig({}, own));
  try {
    await again.idle();
    for (const project of PROJECTS) {
      for (const [table, name] of [
        ["otel_traces", "SpanName"],
        ["otel_logs", "EventName"],
      ] as const) {
        const ask = SURFACES["POST with Bearer"];
        const sql = `SELECT DISTINCT Project, ${name} FROM ${table} ORDER BY 2`;
        const answer = await ask?.(again.clickhouseUrl, sql, tokenOf("own", project));
        const wires = WIRES.filter((wire) => wire.endsWith(table === "otel_traces" ? "traces" : "logs"));
        const names = wires.flatMap((wire) => CLAIMS.map((claim) => `${project}\t${project} ${wire} ${claim}`));
        expect(answer?.outcome.split("\n")).toEqual(names.toSorted());
      }
    }
  } finally {
    await again.shutdown();
  }
});
