-- Buckets of the rate limiter. `key` is a SHA-256; `full_at` is when all tries are there again, in microseconds.
CREATE TABLE rate_limits (
    key TEXT PRIMARY KEY,
    full_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
