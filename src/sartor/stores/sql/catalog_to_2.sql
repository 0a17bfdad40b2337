-- Version 2: loops have more settings, and there is a log of who did what.

-- Who did what. Lines are added, never changed or removed.
CREATE TABLE audit (
    seq INTEGER PRIMARY KEY,
    at_us INTEGER NOT NULL,
    body BLOB NOT NULL,                         -- records.Activity as JSON
    digest BLOB NOT NULL                        -- of this line and the digest before
);

CREATE TRIGGER audit_keeps_lines BEFORE DELETE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the activity log is append-only');
END;

CREATE TRIGGER audit_keeps_words BEFORE UPDATE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the activity log is append-only');
END;

PRAGMA user_version = 2;
