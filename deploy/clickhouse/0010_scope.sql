-- Default project scopes that the service keeps, every version of them.

-- A write names the version it follows from in its deduplication token, "scope:<key>:<generation>": of two that follow from
-- the same one the second is not stored, whoever it is from. scope = '' takes the value away; the generation goes on.
CREATE TABLE IF NOT EXISTS runproof_scopes (
    scope_key String,
    generation UInt64,
    scope String,
    write_id String,
    written_by String,
    written_at DateTime64(3)
) ENGINE = MergeTree
ORDER BY (scope_key, generation)
SETTINGS index_granularity = 1024, non_replicated_deduplication_window = 10000,
    fsync_after_insert = 1, fsync_part_directory = 1;
