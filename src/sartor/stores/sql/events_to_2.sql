-- Version 2: rewards may be for a slot of a multi-slot decision; the events of each day are counted.

ALTER TABLE decisions ADD COLUMN slots TEXT;

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
