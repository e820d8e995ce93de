-- What one insert writes becomes a part of 5 files and not of 170, each of which is created, flushed and deleted again by
-- the first merge. Measured with parts of 8 MiB: 25 % less processor time for an insert with its merges.

ALTER TABLE otel_traces MODIFY SETTING min_bytes_for_wide_part = 100663296;

ALTER TABLE otel_logs MODIFY SETTING min_bytes_for_wide_part = 100663296;
