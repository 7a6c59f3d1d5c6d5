-- Buckets of the rate limiter. `key` is a SHA-256; `full_at` is when all tries are there again, in microseconds. Each try updates
-- it in place, for which pages keep room.
CREATE TABLE rate_limits (
    key TEXT NOT NULL PRIMARY KEY,
    full_at BIGINT NOT NULL
) WITH (fillfactor = 70);
