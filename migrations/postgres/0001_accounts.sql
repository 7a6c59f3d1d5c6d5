-- Every text is in the collation "C" (byte order, as in SQLite), so that both databases sort alike.
-- Times are microseconds since the Unix epoch, ids are UUIDv7 as text, JSON is text, e-mail addresses are normalised.

CREATE TABLE users (
    id TEXT COLLATE "C" PRIMARY KEY,
    email TEXT COLLATE "C" NOT NULL UNIQUE,
    email_verified_at BIGINT,
    first_name TEXT COLLATE "C",
    last_name TEXT COLLATE "C",
    avatar_url TEXT COLLATE "C",
    role TEXT COLLATE "C" NOT NULL,
    metadata TEXT COLLATE "C" NOT NULL,
    disabled_at BIGINT,
    last_login_at BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    -- Lower case: what lists sort by and what a search looks through.
    name_key TEXT COLLATE "C" NOT NULL,
    search_text TEXT COLLATE "C" NOT NULL
);

-- One index an order that a list may have. Each holds what a list filters and searches by, so that a search reads along
-- an index and never along the table. `search_text` begins with the e-mail address and so sorts like it. What is neither
-- a member nor active is rare and has indexes of its own.
CREATE INDEX users_created ON users (created_at, id) INCLUDE (role, disabled_at, search_text);
CREATE INDEX users_name ON users (name_key, id) INCLUDE (role, disabled_at, search_text);
CREATE INDEX users_email ON users (search_text) INCLUDE (id, role, disabled_at);
CREATE INDEX users_role_created ON users (role, created_at, id) INCLUDE (disabled_at, search_text) WHERE role <> 'member';
CREATE INDEX users_role_name ON users (role, name_key, id) INCLUDE (disabled_at, search_text) WHERE role <> 'member';
CREATE INDEX users_role_email ON users (role, search_text) INCLUDE (id, disabled_at) WHERE role <> 'member';
CREATE INDEX users_disabled_created ON users (created_at, id) INCLUDE (role, search_text) WHERE disabled_at IS NOT NULL;
CREATE INDEX users_disabled_name ON users (name_key, id) INCLUDE (role, search_text) WHERE disabled_at IS NOT NULL;
CREATE INDEX users_disabled_email ON users (search_text) INCLUDE (id, role) WHERE disabled_at IS NOT NULL;
-- What only programs ask for: the users that have changed since, and those of one name. `lower` folds ASCII alone, on both
-- databases alike.
CREATE INDEX users_updated ON users (updated_at, id);
CREATE INDEX users_first_name ON users (lower(coalesce(first_name, '')), id);
CREATE INDEX users_last_name ON users (lower(coalesce(last_name, '')), id);

-- A page of the table that no log-in has touched since the last vacuum need not be looked at where an index says it all:
-- vacuum often, and leave room so that a log-in's update stays within its page and touches no index.
ALTER TABLE users SET (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);

-- Substring search: all trigrams of a text, as in SQLite, punctuation included. It costs so much that no plan computes it
-- for every user instead of asking the index. Without a pending list, so that no search has to look through one.
CREATE FUNCTION text_trigrams(given TEXT) RETURNS TEXT[] LANGUAGE sql IMMUTABLE STRICT COST 5000 AS $$
    SELECT coalesce(array_agg(DISTINCT substr(given, i, 3)), '{}') FROM generate_series(1, length(given) - 2) AS i
$$;
CREATE INDEX users_search ON users USING gin (text_trigrams(search_text)) WITH (fastupdate = off);

CREATE TABLE auth_identities (
    id TEXT COLLATE "C" PRIMARY KEY,
    created_at BIGINT NOT NULL
);

-- Whose login an auth identity is: one account of each actor type at most.
CREATE TABLE auth_identity_actors (
    auth_identity_id TEXT COLLATE "C" NOT NULL REFERENCES auth_identities (id) ON DELETE CASCADE,
    actor_type TEXT COLLATE "C" NOT NULL,
    actor_id TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (auth_identity_id, actor_type)
);
CREATE INDEX auth_identity_actors_actor ON auth_identity_actors (actor_type, actor_id);

CREATE TABLE provider_identities (
    provider TEXT COLLATE "C" NOT NULL,
    entity_id TEXT COLLATE "C" NOT NULL,
    auth_identity_id TEXT COLLATE "C" NOT NULL REFERENCES auth_identities (id) ON DELETE CASCADE,
    provider_metadata TEXT COLLATE "C" NOT NULL,
    user_metadata TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (provider, entity_id)
);
CREATE INDEX provider_identities_auth_identity ON provider_identities (auth_identity_id);

CREATE TABLE auth_states (
    key_hash TEXT COLLATE "C" PRIMARY KEY,
    value TEXT COLLATE "C" NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX auth_states_expires ON auth_states (expires_at);

CREATE TABLE sessions (
    key_hash TEXT COLLATE "C" PRIMARY KEY,
    id TEXT COLLATE "C" NOT NULL UNIQUE,
    actor_type TEXT COLLATE "C" NOT NULL,
    -- Empty where the identity has no user.
    user_id TEXT COLLATE "C" NOT NULL,
    -- Who it is for, as JSON, where the embedding application says so.
    external_user TEXT COLLATE "C",
    auth_identity_id TEXT COLLATE "C" NOT NULL,
    provider TEXT COLLATE "C" NOT NULL,
    ip TEXT COLLATE "C",
    user_agent TEXT COLLATE "C",
    created_at BIGINT NOT NULL,
    proved_at BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    -- 1 where the cookie outlives the browser, else 0.
    is_remembered BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id, last_seen_at);
CREATE INDEX sessions_auth_identity ON sessions (auth_identity_id);

CREATE TABLE events (
    id TEXT COLLATE "C" PRIMARY KEY,
    at BIGINT NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    actor_type TEXT COLLATE "C" NOT NULL,
    actor_id TEXT COLLATE "C",
    target_type TEXT COLLATE "C" NOT NULL,
    target_id TEXT COLLATE "C",
    ip TEXT COLLATE "C",
    user_agent TEXT COLLATE "C",
    request_id TEXT COLLATE "C",
    details TEXT COLLATE "C" NOT NULL
);
CREATE INDEX events_target ON events (target_id, id);
-- Most have none: nobody was logged in.
CREATE INDEX events_actor ON events (actor_id, id) WHERE actor_id IS NOT NULL;

-- Open while there is no admin: one row for each process that started meanwhile.
CREATE TABLE setup_tokens (
    token_hash TEXT COLLATE "C" PRIMARY KEY,
    created_at BIGINT NOT NULL
);
