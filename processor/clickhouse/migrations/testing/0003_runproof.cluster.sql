-- runproof's own tables: run records, their history, contracts, gaps of the monitor, rows that could not be stored.

-- Every transition of every run, append only. This is the table that is written; the current rows follow through the view.
-- status: 'started' or a verdict (passed failed blocked degraded skipped inconclusive). run_type: live | replay | canary.
-- reasons and proofs are JSON. received_at is the collector's clock, version is made from evidence and never from a clock.
CREATE TABLE IF NOT EXISTS runproof_run_history_local ON CLUSTER `main` (
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
    INDEX idx_trace_id trace_id TYPE bloom_filter(0.001) GRANULARITY 1
) ENGINE = ReplicatedMergeTree('/clickhouse/tables/runproof/{database}/{table}/{shard}', '{replica}')
PARTITION BY toYYYYMM(judged_at)
ORDER BY (run_id, version)
SETTINGS index_granularity = 8192, replicated_deduplication_window_seconds = 604800, replicated_deduplication_window = 10000,
    fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS runproof_run_history ON CLUSTER `main` AS runproof_run_history_local
ENGINE = Distributed('main', 'runproof', 'runproof_run_history_local', cityHash64(trace_id));

-- One current row per run: the highest version wins. Read it with FINAL and LIMIT 1 BY run_id, because a corrected
-- started_at or agent_name changes the sorting key.
CREATE TABLE IF NOT EXISTS runproof_runs_local ON CLUSTER `main` (
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
    INDEX idx_trace_id trace_id TYPE bloom_filter(0.001) GRANULARITY 1
) ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/runproof/{database}/{table}/{shard}', '{replica}', version)
ORDER BY (agent_name, started_at, run_id)
SETTINGS index_granularity = 8192, replicated_deduplication_window_seconds = 604800, replicated_deduplication_window = 10000,
    fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS runproof_runs ON CLUSTER `main` AS runproof_runs_local
ENGINE = Distributed('main', 'runproof', 'runproof_runs_local', cityHash64(trace_id));

CREATE MATERIALIZED VIEW IF NOT EXISTS runproof_runs_mv ON CLUSTER `main` TO runproof_runs_local AS
SELECT * FROM runproof_run_history_local;

-- A contract in full, once per hash.
CREATE TABLE IF NOT EXISTS runproof_contracts ON CLUSTER `main` (
    contract_sha256 String,
    contract String CODEC(ZSTD(1)),
    agent_name LowCardinality(String),
    first_seen_at DateTime64(3)
) ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/runproof/{database}/{table}/global', '{shard}-{replica}')
ORDER BY (contract_sha256)
SETTINGS index_granularity = 8192, replicated_deduplication_window_seconds = 604800, replicated_deduplication_window = 10000,
    fsync_after_insert = 1, fsync_part_directory = 1;

-- Times in which the monitor itself did not run: deadlines do not count through them.
CREATE TABLE IF NOT EXISTS runproof_monitor_gaps ON CLUSTER `main` (
    started_at DateTime64(3),
    ended_at DateTime64(3),
    reason String
) ENGINE = ReplicatedMergeTree('/clickhouse/tables/runproof/{database}/{table}/global', '{shard}-{replica}')
ORDER BY (started_at)
SETTINGS index_granularity = 8192, replicated_deduplication_window_seconds = 604800, replicated_deduplication_window = 10000,
    fsync_after_insert = 1, fsync_part_directory = 1;

-- Rows the engine refused for their content, with the reason. signal: traces | logs | runs.
CREATE TABLE IF NOT EXISTS runproof_quarantine ON CLUSTER `main` (
    received_at DateTime64(3),
    signal LowCardinality(String),
    reason String CODEC(ZSTD(1)),
    row_json String CODEC(ZSTD(1))
) ENGINE = ReplicatedMergeTree('/clickhouse/tables/runproof/{database}/{table}/global', '{shard}-{replica}')
PARTITION BY toYYYYMM(received_at)
ORDER BY (received_at)
SETTINGS index_granularity = 8192, replicated_deduplication_window_seconds = 604800, replicated_deduplication_window = 10000,
    fsync_after_insert = 1, fsync_part_directory = 1;
