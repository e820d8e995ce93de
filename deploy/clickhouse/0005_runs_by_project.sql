-- A run is named by its project and its id: without the project in the sorting key a row of another project with the same
-- agent, time and id would replace it on merge. The current rows are made anew from the history, which has all of them.
-- idx_deadline_at lets the watchdog pass over what was due long ago.

DROP VIEW IF EXISTS runproof_runs_mv;

DROP TABLE IF EXISTS runproof_runs;

-- One current row per run: the highest version wins. Read it with LIMIT 1 BY project, run_id, because a corrected
-- started_at or agent_name changes the sorting key.
CREATE TABLE IF NOT EXISTS runproof_runs (
    run_id String,
    parent_run_id String,
    task_id String,
    attempt UInt32,
    agent_name LowCardinality(String),
    run_type LowCardinality(String),
    fixture_id String,
    started_at DateTime64(9),
    code_version String,
    model LowCardinality(String),
    prompt_version String,
    tool_allowlist Array(String),
    timeout_seconds Float64,
    input_sha256 String,
    state_refs Array(String),
    artifact_refs Array(String),
    status LowCardinality(String),
    failure_class LowCardinality(String),
    failure_reason String CODEC(ZSTD(1)),
    closed_at Nullable(DateTime64(9)),
    trace_id String,
    root_span_id String,
    service_name LowCardinality(String),
    project LowCardinality(String),
    contract_sha256 String,
    reasons String CODEC(ZSTD(1)),
    proofs String CODEC(ZSTD(1)),
    received_at DateTime64(3),
    deadline_at DateTime64(3),
    evidence_rank UInt8,
    fact_count UInt32,
    version UInt64,
    judged_at DateTime64(3),
    INDEX idx_run_id run_id TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX idx_trace_id trace_id TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX idx_deadline_at deadline_at TYPE minmax GRANULARITY 1
) ENGINE = ReplacingMergeTree(version)
ORDER BY (project, agent_name, started_at, run_id)
SETTINGS index_granularity = 8192, non_replicated_deduplication_window = 10000,
    fsync_after_insert = 1, fsync_part_directory = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS runproof_runs_mv TO runproof_runs AS
SELECT * FROM runproof_run_history;

-- Again after a crash is harmless: the same versions replace themselves.
INSERT INTO runproof_runs SELECT * FROM runproof_run_history;
