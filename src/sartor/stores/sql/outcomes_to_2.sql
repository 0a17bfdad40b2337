-- Version 2: outcomes can be amended and removed, imported models keep their bytes.

ALTER TABLE progress ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;

ALTER TABLE progress ADD COLUMN forgotten INTEGER NOT NULL DEFAULT 0;

ALTER TABLE models ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0;

ALTER TABLE models ADD COLUMN saved INTEGER NOT NULL DEFAULT 0;

ALTER TABLE models ADD COLUMN description TEXT NOT NULL DEFAULT '';

PRAGMA user_version = 2;
