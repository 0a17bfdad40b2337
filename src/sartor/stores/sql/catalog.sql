-- loops --
-- All loops in service, by name. As bytes: text that is no UTF-8 would end the query for all of them.
SELECT CAST(loop_id AS BLOB), CAST(body AS BLOB), keys, CAST(name AS BLOB)
FROM loops WHERE NOT deleted ORDER BY name;

-- loop --
-- The loop in service of that name.
SELECT loop_id, body, keys FROM loops WHERE name = ? AND NOT deleted;

-- loop_by_id --
-- The loop in service with that id.
SELECT loop_id, body, keys FROM loops WHERE loop_id = ? AND NOT deleted;

-- changes --
-- The loops that were changed or deleted after a version, and the state: one row at least, from one moment.
SELECT version, forgotten, CAST(loop_id AS BLOB), CAST(body AS BLOB), keys, CAST(name AS BLOB), deleted
FROM state LEFT JOIN loops ON loops.changed > ? ORDER BY loops.changed;

-- all_with_version --
-- The loops in service, and the version: one row at least, from one moment.
SELECT version, CAST(loop_id AS BLOB), CAST(body AS BLOB), keys, CAST(name AS BLOB)
FROM state LEFT JOIN loops ON NOT loops.deleted ORDER BY name;

-- add_loop --
-- Fails if the name is taken, or the id was ever used and not purged.
INSERT INTO loops (loop_id, name, body, keys) VALUES (?, ?, ?, ?);

-- replace_loop --
-- Settings, policy and keys; the name and the id stay.
UPDATE loops SET body = ?, keys = ? WHERE loop_id = ?;

-- delete_loop --
-- Takes it out of service; purge removes the row later.
UPDATE loops SET deleted = 1, body = ? WHERE loop_id = ?;

-- deleted_loops --
-- The deleted loops that were not purged yet, oldest first.
SELECT CAST(loop_id AS BLOB), CAST(body AS BLOB), keys, CAST(name AS BLOB)
FROM loops WHERE deleted ORDER BY rowid;

-- deleted_names --
-- The ids and names of the deleted loops that were not purged yet, oldest first.
SELECT loop_id, name FROM loops WHERE deleted ORDER BY rowid;

-- deleted_loop --
-- A deleted loop by its id.
SELECT loop_id, body FROM loops WHERE loop_id = ? AND deleted;

-- recover_loop --
-- Back in service, under this name.
UPDATE loops SET deleted = 0, name = ?, body = ? WHERE loop_id = ?;

-- forget_loop --
-- Removes the row of a purged loop.
DELETE FROM loops WHERE loop_id = ?;

-- note_forgotten --
-- Before that: who follows the catalog and has not seen the deletion yet has to read all loops.
UPDATE state SET forgotten = max(forgotten, coalesce((SELECT changed FROM loops WHERE loop_id = ?), 0));

-- last_activity --
-- The last entry of the activity log.
SELECT seq, at_us, digest FROM audit WHERE seq = (SELECT max(seq) FROM audit);

-- add_activity --
-- Adds an entry.
INSERT INTO audit (seq, at_us, body, digest) VALUES (?, ?, ?, ?);

-- activities --
-- The next entries after a number.
SELECT seq, at_us, body, digest FROM audit WHERE seq > ? ORDER BY seq LIMIT ?;

-- last_activities --
-- The newest entries, newest first.
SELECT seq, at_us, body, digest FROM audit WHERE seq > 0 ORDER BY seq DESC LIMIT ?;

-- last_activities_of --
-- The newest entries about the loop with an id, newest first; by the index, whose expression this is.
SELECT seq, at_us, body, digest FROM audit
WHERE CASE WHEN json_valid(CAST(body AS TEXT)) THEN json_extract(CAST(body AS TEXT), '$.loop_id') END = ?
ORDER BY seq DESC LIMIT ?;

-- count_change --
-- Counts a change of the loops.
UPDATE state SET version = version + 1;

-- mark_changed --
-- After that: the loop that it is a change of.
UPDATE loops SET changed = (SELECT version FROM state) WHERE loop_id = ?;

-- version --
-- How often the loops changed.
SELECT version FROM state;

-- try_write --
-- A write that nothing depends on.
UPDATE state SET tried = tried + 1;

-- sealing --
-- How far the sealing of an older catalog is.
SELECT sealing FROM state;

-- set_sealing --
-- See catalog_sealing.
UPDATE state SET sealing = ?;

-- all_loops --
-- In service or deleted. As bytes, like ``loops``.
SELECT CAST(loop_id AS BLOB), CAST(body AS BLOB), keys FROM loops;

-- audit_backwards --
-- The bodies of all entries, newest first.
SELECT body FROM audit WHERE seq > 0 ORDER BY seq DESC;
