-- What arrived at one loop. Rows are only added; retention deletes from the beginning, never the last row, so
-- that numbers have no gaps and are never used twice. No index besides the number: an append costs the same at
-- a million events.

CREATE TABLE about (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    owner TEXT NOT NULL                         -- the id of the loop
);

CREATE TABLE decisions (
    seq INTEGER PRIMARY KEY,
    at_us INTEGER NOT NULL,                     -- time of the commit, never less than that of the row before
    event_id TEXT NOT NULL,
    deferred INTEGER NOT NULL,
    body BLOB NOT NULL,                         -- records.Decision as MessagePack
    slots TEXT,                                 -- the ids of the slots of a multi-slot decision, as JSON
    made_at_us INTEGER,                         -- when an imported decision was made; NULL: here, when committed
    outcome BLOB                                -- records.Outcome as MessagePack: what came of an imported one
);

-- What was imported, so that no line is taken twice. Ordered by time, as logs are: lines come to the right edge.
CREATE TABLE imported (
    made_at_us INTEGER NOT NULL,
    event_key INTEGER NOT NULL,                 -- 64 bits of a hash of the event id
    taken INTEGER NOT NULL,                     -- how many decisions of this time and event id were taken
    source INTEGER NOT NULL,                    -- the file that told of them last
    seen INTEGER NOT NULL,                      -- of how many it told so far
    PRIMARY KEY (made_at_us, event_key)
) WITHOUT ROWID;

CREATE TABLE observations (
    seq INTEGER PRIMARY KEY,
    at_us INTEGER NOT NULL,
    event_id TEXT NOT NULL,
    reward,                                     -- NULL: an activation. No type: a REAL column would turn -0.0 into 0.0
    slot TEXT                                   -- the slot of a multi-slot reward
);

-- What was asked on each day (since 1970, UTC), counted by house-keeping: it outlives the events.
CREATE TABLE usage (
    day INTEGER PRIMARY KEY,
    decisions INTEGER NOT NULL,
    rewards INTEGER NOT NULL
);

-- Decisions that had no outcome when they came in here, behind the appends: found by their event id. By segments
-- of 65,536 numbers, as outcomes are; segments that are settled whole are removed.
CREATE TABLE decision_keys (
    segment INTEGER NOT NULL,
    event_key INTEGER NOT NULL,                 -- 64 bits of a hash of the event id
    seq INTEGER NOT NULL,
    PRIMARY KEY (segment, event_key, seq)
) WITHOUT ROWID;

-- One row: the last numbers that were counted, and the last decision that came into decision_keys.
CREATE TABLE counted (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    decisions INTEGER NOT NULL DEFAULT 0,
    observations INTEGER NOT NULL DEFAULT 0,
    keyed INTEGER NOT NULL DEFAULT 0
);

INSERT INTO counted (one) VALUES (1);

PRAGMA user_version = 3;
