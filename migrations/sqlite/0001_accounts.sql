-- Times are microseconds since the Unix epoch, ids are UUIDv7 as text, JSON is text, e-mail addresses are normalised.

CREATE TABLE users (
    -- Stable across VACUUM, unlike an implicit rowid: the search index refers to it.
    rid INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    email TEXT NOT NULL UNIQUE,
    email_verified_at INTEGER,
    first_name TEXT,
    last_name TEXT,
    avatar_url TEXT,
    role TEXT NOT NULL,
    metadata TEXT NOT NULL,
    disabled_at INTEGER,
    last_login_at INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    -- Lower case: what lists sort by and what a search looks through.
    name_key TEXT NOT NULL,
    search_text TEXT NOT NULL
) STRICT;

-- One index an order that a list may have. Each holds what a list filters and searches by, so that a search reads along
-- an index and never along the table. `search_text` begins with the e-mail address and so sorts like it. What is neither
-- a member nor active is rare and has indexes of its own.
CREATE INDEX users_created ON users (created_at, id, role, disabled_at, search_text);
CREATE INDEX users_name ON users (name_key, id, role, disabled_at, search_text);
CREATE INDEX users_email ON users (search_text, id, role, disabled_at);
CREATE INDEX users_role_created ON users (role, created_at, id, disabled_at, search_text) WHERE role <> 'member';
CREATE INDEX users_role_name ON users (role, name_key, id, disabled_at, search_text) WHERE role <> 'member';
CREATE INDEX users_role_email ON users (role, search_text, id, disabled_at) WHERE role <> 'member';
CREATE INDEX users_disabled_created ON users (created_at, id, role, disabled_at, search_text) WHERE disabled_at IS NOT NULL;
CREATE INDEX users_disabled_name ON users (name_key, id, role, disabled_at, search_text) WHERE disabled_at IS NOT NULL;
CREATE INDEX users_disabled_email ON users (search_text, id, role, disabled_at) WHERE disabled_at IS NOT NULL;
-- What only programs ask for: the users that have changed since, and those of one name. `lower` folds ASCII alone, on both
-- databases alike.
CREATE INDEX users_updated ON users (updated_at, id);
CREATE INDEX users_first_name ON users (lower(coalesce(first_name, '')), id);
CREATE INDEX users_last_name ON users (lower(coalesce(last_name, '')), id);

-- Trigrams alone, without positions: a third of the size, and each hit is checked against the text anyway.
CREATE VIRTUAL TABLE users_search USING fts5 (
    search_text, content = 'users', content_rowid = 'rid', detail = none, columnsize = 0, tokenize = 'trigram case_sensitive 1'
);
CREATE TRIGGER users_search_insert AFTER INSERT ON users BEGIN
    INSERT INTO users_search (rowid, search_text) VALUES (new.rid, new.search_text);
END;
CREATE TRIGGER users_search_delete AFTER DELETE ON users BEGIN
    INSERT INTO users_search (users_search, rowid, search_text) VALUES ('delete', old.rid, old.search_text);
END;
CREATE TRIGGER users_search_update AFTER UPDATE OF search_text ON users WHEN old.search_text <> new.search_text BEGIN
    INSERT INTO users_search (users_search, rowid, search_text) VALUES ('delete', old.rid, old.search_text);
    INSERT INTO users_search (rowid, search_text) VALUES (new.rid, new.search_text);
END;

CREATE TABLE auth_identities (
    id TEXT PRIMARY KEY,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Whose login an auth identity is: one account of each actor type at most.
CREATE TABLE auth_identity_actors (
    auth_identity_id TEXT NOT NULL REFERENCES auth_identities (id) ON DELETE CASCADE,
    actor_type TEXT NOT NULL,
    actor_id TEXT NOT NULL,
    PRIMARY KEY (auth_identity_id, actor_type)
) STRICT, WITHOUT ROWID;
CREATE INDEX auth_identity_actors_actor ON auth_identity_actors (actor_type, actor_id);

CREATE TABLE provider_identities (
    provider TEXT NOT NULL,
    entity_id TEXT NOT NULL,
    auth_identity_id TEXT NOT NULL REFERENCES auth_identities (id) ON DELETE CASCADE,
    provider_metadata TEXT NOT NULL,
    user_metadata TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (provider, entity_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX provider_identities_auth_identity ON provider_identities (auth_identity_id);

CREATE TABLE auth_states (
    key_hash TEXT PRIMARY KEY,
    value TEXT NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX auth_states_expires ON auth_states (expires_at);

CREATE TABLE sessions (
    key_hash TEXT PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    actor_type TEXT NOT NULL,
    -- Empty where the identity has no user.
    user_id TEXT NOT NULL,
    -- Who it is for, as JSON, where the embedding application says so.
    external_user TEXT,
    auth_identity_id TEXT NOT NULL,
    provider TEXT NOT NULL,
    ip TEXT,
    user_agent TEXT,
    created_at INTEGER NOT NULL,
    proved_at INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    -- 1 where the cookie outlives the browser, else 0.
    is_remembered INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_user ON sessions (user_id, last_seen_at);
CREATE INDEX sessions_auth_identity ON sessions (auth_identity_id);

CREATE TABLE events (
    id TEXT PRIMARY KEY,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    actor_type TEXT NOT NULL,
    actor_id TEXT,
    target_type TEXT NOT NULL,
    target_id TEXT,
    ip TEXT,
    user_agent TEXT,
    request_id TEXT,
    details TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX events_target ON events (target_id, id);
-- Most have none: nobody was logged in.
CREATE INDEX events_actor ON events (actor_id, id) WHERE actor_id IS NOT NULL;

-- Open while there is no admin: one row for each process that started meanwhile.
CREATE TABLE setup_tokens (
    token_hash TEXT PRIMARY KEY,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
