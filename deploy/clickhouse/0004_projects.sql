-- The project of every row, as a column that a row policy can compare. Ingest makes the credential's project the resource
-- attribute runproof.project before anything is stored; nobody inserts the columns of spans and logs.

ALTER TABLE otel_traces
    ADD COLUMN IF NOT EXISTS Project LowCardinality(String) MATERIALIZED ResourceAttributes['runproof.project'] CODEC(ZSTD(1));

ALTER TABLE otel_logs
    ADD COLUMN IF NOT EXISTS Project LowCardinality(String) MATERIALIZED ResourceAttributes['runproof.project'] CODEC(ZSTD(1));

-- Part of the key: two projects may use one trace id, and merging their rows would mix their times.
ALTER TABLE otel_traces_trace_id_ts
    ADD COLUMN IF NOT EXISTS Project LowCardinality(String),
    MODIFY ORDER BY (TraceId, Project);

ALTER TABLE otel_traces_trace_id_ts_mv MODIFY QUERY
SELECT TraceId, ResourceAttributes['runproof.project'] AS Project, min(Timestamp) AS Start, max(Timestamp) AS End
FROM otel_traces
WHERE TraceId != ''
GROUP BY TraceId, Project;

-- A contract is stored once per hash and project: that another project has the same one must not show.
ALTER TABLE runproof_contracts
    ADD COLUMN IF NOT EXISTS project LowCardinality(String),
    MODIFY ORDER BY (contract_sha256, project);

ALTER TABLE runproof_quarantine ADD COLUMN IF NOT EXISTS project LowCardinality(String);
