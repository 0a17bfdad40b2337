-- The loops of one instance.

CREATE TABLE about (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    owner TEXT NOT NULL                         -- '': this file belongs to no single loop
);

CREATE TABLE loops (
    loop_id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    body TEXT NOT NULL,                         -- ports.Loop as JSON, its secrets left out
    keys BLOB NOT NULL,                         -- its secrets, sealed with the secret key
    deleted INTEGER NOT NULL DEFAULT 0,         -- 1: out of service, its folder not removed yet
    changed INTEGER NOT NULL DEFAULT 0          -- state.version at its last change
);

CREATE UNIQUE INDEX loops_by_name ON loops (name) WHERE NOT deleted;

CREATE INDEX loops_by_change ON loops (changed);

-- One row: a number that grows with every change, and a place to try a write.
CREATE TABLE state (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    version INTEGER NOT NULL DEFAULT 0,
    tried INTEGER NOT NULL DEFAULT 0,
    forgotten INTEGER NOT NULL DEFAULT 0,       -- the last change of a loop whose row was removed
    sealing INTEGER NOT NULL DEFAULT 0          -- 0: of an older version, 1: all is sealed, 2: and scrubbed
);

INSERT INTO state (one, sealing) VALUES (1, 2);

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

-- The entries of a loop are found without reading those of others; a damaged one belongs to none.
CREATE INDEX audit_by_loop ON audit (
    CASE WHEN json_valid(CAST(body AS TEXT)) THEN json_extract(CAST(body AS TEXT), '$.loop_id') END, seq
);

PRAGMA user_version = 5;
