-- loops --
-- All loops in service, by name.
SELECT loop_id, body, keys FROM loops WHERE NOT deleted ORDER BY name;

-- loop --
-- The loop in service of that name.
SELECT loop_id, body FROM loops WHERE name = ? AND NOT deleted;

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
SELECT loop_id, body, keys, name FROM loops WHERE deleted ORDER BY rowid;

-- deleted_loop --
-- A deleted loop by its id.
SELECT loop_id, body FROM loops WHERE loop_id = ? AND deleted;

-- recover_loop --
-- Back in service, under this name.
UPDATE loops SET deleted = 0, name = ?, body = ? WHERE loop_id = ?;

-- forget_loop --
-- Removes the row of a purged loop.
DELETE FROM loops WHERE loop_id = ?;

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

-- count_change --
-- Counts a change of the loops.
UPDATE state SET version = version + 1;

-- version --
-- How often the loops changed.
SELECT version FROM state;

-- try_write --
-- A write that nothing depends on.
UPDATE state SET tried = tried + 1;
