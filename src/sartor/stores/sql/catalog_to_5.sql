-- Version 5: the entries of the audit log about a loop are found by an index.

-- The entries of a loop are found without reading those of others; a damaged one belongs to none.
CREATE INDEX IF NOT EXISTS audit_by_loop ON audit (
    CASE WHEN json_valid(CAST(body AS TEXT)) THEN json_extract(CAST(body AS TEXT), '$.loop_id') END, seq
);

PRAGMA user_version = 5;
