-- 1 while no endpoint was told of the event yet; nothing where there was no endpoint when it happened. Not an id that was
-- reached: a transaction that ends late may write an id that lies behind it.
ALTER TABLE events ADD COLUMN to_tell INTEGER;
CREATE INDEX events_to_tell ON events (id) WHERE to_tell IS NOT NULL;

-- The endpoints of the configuration, as the process that started last knows them. Their addresses and secrets stand in
-- the configuration alone.
CREATE TABLE webhook_endpoints (
    id TEXT PRIMARY KEY,
    -- Which events it wants: a JSON list of kinds and patterns.
    events TEXT NOT NULL,
    -- Nothing that happened before is sent to it.
    since INTEGER NOT NULL,
    -- When it said that it is gone for good.
    gone_at INTEGER
) STRICT, WITHOUT ROWID;

-- One event on its way to one endpoint.
CREATE TABLE webhook_deliveries (
    id TEXT PRIMARY KEY,
    endpoint TEXT NOT NULL,
    -- The id that the receiver knows it by, the same at every try.
    event_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    -- What is sent where no event stands behind it: a test.
    body TEXT,
    created_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    -- Who is sending it now, and until when it is believed to.
    claim TEXT,
    claimed_until INTEGER NOT NULL,
    -- What came of the last try, in words.
    answer TEXT,
    delivered_at INTEGER,
    failed_at INTEGER,
    UNIQUE (endpoint, event_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (endpoint, due_at, id)
    WHERE delivered_at IS NULL AND failed_at IS NULL;
CREATE INDEX webhook_deliveries_endpoint ON webhook_deliveries (endpoint, id);
CREATE INDEX webhook_deliveries_waiting ON webhook_deliveries (id) WHERE delivered_at IS NULL AND failed_at IS NULL;
CREATE INDEX webhook_deliveries_failed ON webhook_deliveries (id) WHERE failed_at IS NOT NULL;
CREATE INDEX webhook_deliveries_failed_endpoint ON webhook_deliveries (endpoint, id) WHERE failed_at IS NOT NULL;
