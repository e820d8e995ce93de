-- A reader of one project on a ClickHouse server of your own. There the server keeps projects apart, not runproof: tokens of
-- runproof decide who writes for which project, users of the server decide who reads. Nothing applies this file for you.
--
-- Run it as an administrator after the service has made its tables, once for each project and with a password of your own:
--
--   sed 's/SHOP/my-project/g; s/PASSWORD/my-password/' projects.sql | clickhouse-client --multiquery
--
-- The tables are those of database `default`. On a cluster add ON CLUSTER everywhere, and the policies and grants for the
-- _local tables too. The service's user must have no policy and go on seeing all rows: leave
-- access_control_improvements.users_without_row_policies_can_read_rows as it is (true).
--
-- Why views, and not a row policy on the reader: a function on a LowCardinality column is computed for the whole dictionary
-- of a part (measured on 26.7), so `factorial(20 + (ServiceName = 'x'))` fails or not by rows that the policy hides. The views
-- hand such columns on as plain strings, and read as a user who cannot log in and stands under the policies.

CREATE USER IF NOT EXISTS `SHOP_rows` IDENTIFIED WITH no_authentication;

CREATE USER IF NOT EXISTS `SHOP_reader` IDENTIFIED BY 'PASSWORD'
SETTINGS readonly = 1, max_execution_time = 30, max_memory_usage = 2147483648, use_query_condition_cache = 0;

CREATE ROW POLICY IF NOT EXISTS `SHOP` ON default.otel_traces USING Project = 'SHOP' TO `SHOP_rows`;
CREATE ROW POLICY IF NOT EXISTS `SHOP` ON default.otel_logs USING Project = 'SHOP' TO `SHOP_rows`;
CREATE ROW POLICY IF NOT EXISTS `SHOP` ON default.runproof_runs USING project = 'SHOP' TO `SHOP_rows`;
CREATE ROW POLICY IF NOT EXISTS `SHOP` ON default.runproof_canary_rounds USING project = 'SHOP' TO `SHOP_rows`;
CREATE ROW POLICY IF NOT EXISTS `SHOP` ON default.runproof_canary_results USING project = 'SHOP' TO `SHOP_rows`;
CREATE ROW POLICY IF NOT EXISTS `SHOP` ON default.runproof_alerts USING project = 'SHOP' TO `SHOP_rows`;

GRANT SELECT ON default.otel_traces TO `SHOP_rows`;
GRANT SELECT ON default.otel_logs TO `SHOP_rows`;
GRANT SELECT ON default.runproof_runs TO `SHOP_rows`;
GRANT SELECT ON default.runproof_canary_rounds TO `SHOP_rows`;
GRANT SELECT ON default.runproof_canary_results TO `SHOP_rows`;
GRANT SELECT ON default.runproof_alerts TO `SHOP_rows`;

CREATE DATABASE IF NOT EXISTS `SHOP`;

CREATE OR REPLACE VIEW `SHOP`.otel_traces DEFINER = `SHOP_rows` SQL SECURITY DEFINER AS
SELECT
    Timestamp, TraceId, SpanId, ParentSpanId, TraceState, SpanName::String AS SpanName, SpanKind::String AS SpanKind,
    ServiceName::String AS ServiceName, ResourceAttributes::Map(String, String) AS ResourceAttributes,
    ScopeName, ScopeVersion, SpanAttributes::Map(String, String) AS SpanAttributes, Duration,
    StatusCode::String AS StatusCode, StatusMessage,
    Events.Timestamp AS `Events.Timestamp`, Events.Name::Array(String) AS `Events.Name`,
    Events.Attributes::Array(Map(String, String)) AS `Events.Attributes`,
    Links.TraceId AS `Links.TraceId`, Links.SpanId AS `Links.SpanId`, Links.TraceState AS `Links.TraceState`,
    Links.Attributes::Array(Map(String, String)) AS `Links.Attributes`, RunId
FROM default.otel_traces;

CREATE OR REPLACE VIEW `SHOP`.otel_logs DEFINER = `SHOP_rows` SQL SECURITY DEFINER AS
SELECT
    Timestamp, TraceId, SpanId, TraceFlags, SeverityText::String AS SeverityText, SeverityNumber,
    ServiceName::String AS ServiceName, Body, ResourceSchemaUrl::String AS ResourceSchemaUrl,
    ResourceAttributes::Map(String, String) AS ResourceAttributes, ScopeSchemaUrl::String AS ScopeSchemaUrl, ScopeName,
    ScopeVersion::String AS ScopeVersion, ScopeAttributes::Map(String, String) AS ScopeAttributes,
    LogAttributes::Map(String, String) AS LogAttributes, EventName
FROM default.otel_logs;

CREATE OR REPLACE VIEW `SHOP`.runproof_runs DEFINER = `SHOP_rows` SQL SECURITY DEFINER AS
SELECT
    * REPLACE (
        agent_name::String AS agent_name, run_type::String AS run_type, model::String AS model, status::String AS status,
        failure_class::String AS failure_class, service_name::String AS service_name, project::String AS project)
FROM default.runproof_runs FINAL;

CREATE OR REPLACE VIEW `SHOP`.runproof_canary_rounds DEFINER = `SHOP_rows` SQL SECURITY DEFINER AS
SELECT
    * REPLACE (project::String AS project, tier::String AS tier, shard::String AS shard, phase::String AS phase)
FROM default.runproof_canary_rounds FINAL;

CREATE OR REPLACE VIEW `SHOP`.runproof_canary_results DEFINER = `SHOP_rows` SQL SECURITY DEFINER AS
SELECT
    * REPLACE (
        project::String AS project, tier::String AS tier, outcome::String AS outcome, fixture_state::String AS fixture_state,
        agent_name::String AS agent_name, protects::String AS protects)
FROM default.runproof_canary_results FINAL;

CREATE OR REPLACE VIEW `SHOP`.runproof_alerts DEFINER = `SHOP_rows` SQL SECURITY DEFINER AS
SELECT
    * REPLACE (
        project::String AS project, agent_name::String AS agent_name, failure_class::String AS failure_class, state::String AS state)
FROM default.runproof_alerts FINAL;

GRANT SELECT ON `SHOP`.* TO `SHOP_reader`;
