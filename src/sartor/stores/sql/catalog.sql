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
-- Out of service; purge takes the rest when it is time.
UPDATE loops SET deleted = 1, body = ? WHERE loop_id = ?;

-- deleted_loops --
-- What was deleted and not removed yet, oldest first.
SELECT loop_id, body, keys, name FROM loops WHERE deleted ORDER BY rowid;

-- deleted_loop --
-- A deleted loop by its id.
SELECT loop_id, body FROM loops WHERE loop_id = ? AND deleted;

-- recover_loop --
-- Back in service, under this name.
UPDATE loops SET deleted = 0, name = ?, body = ? WHERE loop_id = ?;

-- forget_loop --
-- The last trace of a purged loop.
DELETE FROM loops WHERE loop_id = ?;

-- last_activity --
-- What the next line of the activity log follows.
SELECT seq, at_us, digest FROM audit WHERE seq = (SELECT max(seq) FROM audit);

-- add_activity --
-- One more line.
INSERT INTO audit (seq, at_us, body, digest) VALUES (?, ?, ?, ?);

-- activities --
-- The next lines after a number.
SELECT seq, at_us, body, digest FROM audit WHERE seq > ? ORDER BY seq LIMIT ?;

-- last_activities --
-- The newest lines.
SELECT seq, at_us, body, digest FROM audit WHERE seq > 0 ORDER BY seq DESC LIMIT ?;

-- count_change --
-- Every change of the loops counts one up.
UPDATE state SET version = version + 1;

-- version --
-- How often the loops changed.
SELECT version FROM state;

-- try_write --
-- A write that changes nothing of worth.
UPDATE state SET tried = tried + 1;
