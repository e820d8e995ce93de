-- What several collectors on one store know of each other, and when a span became readable.

-- Signs of life, append only. stored_through: everything the collector had acknowledged before that time is stored;
-- judged_through: everything it had stored before that time is judged. state: up | left. Times are the collector's clock.
-- A lost beat is a gap of the monitor, which errs on the careful side: no fsync.
CREATE TABLE IF NOT EXISTS runproof_collectors (
    collector_id String,
    heard_at DateTime64(3),
    stored_through DateTime64(3),
    judged_through DateTime64(3),
    state LowCardinality(String)
) ENGINE = MergeTree
PARTITION BY toDate(heard_at)
ORDER BY (heard_at, collector_id)
TTL toDateTime(heard_at) + INTERVAL 30 DAY
SETTINGS index_granularity = 1024, ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000;

-- The agents' clocks say when a span began; what a collector that died had stored and not judged is found by this one.
ALTER TABLE otel_traces ADD COLUMN IF NOT EXISTS StoredAt DateTime MATERIALIZED now() CODEC(Delta(4), ZSTD(1));

ALTER TABLE otel_traces ADD INDEX IF NOT EXISTS idx_stored_at StoredAt TYPE minmax GRANULARITY 1;
