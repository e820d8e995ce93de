import { PROJECT_DATABASE, PROJECT_ROLE, PROJECT_ROWS_USER, PROJECT_TABLES, SERVICE_ROLE } from "./project-tables.ts";
import { logCommentProject } from "./session-mark.ts";

/** What a session under the project's role must not see of others; `parts`, `tables` and `columns` follow its grants. */
const SYSTEM_TABLES = `
  asynchronous_inserts asynchronous_insert_log asynchronous_loader asynchronous_metric_log asynchronous_metrics backups
  background_schedule_pool background_schedule_pool_log crash_log databases detached_parts dimensional_metrics disks distribution_queue dropped_tables
  dropped_tables_parts error_log errors events filesystem_cache filesystem_cache_log grants histogram_metrics jemalloc_bins
  merges metric_log metrics moves mutations opentelemetry_span_log part_log part_moves_between_shards processes
  processors_profile_log projection_parts projections query_cache query_condition_cache query_log query_metric_log
  query_thread_log query_views_log replicas roles row_policies s3queue_log server_settings session_log settings_changes
  stack_trace tables_columns_statistics text_log trace_log transactions user_processes users view_refreshes warnings
`
  .trim()
  .split(/\s+/);

/**
 * The engine's users, roles and row policies.
 *
 * chDB (3.4.0) has one user, and no writable access storage, impersonation or custom settings; but it takes users, roles and
 * row policies from a file. So a session lays down its rights with `SET ROLE`, and the views read as another user. With a second
 * `SET ROLE` it could take them up again: that a reader's statement is one, and reads, is for the guard to see to.
 */
export function usersXml(): string {
  const views = `GRANT SELECT ON ${PROJECT_DATABASE}.*`;
  const tables = Object.keys(PROJECT_TABLES).map((table) => `GRANT SELECT ON default.${table}`);
  const rows = Object.entries(PROJECT_TABLES).map(
    ([table, { column }]) => [table, `${column} = ${logCommentProject()}`] as const,
  );
  const isService = `has(currentRoles(), '${SERVICE_ROLE}')`;
  const system = SYSTEM_TABLES.map((table) => [table, isService] as const);
  return `<clickhouse>
<profiles><default/></profiles>
<quotas><default/></quotas>
<roles>
<${SERVICE_ROLE}>${grants(["GRANT ALL ON *.*"])}</${SERVICE_ROLE}>
<${PROJECT_ROLE}>${grants([views])}</${PROJECT_ROLE}>
</roles>
<users>
${user("default", { policies: policies("system", system), granted: [`GRANT ${SERVICE_ROLE}`, `GRANT ${PROJECT_ROLE}`] })}
${user(PROJECT_ROWS_USER, { policies: policies("default", rows), granted: tables })}
</users>
</clickhouse>
`;
}

const user = (name: string, { policies, granted }: { policies: string; granted: readonly string[] }): string =>
  `<${name}><no_password/><networks><ip>::/0</ip></networks><profile>default</profile><quota>default</quota>
<databases>${policies}</databases>${grants(granted)}</${name}>`;

const grants = (statements: readonly string[]): string =>
  `<grants>${statements.map((statement) => `<query>${statement}</query>`).join("")}</grants>`;

const policies = (database: string, filters: readonly (readonly [table: string, filter: string])[]): string =>
  `<${database}>${filters.map(([table, filter]) => `<${table}><filter>${escapedXml(filter)}</filter></${table}>`).join("")}</${database}>`;

export const escapedXml = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
