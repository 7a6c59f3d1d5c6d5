-- 1 while no endpoint was told of the event yet; nothing where there was no endpoint when it happened. Not an id that was
-- reached: a transaction that ends late may write an id that lies behind it.
ALTER TABLE events ADD COLUMN to_tell BIGINT;
CREATE INDEX events_to_tell ON events (id) WHERE to_tell IS NOT NULL;

-- The endpoints of the configuration, as the process that started last knows them. Their addresses and secrets stand in
-- the configuration alone.
CREATE TABLE webhook_endpoints (
    id TEXT COLLATE "C" PRIMARY KEY,
    -- Which events it wants: a JSON list of kinds and patterns.
    events TEXT COLLATE "C" NOT NULL,
    -- Nothing that happened before is sent to it.
    since BIGINT NOT NULL,
    -- When it said that it is gone for good.
    gone_at BIGINT
);

-- One event on its way to one endpoint.
CREATE TABLE webhook_deliveries (
    id TEXT COLLATE "C" PRIMARY KEY,
    endpoint TEXT COLLATE "C" NOT NULL,
    -- The id that the receiver knows it by, the same at every try.
    event_id TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    -- What is sent where no event stands behind it: a test.
    body TEXT COLLATE "C",
    created_at BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    -- Who is sending it now, and until when it is believed to.
    claim TEXT COLLATE "C",
    claimed_until BIGINT NOT NULL,
    -- What came of the last try, in words.
    answer TEXT COLLATE "C",
    delivered_at BIGINT,
    failed_at BIGINT,
    UNIQUE (endpoint, event_id)
);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (endpoint, due_at, id)
    WHERE delivered_at IS NULL AND failed_at IS NULL;
CREATE INDEX webhook_deliveries_endpoint ON webhook_deliveries (endpoint, id);
CREATE INDEX webhook_deliveries_waiting ON webhook_deliveries (id) WHERE delivered_at IS NULL AND failed_at IS NULL;
CREATE INDEX webhook_deliveries_failed ON webhook_deliveries (id) WHERE failed_at IS NOT NULL;
CREATE INDEX webhook_deliveries_failed_endpoint ON webhook_deliveries (endpoint, id) WHERE failed_at IS NOT NULL;
