-- Version 3: each change of a loop has a number, so that whoever follows the catalog reads only what changed.

ALTER TABLE loops ADD COLUMN changed INTEGER NOT NULL DEFAULT 0;

CREATE INDEX loops_by_change ON loops (changed);

ALTER TABLE state ADD COLUMN forgotten INTEGER NOT NULL DEFAULT 0;

PRAGMA user_version = 3;
