import type { DiskWatch } from "./disk-watch.ts";
import { EngineError } from "./engine-error.ts";
import type { EngineRequest } from "./engine-request.ts";
import { textOf } from "./engine-request.ts";
import type { EngineResult, EngineSessions } from "./engine-sessions.ts";
import { effectiveSettings, type Role } from "./engine-settings.ts";
import { createInsertRunner, type InsertRequest } from "./insert-runner.ts";
import { isInsert, parseDataInsert, type DataInsert } from "./insert-statement.ts";
import { mayChangeTables } from "./table-columns.ts";
import {
  assertProjectReadable,
  assertProjectRequest,
  inProjectDatabase,
  withoutFigures,
  withoutInternals,
} from "./project-statement.ts";
import { createProjectViews } from "./project-views.ts";
import { assertReadable, refusedNames, type RefusedNames } from "./reader-guard.ts";
import { singleStatement, sqlString } from "./sql-text.ts";

export interface Execution {
  readonly request: EngineRequest;
  readonly role: Role;
  /** A reader that sees this project only. */
  readonly project?: string;
  readonly body: AsyncIterable<Uint8Array>;
  readonly signal: AbortSignal;
}

/** Executes one authenticated request: what it may do, and how it reaches the engine. */
export interface EngineExecutor {
  /** @throws EngineError for everything that is refused or fails. */
  execute(execution: Execution): Promise<EngineResult>;
}

/** Reads the lists of refused functions from the engine itself. */
export async function createEngineExecutor(
  sessions: EngineSessions,
  inboxDirectory: string,
  disk: Pick<DiskWatch, "assertRoom">,
): Promise<EngineExecutor> {
  const refused = await readRefusedNames(sessions);
  const inserts = createInsertRunner(sessions, inboxDirectory);
  const views = createProjectViews(sessions);
  return {
    async execute(execution) {
      const { request, role } = execution;
      if (execution.project !== undefined) return executeForProject(execution, execution.project);
      const settings = effectiveSettings(role, request.settings);
      if (role === "service" && isInsert(request.query)) {
        await disk.assertRoom();
        const insert = parseDataInsert(request.query);
        if (insert) return inserts.run(insertRequest(execution, insert, settings));
      }
      const sql = await statementOf(execution);
      if (role === "service" && isInsert(sql)) {
        await disk.assertRoom();
        const insert = parseDataInsert(sql);
        const bodiless = { ...execution, body: noBytes() };
        if (insert) return inserts.run(insertRequest(bodiless, insert, settings));
      }
      const { text } = singleStatement(sql);
      if (role === "reader") await assertReader(text);
      try {
        return await sessions.run({
          sql: text,
          role,
          settings: new Map([...settings, ...request.parameters]),
          signal: execution.signal,
          ...formatAndDatabase(request),
        });
      } finally {
        if (role === "service" && mayChangeTables(text)) {
          inserts.forgetTables();
          views.invalidate();
        }
      }
    },
  };

  async function executeForProject(execution: Execution, project: string): Promise<EngineResult> {
    const { request, signal } = execution;
    assertProjectRequest(request);
    const settings = new Map([...effectiveSettings("reader", request.settings), ...request.parameters]);
    const { text } = singleStatement(await statementOf(execution));
    const sql = inProjectDatabase(text);
    await assertReader(sql, assertProjectReadable);
    await views.ready();
    const format = request.defaultFormat === undefined ? {} : { format: request.defaultFormat };
    try {
      return withoutFigures(await sessions.run({ sql, role: "reader", project, settings, signal, ...format }));
    } catch (error) {
      throw error instanceof EngineError ? withoutInternals(error) : error;
    }
  }

  /** `more`: rules beside those for every reader. */
  async function assertReader(sql: string, more: (sql: string) => void = () => {}): Promise<void> {
    assertReadable(sql, refused);
    more(sql);
    // Second opinion: the same rules over the engine's own canonical spelling of the statement.
    const canonical = await canonicalForm(sessions, sql);
    assertReadable(canonical, refused);
    more(canonical);
  }
}

function insertRequest(
  { request, body }: Execution,
  insert: DataInsert,
  settings: ReadonlyMap<string, string>,
): InsertRequest {
  return {
    insert,
    body,
    settings,
    ...(request.database !== undefined && { database: request.database }),
    ...(request.rowsFile !== undefined && { rowsFile: request.rowsFile }),
  };
}

/** ClickHouse joins the query of the URL and the body. */
async function statementOf({ request, body }: Execution): Promise<string> {
  const text = await textOf(body);
  return request.query === "" || text === "" ? request.query + text : `${request.query}\n${text}`;
}

function formatAndDatabase(request: EngineRequest): { format?: string; database?: string } {
  return {
    ...(request.defaultFormat !== undefined && { format: request.defaultFormat }),
    ...(request.database !== undefined && { database: request.database }),
  };
}

async function canonicalForm(sessions: EngineSessions, sql: string): Promise<string> {
  try {
    const [text] = await readStrings(sessions, `SELECT formatQuerySingleLine(${sqlString(sql)})`);
    return text ?? "";
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    throw new EngineError(error.code, error.type, error.message.replace(/: In scope SELECT formatQuery.*$/s, "."));
  }
}

async function readRefusedNames(sessions: EngineSessions): Promise<RefusedNames> {
  const tableFunctions = await readStrings(sessions, "SELECT name FROM system.table_functions");
  const functions = await readStrings(
    sessions,
    "SELECT name FROM system.functions WHERE hasAny(splitByChar(',', categories), ['AI', 'Introspection'])",
  );
  // An empty list would open the door that the list is there to close.
  if (tableFunctions.length === 0 || functions.length === 0) throw new Error("The engine lists no functions.");
  return refusedNames(tableFunctions, functions);
}

async function readStrings(sessions: EngineSessions, sql: string): Promise<string[]> {
  const result = await sessions.run({ sql, role: "service", settings: new Map(), format: "JSONCompactEachRow" });
  const lines = Buffer.from(result.bytes).toString().split("\n");
  return lines.filter((line) => line !== "").map((line) => (JSON.parse(line) as [string])[0]);
}

async function* noBytes(): AsyncGenerator<Uint8Array> {
  // An insert that carries its rows in the statement has no further body.
}
