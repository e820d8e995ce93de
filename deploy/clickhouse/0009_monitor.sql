-- What the monitor reads: rounds of canaries, one result per fixture of a round, and the alerts it raised. The first two come
-- out of the log events runproof.canary.round and runproof.canary.result, whoever sends them; an event that is sent again
-- replaces itself. Log records are foreign data: no value of theirs may make the insert of a log row fail.

-- observed_at is the sender's clock, and never later than the store's: a time to come would stay fresh for ever.
CREATE TABLE IF NOT EXISTS runproof_canary_rounds (
    project LowCardinality(String),
    tier LowCardinality(String),
    round_id String,
    shard LowCardinality(String),
    phase LowCardinality(String),
    slot DateTime64(3),
    interval_seconds Float64,
    fixtures Array(String) CODEC(ZSTD(1)),
    observed_at DateTime64(3)
) ENGINE = ReplacingMergeTree(observed_at)
PARTITION BY toDate(observed_at)
ORDER BY (project, tier, round_id, shard, phase)
TTL toDateTime(observed_at) + INTERVAL 90 DAY
SETTINGS index_granularity = 1024, ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000,
    fsync_after_insert = 1, fsync_part_directory = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS runproof_canary_rounds_mv TO runproof_canary_rounds AS
SELECT
    ResourceAttributes['runproof.project'] AS project,
    LogAttributes['runproof.canary.tier'] AS tier,
    LogAttributes['runproof.canary.round_id'] AS round_id,
    LogAttributes['runproof.canary.shard'] AS shard,
    LogAttributes['runproof.canary.phase'] AS phase,
    fromUnixTimestamp64Milli(least(greatest(toInt64OrZero(LogAttributes['runproof.canary.slot']), 0), 4102444800000)) AS slot,
    if(isFinite(toFloat64OrZero(LogAttributes['runproof.canary.interval_seconds'])), toFloat64OrZero(LogAttributes['runproof.canary.interval_seconds']), 0) AS interval_seconds,
    JSONExtract(LogAttributes['runproof.canary.fixtures'], 'Array(String)') AS fixtures,
    toDateTime64(least(Timestamp, now64(9)), 3) AS observed_at
FROM otel_logs
WHERE EventName = 'runproof.canary.round';

CREATE TABLE IF NOT EXISTS runproof_canary_results (
    project LowCardinality(String),
    tier LowCardinality(String),
    fixture_id String,
    round_id String,
    slot DateTime64(3),
    interval_seconds Float64,
    outcome LowCardinality(String),
    fixture_state LowCardinality(String),
    agent_name LowCardinality(String),
    protects LowCardinality(String),
    code_version String,
    run_id String,
    explanation String CODEC(ZSTD(1)),
    duration_ms Float64,
    observed_at DateTime64(3)
) ENGINE = ReplacingMergeTree(observed_at)
PARTITION BY toDate(observed_at)
ORDER BY (project, tier, fixture_id, round_id)
TTL toDateTime(observed_at) + INTERVAL 90 DAY
SETTINGS index_granularity = 1024, ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000,
    fsync_after_insert = 1, fsync_part_directory = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS runproof_canary_results_mv TO runproof_canary_results AS
SELECT
    ResourceAttributes['runproof.project'] AS project,
    LogAttributes['runproof.canary.tier'] AS tier,
    LogAttributes['runproof.fixture.id'] AS fixture_id,
    LogAttributes['runproof.canary.round_id'] AS round_id,
    fromUnixTimestamp64Milli(least(greatest(toInt64OrZero(LogAttributes['runproof.canary.slot']), 0), 4102444800000)) AS slot,
    if(isFinite(toFloat64OrZero(LogAttributes['runproof.canary.interval_seconds'])), toFloat64OrZero(LogAttributes['runproof.canary.interval_seconds']), 0) AS interval_seconds,
    LogAttributes['runproof.canary.outcome'] AS outcome,
    LogAttributes['runproof.canary.fixture_state'] AS fixture_state,
    LogAttributes['gen_ai.agent.name'] AS agent_name,
    LogAttributes['runproof.canary.protects'] AS protects,
    LogAttributes['runproof.code.version'] AS code_version,
    LogAttributes['runproof.run.id'] AS run_id,
    LogAttributes['runproof.canary.explanation'] AS explanation,
    if(isFinite(toFloat64OrZero(LogAttributes['runproof.canary.duration_ms'])), toFloat64OrZero(LogAttributes['runproof.canary.duration_ms']), 0) AS duration_ms,
    toDateTime64(least(Timestamp, now64(9)), 3) AS observed_at
FROM otel_logs
WHERE EventName = 'runproof.canary.result';

-- One row per alert, the highest version wins: read it with LIMIT 1 BY project, alert_id. Nothing but the monitor writes here.
-- state: firing | resolved. resolved_by: `canary <fixture>` or a person, with the reason.
CREATE TABLE IF NOT EXISTS runproof_alerts (
    alert_id String,
    project LowCardinality(String),
    agent_name LowCardinality(String),
    failure_class LowCardinality(String),
    code_version String,
    episode UInt32,
    state LowCardinality(String),
    first_bad_run_id String,
    first_bad_at DateTime64(3),
    last_bad_run_id String,
    last_bad_at DateTime64(3),
    alerted_at DateTime64(3),
    resolved_at Nullable(DateTime64(3)),
    resolved_by String,
    resolve_reason String,
    silent_failure_window_minutes Float64,
    fixture_id String,
    run_count UInt32,
    version UInt64
) ENGINE = ReplacingMergeTree(version)
ORDER BY (project, alert_id)
SETTINGS index_granularity = 1024, non_replicated_deduplication_window = 10000,
    fsync_after_insert = 1, fsync_part_directory = 1;
