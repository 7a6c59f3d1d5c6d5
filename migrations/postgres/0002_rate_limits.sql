-- Buckets of the rate limiter. `key` is a SHA-256; `full_at` is when all tries are there again, in microseconds.
CREATE TABLE rate_limits (
    key TEXT NOT NULL PRIMARY KEY,
    full_at BIGINT NOT NULL
);

CREATE INDEX rate_limits_full_at ON rate_limits (full_at);
