import { isPunctuation, isWord, lexSql, sqlName, sqlString, type SqlToken } from "../embedded/sql-text.ts";
import { localName, TABLE_PLACEMENTS, type TablePlacement } from "../topology.ts";
import { alterParts } from "./alter-parts.ts";
import { editedSql, startsWith, topLevel, type SqlEdit } from "./sql-edit.ts";

/** Names that a rendering is for. */
export interface ClusterTarget {
  readonly cluster: string;
  readonly database: string;
}

/** A statement of a migration that has no known meaning on a cluster. It is never passed through. */
export class MigrationRenderError extends Error {
  override readonly name = "MigrationRenderError";
  readonly code = "migration_not_renderable";
}

/** Renders statements one by one, in the order of the migrations: it remembers which names are views. */
export interface ClusterRenderer {
  /** The statements that do on a cluster what `sql` does on one server. @throws MigrationRenderError */
  render(sql: string): string[];
}

const ENGINE = /^(?:Replacing|Aggregating|Summing|Collapsing|VersionedCollapsing)?MergeTree$/;
const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,62}$/;
const KEEPER_PATH = "/clickhouse/tables/runproof/{database}/{table}";

/**
 * Plain single-server SQL in, cluster SQL out. Strict: it knows the few statement forms that migrations are made of.
 *
 * The path in Keeper is made of names, not of `{uuid}`: a statement that was cut short and is sent again must find the
 * replicas it has made already.
 *
 * @throws MigrationRenderError for names that are no plain identifiers
 */
export function createClusterRenderer(target: ClusterTarget): ClusterRenderer {
  for (const name of [target.cluster, target.database]) {
    if (!NAME.test(name)) throw new MigrationRenderError(`${JSON.stringify(name)} is no plain identifier`);
  }
  const views = new Set<string>();
  const onCluster = ` ON CLUSTER ${sqlName(target.cluster)}`;

  function createTable(sql: string, tokens: readonly SqlToken[]): string[] {
    const { name, token } = nameAt(tokens, 5);
    const placement = placementOf(name);
    const table = placement.kind === "sharded" ? localName(name) : name;
    const edits = [
      { start: token.start, end: token.end, text: table + onCluster },
      engineEdit(tokens, placement),
      ...settingEdits(tokens),
    ];
    const local = editedSql(sql, edits);
    return placement.kind === "global" ? [local] : [local, distributedTable(name, placement.key)];
  }

  function distributedTable(name: string, key: string): string {
    const [cluster, database, local] = [target.cluster, target.database, localName(name)].map(sqlString);
    return (
      `CREATE TABLE IF NOT EXISTS ${name}${onCluster} AS ${localName(name)}\n` +
      `ENGINE = Distributed(${cluster}, ${database}, ${local}, ${key})`
    );
  }

  function createMaterializedView(sql: string, tokens: readonly SqlToken[]): string[] {
    const { name, token } = nameAt(tokens, 6);
    const to = tokens[7];
    if (!isWord(to, "TO")) throw refused(sql, "a materialized view needs TO and a table");
    const { name: into, token: intoToken } = nameAt(tokens, 8);
    views.add(name);
    return [
      editedSql(sql, [
        { start: token.end, end: token.end, text: onCluster },
        { start: intoToken.start, end: intoToken.end, text: nameOnServer(into) },
        ...selectEdits(sql, tokens.slice(9)),
      ]),
    ];
  }

  function createView(sql: string, tokens: readonly SqlToken[]): string[] {
    const { name, token } = nameAt(tokens, 5);
    views.add(name);
    // It reads whole tables, wherever their rows lie.
    return [editedSql(sql, [{ start: token.end, end: token.end, text: onCluster }])];
  }

  function alterTable(sql: string, tokens: readonly SqlToken[]): string[] {
    const { name, token } = nameAt(tokens, 2);
    if (views.has(name)) {
      if (!isWord(tokens[3], "MODIFY") || !isWord(tokens[4], "QUERY"))
        throw refused(sql, "a view can only MODIFY QUERY");
      const edits = selectEdits(sql, tokens.slice(5));
      return [editedSql(sql, [{ start: token.end, end: token.end, text: onCluster }, ...edits])];
    }
    const placement = placementOf(name);
    const table = nameOnServer(name);
    const head = { start: token.start, end: token.end, text: table + onCluster };
    const stored = editedSql(sql, [head, ...settingEdits(tokens)]);
    const parts = alterParts(sql, tokens.slice(3));
    if (parts === undefined) throw refused(sql, "this ALTER is not known");
    const columns = parts.filter((part) => part.isColumn);
    if (placement.kind === "global" || columns.length === 0) return [stored];
    const commands = columns.map((part) => part.sql).join(",\n    ");
    return [stored, `ALTER TABLE ${name}${onCluster}\n    ${commands}`];
  }

  function dropView(sql: string, tokens: readonly SqlToken[]): string[] {
    const { name, token } = nameAt(tokens, 4);
    if (tokens.length !== 5 || !views.delete(name)) throw refused(sql, `${name} is no view of a migration`);
    return [editedSql(sql, [{ start: token.end, end: token.end, text: `${onCluster} SYNC` }])];
  }

  function dropTable(sql: string, tokens: readonly SqlToken[]): string[] {
    const { name } = nameAt(tokens, 4);
    if (tokens.length !== 5) throw refused(sql, "a table is dropped by its name alone");
    const names = placementOf(name).kind === "sharded" ? [name, localName(name)] : [name];
    // SYNC: the path in Keeper is free again when it returns.
    return names.map((table) => `DROP TABLE IF EXISTS ${table}${onCluster} SYNC`);
  }

  /** Through the whole tables: every row finds its shard by the target's key. */
  function insertSelect(sql: string, tokens: readonly SqlToken[]): string[] {
    placementOf(nameAt(tokens, 2).name);
    if (!isWord(tokens[3], "SELECT")) throw refused(sql, "rows come from a SELECT");
    // For its checks: only tables of ours.
    selectEdits(sql, tokens.slice(3));
    return [sql];
  }

  return {
    render(sql) {
      const tokens = lexSql(sql);
      if (startsWith(tokens, "CREATE", "TABLE", "IF", "NOT", "EXISTS")) return createTable(sql, tokens);
      if (startsWith(tokens, "CREATE", "MATERIALIZED", "VIEW", "IF", "NOT", "EXISTS"))
        return createMaterializedView(sql, tokens);
      if (startsWith(tokens, "CREATE", "VIEW", "IF", "NOT", "EXISTS")) return createView(sql, tokens);
      if (startsWith(tokens, "ALTER", "TABLE")) return alterTable(sql, tokens);
      if (startsWith(tokens, "DROP", "VIEW", "IF", "EXISTS")) return dropView(sql, tokens);
      if (startsWith(tokens, "DROP", "TABLE", "IF", "EXISTS")) return dropTable(sql, tokens);
      if (startsWith(tokens, "INSERT", "INTO")) return insertSelect(sql, tokens);
      throw refused(sql, "this form of statement is not known");
    },
  };
}

const refused = (sql: string, why: string): MigrationRenderError =>
  new MigrationRenderError(`cannot be rendered for a cluster, ${why}: ${withoutComments(sql).slice(0, 120)}`);

const withoutComments = (sql: string): string => sql.replaceAll(/^\s*--.*$/gm, "").trim();

/** A plain, unquoted name that no database stands before. */
function nameAt(tokens: readonly SqlToken[], index: number): { name: string; token: SqlToken } {
  const token = tokens[index];
  if (token?.kind !== "word" || isPunctuation(tokens[index + 1], ".")) {
    throw new MigrationRenderError(`cannot be rendered for a cluster: ${token?.text ?? "the end"} is no plain name`);
  }
  return { name: token.text, token };
}

function placementOf(table: string): TablePlacement {
  const placement = Object.hasOwn(TABLE_PLACEMENTS, table) ? TABLE_PLACEMENTS[table] : undefined;
  if (placement === undefined) {
    throw new MigrationRenderError(`the table ${table} has no place in a cluster yet; give it one in TABLE_PLACEMENTS`);
  }
  return placement;
}

const nameOnServer = (table: string): string => (placementOf(table).kind === "sharded" ? localName(table) : table);

function engineEdit(tokens: readonly SqlToken[], placement: TablePlacement): SqlEdit {
  const outside = topLevel(tokens);
  const at = outside.findIndex(({ token }) => isWord(token, "ENGINE"));
  const [, equals, engine] = outside.slice(at);
  if (at === -1 || !isPunctuation(equals?.token, "=") || engine === undefined || !ENGINE.test(engine.token.text)) {
    throw new MigrationRenderError("cannot be rendered for a cluster: a table needs ENGINE = …MergeTree");
  }
  const isGlobal = placement.kind === "global";
  const path = sqlString(`${KEEPER_PATH}/${isGlobal ? "global" : "{shard}"}`);
  const replica = sqlString(isGlobal ? "{shard}-{replica}" : "{replica}");
  const open = tokens[engine.index + 1];
  const hasBrackets = isPunctuation(open, "(");
  const isEmpty = isPunctuation(tokens[engine.index + 2], ")");
  const rest = hasBrackets ? (isEmpty ? "" : ", ") : ")";
  const end = hasBrackets ? (open as SqlToken).end : engine.token.end;
  return { start: engine.token.start, end, text: `Replicated${engine.token.text}(${path}, ${replica}${rest}` };
}

/**
 * A replicated table keeps its tokens in Keeper, by number and by age. The age is an hour unless told otherwise, and a
 * spool sends a block again after any outage.
 */
function settingEdits(tokens: readonly SqlToken[]): SqlEdit[] {
  return tokens
    .filter((token) => token.kind === "word" && token.text.startsWith("non_replicated_"))
    .map(({ text, start, end }) => {
      if (text !== "non_replicated_deduplication_window") {
        throw new MigrationRenderError(`cannot be rendered for a cluster: the setting ${text} is not known`);
      }
      return { start, end, text: "replicated_deduplication_window_seconds = 604800, replicated_deduplication_window" };
    });
}

/** Tables of a view's query become the server's own: what a view reads and writes lies on one shard. */
function selectEdits(sql: string, tokens: readonly SqlToken[]): SqlEdit[] {
  return tokens.flatMap((token, index) => {
    if (isWord(tokens[index - 1], "FROM", "JOIN") && !isPunctuation(token, "(")) {
      if (isPunctuation(tokens[index + 1], ".")) throw refused(sql, "a view names tables without a database");
      // Throws for everything that is no table of ours.
      placementOf(token.text);
    }
    if (
      token.kind !== "word" ||
      isPunctuation(tokens[index - 1], ".") ||
      !Object.hasOwn(TABLE_PLACEMENTS, token.text)
    ) {
      return [];
    }
    return [{ start: token.start, end: token.end, text: nameOnServer(token.text) }];
  });
}
