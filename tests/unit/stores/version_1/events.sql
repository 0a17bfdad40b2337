-- What arrived at one loop. Append-only: no row is ever changed or deleted, so that numbers have no gaps
-- and are never used twice. No index besides the number: an append costs the same at a million events.

CREATE TABLE about (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    owner TEXT NOT NULL                         -- the id of the loop
);

CREATE TABLE decisions (
    seq INTEGER PRIMARY KEY,
    at_us INTEGER NOT NULL,                     -- time of the commit, never less than that of the row before
    event_id TEXT NOT NULL,
    deferred INTEGER NOT NULL,
    body BLOB NOT NULL                          -- records.Decision as MessagePack
);

CREATE TABLE observations (
    seq INTEGER PRIMARY KEY,
    at_us INTEGER NOT NULL,
    event_id TEXT NOT NULL,
    reward                                      -- NULL: an activation. No type: a REAL column would turn -0.0 into 0.0
);

PRAGMA user_version = 1;
