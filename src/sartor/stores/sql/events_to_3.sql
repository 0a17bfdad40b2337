-- Version 3: decisions without an outcome are found by their event id. Empty at first, and filled behind the appends.

CREATE TABLE decision_keys (
    segment INTEGER NOT NULL,
    event_key INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (segment, event_key, seq)
) WITHOUT ROWID;

ALTER TABLE counted ADD COLUMN keyed INTEGER NOT NULL DEFAULT 0;

PRAGMA user_version = 3;
