-- A promise of an account to one address. What has become of one is a time, as of one-time tokens; one that has expired
-- keeps its place until another is made for the address, which notes it in `lapsed_at`.
CREATE TABLE invites (
    id TEXT PRIMARY KEY,
    email TEXT NOT NULL,
    role TEXT NOT NULL,
    note TEXT,
    metadata TEXT NOT NULL,
    -- The user who invited; nobody where the operator did at the command line.
    invited_by TEXT,
    -- The mail that carries the newest link, if one was written.
    mail_id TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    accepted_at INTEGER,
    accepted_by TEXT,
    revoked_at INTEGER,
    lapsed_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX invites_pending ON invites (email)
    WHERE accepted_at IS NULL AND revoked_at IS NULL AND lapsed_at IS NULL;
CREATE INDEX invites_email ON invites (email, id);
CREATE INDEX invites_expires ON invites (expires_at, id);
CREATE INDEX invites_invited_by ON invites (invited_by, id);
-- The newest that wait, behind which all that ever were accepted may lie.
CREATE INDEX invites_open ON invites (id) WHERE accepted_at IS NULL AND revoked_at IS NULL AND lapsed_at IS NULL;
