-- append_decision --
-- The number is NULL, so that SQLite assigns the next one, except for the first append after a power cut.
INSERT INTO decisions (seq, at_us, event_id, deferred, body, slots) VALUES (?, ?, ?, ?, ?, ?);

-- append_imported --
-- Like append_decision, with the time at which it was made, and its outcome.
INSERT INTO decisions (seq, at_us, event_id, deferred, body, slots, made_at_us, outcome)
VALUES (?, ?, ?, ?, ?, ?, ?, ?);

-- import_count --
-- How many decisions of a time and event id were imported, and how many the last file held so far.
SELECT taken, source, seen FROM imported WHERE made_at_us = ? AND event_key = ?;

-- set_import_count --
-- Replaces the counts of a time and event id.
INSERT OR REPLACE INTO imported (made_at_us, event_key, taken, source, seen) VALUES (?, ?, ?, ?, ?);

-- append_observation --
-- Like append_decision.
INSERT INTO observations (seq, at_us, event_id, reward, slot) VALUES (?, ?, ?, ?, ?);

-- last_numbers --
-- The last number of each; both are read from the right edge of a tree.
SELECT coalesce((SELECT max(seq) FROM decisions), 0), coalesce((SELECT max(seq) FROM observations), 0);

-- first_numbers --
-- The first number of each; after retention these are not 1.
SELECT coalesce((SELECT min(seq) FROM decisions), 1), coalesce((SELECT min(seq) FROM observations), 1);

-- last_time --
-- The time of the latest commit, 0 in an empty log.
SELECT max(
    coalesce((SELECT at_us FROM decisions WHERE seq = (SELECT max(seq) FROM decisions)), 0),
    coalesce((SELECT at_us FROM observations WHERE seq = (SELECT max(seq) FROM observations)), 0)
);

-- heads --
-- The next decisions after a number, without their bodies.
SELECT seq, at_us, event_id, deferred, slots, outcome FROM decisions WHERE seq > ? ORDER BY seq LIMIT ?;

-- decisions --
-- The next decisions after a number, with the times at which they were made.
SELECT seq, coalesce(made_at_us, at_us), body, made_at_us IS NOT NULL FROM decisions WHERE seq > ? ORDER BY seq LIMIT ?;

-- observations --
-- The next observations after a number.
SELECT seq, at_us, event_id, reward, slot FROM observations WHERE seq > ? ORDER BY seq LIMIT ?;

-- decision_time --
-- The number and time of the first decision from a number on.
SELECT seq, at_us FROM decisions WHERE seq >= ? ORDER BY seq LIMIT 1;

-- observation_time --
-- The number and time of the first observation from a number on.
SELECT seq, at_us FROM observations WHERE seq >= ? ORDER BY seq LIMIT 1;

-- remove_decisions --
-- From the beginning, up to a number.
DELETE FROM decisions WHERE seq <= ?;

-- remove_observations --
-- From the beginning, up to a number.
DELETE FROM observations WHERE seq <= ?;

-- counted --
-- The last numbers that were counted.
SELECT decisions, observations FROM counted;

-- count_rewards --
-- The next so many observations after a number: rewards by the day.
SELECT at_us / 86400000000, count(reward), max(seq)
FROM (SELECT seq, at_us, reward FROM observations WHERE seq > ? ORDER BY seq LIMIT ?) AS batch
GROUP BY 1 ORDER BY 1;

-- advance_counted --
-- Changes nothing if another process has counted meanwhile.
UPDATE counted SET decisions = ?, observations = ? WHERE decisions = ? AND observations = ?;

-- add_usage --
-- Adds to the counts of a day.
INSERT INTO usage (day, decisions, rewards) VALUES (?, ?, ?)
ON CONFLICT (day) DO UPDATE SET decisions = decisions + excluded.decisions, rewards = rewards + excluded.rewards;

-- usage --
-- The counts by day.
SELECT day, decisions, rewards FROM usage WHERE day BETWEEN ? AND ?;

-- decision --
-- One decision.
SELECT seq, event_id, body FROM decisions WHERE seq = ?;

-- observations_of --
-- The observations of any of these event ids (a JSON array). Reads all of them: there is no index.
SELECT seq, event_id FROM observations WHERE event_id IN (SELECT value FROM json_each(?));

-- blank_decision --
-- The number and the time stay.
UPDATE decisions SET event_id = '', body = ?, outcome = NULL WHERE seq = ?;

-- blank_observation --
-- The number, the time and the reward stay.
UPDATE observations SET event_id = '' WHERE seq = ?;

-- keyed --
-- The last decision that came into the index.
SELECT keyed FROM counted;

-- event_ids --
-- The event ids of the next decisions after a number.
SELECT seq, event_id FROM decisions WHERE seq > ? ORDER BY seq LIMIT ?;

-- advance_keyed --
-- Changes nothing if another process has added keys meanwhile.
UPDATE counted SET keyed = ? WHERE keyed = ?;

-- add_key --
-- Of one decision.
INSERT OR IGNORE INTO decision_keys (segment, event_key, seq) VALUES (?, ?, ?);

-- remove_keys --
-- Of segments before one.
DELETE FROM decision_keys WHERE segment < ?;

-- remove_key --
-- Of a decision that is blanked.
DELETE FROM decision_keys WHERE segment = ? AND event_key = ? AND seq = ?;

-- find_keys --
-- Looked up in each segment; another event may share the key.
WITH RECURSIVE segments (number) AS (
    SELECT min(segment) FROM decision_keys
    UNION ALL
    SELECT number + 1 FROM segments WHERE number < (SELECT max(segment) FROM decision_keys)
)
SELECT seq FROM segments CROSS JOIN decision_keys ON segment = number AND event_key = ? ORDER BY seq;

-- find_after --
-- The decisions of an event after a number: a search of those that did not come into the index yet.
SELECT seq FROM decisions WHERE seq > ? AND event_id = ? ORDER BY seq;
