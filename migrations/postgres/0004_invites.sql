-- A promise of an account to one address. What has become of one is a time, as of one-time tokens; one that has expired
-- keeps its place until another is made for the address, which notes it in `lapsed_at`.
CREATE TABLE invites (
    id TEXT COLLATE "C" PRIMARY KEY,
    email TEXT COLLATE "C" NOT NULL,
    role TEXT COLLATE "C" NOT NULL,
    note TEXT COLLATE "C",
    metadata TEXT COLLATE "C" NOT NULL,
    -- The user who invited; nobody where the operator did at the command line.
    invited_by TEXT COLLATE "C",
    -- The mail that carries the newest link, if one was written.
    mail_id TEXT COLLATE "C",
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    accepted_at BIGINT,
    accepted_by TEXT COLLATE "C",
    revoked_at BIGINT,
    lapsed_at BIGINT
);
CREATE UNIQUE INDEX invites_pending ON invites (email)
    WHERE accepted_at IS NULL AND revoked_at IS NULL AND lapsed_at IS NULL;
CREATE INDEX invites_email ON invites (email, id);
CREATE INDEX invites_expires ON invites (expires_at, id);
CREATE INDEX invites_invited_by ON invites (invited_by, id);
-- The newest that wait, behind which all that ever were accepted may lie.
CREATE INDEX invites_open ON invites (id) WHERE accepted_at IS NULL AND revoked_at IS NULL AND lapsed_at IS NULL;
