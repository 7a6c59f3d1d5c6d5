-- Secrets that were mailed or shown once. A token is stored as its SHA-256, a code as its argon2id hash. What has become of
-- one is a time: used, replaced by a newer one, revoked; at most one of the three.
CREATE TABLE one_time_tokens (
    id TEXT PRIMARY KEY,
    token_hash TEXT NOT NULL UNIQUE,
    code_hash TEXT,
    -- How often a code was tried, right or wrong.
    code_tries INTEGER NOT NULL,
    purpose TEXT NOT NULL,
    -- What it is about: the id of a user or an invite, or an address that is nobody's yet.
    subject TEXT NOT NULL,
    -- Where it was sent; whoever has it has read the mail of this address.
    email TEXT NOT NULL,
    data TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at INTEGER,
    replaced_at INTEGER,
    revoked_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX one_time_tokens_subject ON one_time_tokens (subject, purpose);
CREATE INDEX one_time_tokens_email ON one_time_tokens (email, id);
CREATE INDEX one_time_tokens_expires ON one_time_tokens (expires_at);

-- Mails that are to be sent, were sent, or could not be. What one says is sealed with the instance key, since it holds a
-- link, and is gone once it was sent.
CREATE TABLE mails (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    recipient TEXT NOT NULL,
    subject TEXT NOT NULL,
    sealed TEXT,
    -- The one-time token that it carries; the mail is dropped when that has ended.
    token_id TEXT,
    created_at INTEGER NOT NULL,
    -- When it is tried next, and when it is no longer worth trying.
    due_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    -- Who is sending it now, and until when it is believed to.
    claim TEXT,
    claimed_until INTEGER NOT NULL,
    -- Why the last attempt failed.
    reason TEXT,
    sent_at INTEGER,
    failed_at INTEGER,
    dropped_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX mails_due ON mails (due_at, id) WHERE sent_at IS NULL AND failed_at IS NULL AND dropped_at IS NULL;
CREATE INDEX mails_open ON mails (recipient, id) WHERE sent_at IS NULL AND failed_at IS NULL AND dropped_at IS NULL;
-- What may have to be dropped.
CREATE INDEX mails_kept ON mails (id) WHERE sealed IS NOT NULL;
CREATE INDEX mails_waiting ON mails (id) WHERE sent_at IS NULL AND failed_at IS NULL AND dropped_at IS NULL;
CREATE INDEX mails_failed ON mails (id) WHERE failed_at IS NOT NULL;
CREATE INDEX mails_dropped ON mails (id) WHERE dropped_at IS NOT NULL;
CREATE INDEX mails_recipient ON mails (recipient, id);
CREATE INDEX mails_token ON mails (token_id);

-- Mails that visitors ask for at an address, also by registering with it, until it is looked up whether there is such an
-- account. The same row is written for every address, so that the time of the answer tells nothing.
CREATE TABLE mail_requests (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    -- Who comes in by mail, or whose password is lost: the kind of account and the provider; else empty.
    actor_type TEXT NOT NULL,
    provider TEXT NOT NULL,
    -- The address, or what else the provider knows people by.
    email TEXT NOT NULL,
    ip TEXT,
    user_agent TEXT,
    request_id TEXT,
    created_at INTEGER NOT NULL,
    -- What goes with the address, sealed with the instance key: the names and the hash of a password of a registration, where
    -- somebody goes on who comes in by mail.
    sealed TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX mail_requests_email ON mail_requests (email, created_at);
