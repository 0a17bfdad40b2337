-- Version 4: targets of log mirrors are sealed like keys. catalog_sealing.py does it, for it needs the secret key.

ALTER TABLE state ADD COLUMN sealing INTEGER NOT NULL DEFAULT 0;

PRAGMA user_version = 4;
