-- Version 2: rewards may be for a slot of a multi-slot decision.

ALTER TABLE observations ADD COLUMN slot TEXT;

PRAGMA user_version = 2;
