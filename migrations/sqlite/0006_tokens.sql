-- The keys that sign tokens: the newest that is not retired signs, the others are published until their tokens have ended.
CREATE TABLE signing_keys (
    id TEXT PRIMARY KEY,
    sealed TEXT NOT NULL,
    public_key TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    retired_at INTEGER
) STRICT, WITHOUT ROWID;

-- Bearer tokens, by the hash of the whole token: what has no row here was not given out or has ended.
CREATE TABLE bearer_tokens (
    token_hash TEXT PRIMARY KEY,
    session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX bearer_tokens_session ON bearer_tokens (session_id);
CREATE INDEX bearer_tokens_expires ON bearer_tokens (expires_at);
