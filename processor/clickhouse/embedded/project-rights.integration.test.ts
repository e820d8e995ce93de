import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Session, drainPending } from "chdb";
import { afterAll, beforeAll, expect, it } from "vitest";

import { EngineError } from "./engine-error.ts";
import { createEngineSessions, type EngineSessions } from "./engine-sessions.ts";
import { writeEngineConfig } from "./engine-config.ts";
import { replaceOverlay } from "./overlay.ts";
import { assertProjectRights } from "./project-rights.ts";
import { createProjectViews } from "./project-views.ts";

/** The engine's own rights, with no guard in front: what it would show if a statement got past that. */

const CANARY = "bank-canary";
/** A number that is nowhere else. */
const ROWS = 20_842;

let directory: string;
let base: Session;
let sessions: EngineSessions;
let running: Promise<unknown>;

async function run(sql: string, project?: string): Promise<string> {
  const who = project === undefined ? ({ role: "service" } as const) : ({ role: "reader", project } as const);
  return Buffer.from((await sessions.run({ sql, settings: new Map(), ...who })).bytes).toString();
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "runproof-rights-"));
  const config = await writeEngineConfig(join(directory, "access"), true);
  const engine = join(directory, "engine");
  base = new Session(engine, { connectionArgs: [`--config-file=${config}`] });
  await replaceOverlay(base, engine);
  sessions = createEngineSessions(() => new Session(engine));
  await run("CREATE TABLE otel_logs (Project LowCardinality(String), Body String) ENGINE = MergeTree ORDER BY Body");
  await run("CREATE TABLE secrets (Project String, Body String) ENGINE = MergeTree ORDER BY Body");
  for (const table of ["otel_logs", "secrets"]) {
    await run(`INSERT INTO ${table} SELECT ['shop', 'bank'][number % 2 + 1], '${CANARY}' FROM numbers(${ROWS})`);
  }
  // A failed statement and a running one, for the tables that tell of statements.
  await run(`SELECT toUInt64('${CANARY}')`).catch(() => undefined);
  running = run(`SELECT sleepEachRow(0.2), '${CANARY}' FROM numbers(50) SETTINGS max_block_size = 1`).catch(
    () => undefined,
  );
  await createProjectViews(sessions).ready();
});
afterAll(async () => {
  await running;
  await sessions.close(5_000);
  base.close();
  await drainPending();
  await rm(directory, { recursive: true, force: true });
});

it("the rights of a project's session are as they should be", async () => {
  await assertProjectRights(sessions);
});

it("a project's session reads its rows through the view and no table itself", async () => {
  expect(await run("SELECT Project, count() FROM otel_logs GROUP BY Project", "shop")).toBe(`shop\t${ROWS / 2}\n`);
  for (const table of [
    "default.otel_logs",
    "default.secrets",
    "merge('default', 'otel_.*')",
    "mergeTreeIndex('default', 'otel_logs')",
  ]) {
    await expect(run(`SELECT * FROM ${table}`, "shop")).rejects.toMatchObject({
      type: expect.stringMatching(/ACCESS_DENIED|CANNOT_EXTRACT/),
    });
  }
  await expect(run("SELECT * FROM secrets", "shop")).rejects.toMatchObject({ type: "UNKNOWN_TABLE" });
});

it("a statement of a project's session takes up no other project and changes nothing", async () => {
  const asBank = "SETTINGS log_comment = '012345678901234567890123456789012345/bank'";
  await expect(run(`SELECT count() FROM otel_logs ${asBank}`, "shop")).rejects.toMatchObject({ type: "READONLY" });
  for (const sql of ["DROP VIEW runproof_reader.otel_logs", "TRUNCATE TABLE default.otel_logs"]) {
    await expect(run(sql, "shop"), sql).rejects.toBeInstanceOf(EngineError);
  }
});

it("a project's session finds no statement of others to kill", async () => {
  expect(await run("KILL QUERY WHERE 1", "shop")).toBe("");
  expect(await run("SELECT count() FROM system.processes WHERE query LIKE 'SELECT sleepEachRow%'")).toBe("1\n");
});

it("no system table shows a project's session what others do", { timeout: 240_000 }, async () => {
  const endless = /^(?:numbers|numbers_mt|zeros|zeros_mt|primes|generate_series|generateSeries|models)$/;
  const names = (await run("SELECT name FROM system.tables WHERE database = 'system'")).trim().split("\n");
  expect(names.length).toBeGreaterThan(50);
  expect(await run("SELECT query FROM system.processes")).toContain(CANARY);
  for (const name of names.filter((one) => !endless.test(one))) {
    const shown = await run(`SELECT * FROM system.${name} LIMIT 5000`, "shop").catch(() => "");
    // Neither what they ask nor how many rows they have.
    expect([name, shown.includes(CANARY), shown.includes(String(ROWS))]).toEqual([name, false, false]);
  }
});
