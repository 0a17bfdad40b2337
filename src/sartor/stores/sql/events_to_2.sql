-- Version 2: rewards may be for a slot of a multi-slot decision; decisions may be imported with their outcomes;
-- the events of each day are counted.

ALTER TABLE decisions ADD COLUMN slots TEXT;

ALTER TABLE decisions ADD COLUMN made_at_us INTEGER;

ALTER TABLE decisions ADD COLUMN outcome BLOB;

CREATE TABLE imported (
    made_at_us INTEGER NOT NULL,
    event_key INTEGER NOT NULL,
    taken INTEGER NOT NULL,
    source INTEGER NOT NULL,
    seen INTEGER NOT NULL,
    PRIMARY KEY (made_at_us, event_key)
) WITHOUT ROWID;

ALTER TABLE observations ADD COLUMN slot TEXT;

CREATE TABLE usage (
    day INTEGER PRIMARY KEY,
    decisions INTEGER NOT NULL,
    rewards INTEGER NOT NULL
);

CREATE TABLE counted (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    decisions INTEGER NOT NULL DEFAULT 0,
    observations INTEGER NOT NULL DEFAULT 0
);

INSERT INTO counted (one) VALUES (1);

PRAGMA user_version = 2;
