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
-- Out of service; purge takes the rest.
UPDATE loops SET deleted = 1 WHERE loop_id = ?;

-- deleted_loops --
-- What purge has to remove, oldest first.
SELECT loop_id, name FROM loops WHERE deleted ORDER BY rowid;

-- forget_loop --
-- The last trace of a purged loop.
DELETE FROM loops WHERE loop_id = ?;

-- count_change --
-- Every change of the loops counts one up.
UPDATE state SET version = version + 1;

-- version --
-- How often the loops changed.
SELECT version FROM state;

-- try_write --
-- A write that changes nothing of worth.
UPDATE state SET tried = tried + 1;
