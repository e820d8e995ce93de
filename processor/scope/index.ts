export { driftLogRow } from "./drift-log-row.ts";
export { openClickHouseSource, type OpenClickHouseSourceOptions } from "./open-clickhouse-source.ts";
export { SCOPE_VARIABLES, scopeConfigShape } from "./scope-config.ts";
export { createServiceScope, type ServiceScope } from "./service-scope.ts";
