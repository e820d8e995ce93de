export { createClickHouseSource, type ClickHouseSourceOptions } from "./clickhouse-source.ts";
export { driftLogRow } from "./drift-log-row.ts";
export { requestScope } from "./request-scope.ts";
export { SCOPE_VARIABLES, scopeConfigShape } from "./scope-config.ts";
export { createServiceScope, type ScopeHealth, type ServiceScope } from "./service-scope.ts";
