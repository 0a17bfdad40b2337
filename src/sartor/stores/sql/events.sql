-- append_decision --
-- The number is NULL, so that SQLite gives the next one, save for the first append after a power cut.
INSERT INTO decisions (seq, at_us, event_id, deferred, body) VALUES (?, ?, ?, ?, ?);

-- append_observation --
-- As append_decision.
INSERT INTO observations (seq, at_us, event_id, reward, slot) VALUES (?, ?, ?, ?, ?);

-- last_numbers --
-- How many of each there are; both are read from the right edge of a tree.
SELECT coalesce((SELECT max(seq) FROM decisions), 0), coalesce((SELECT max(seq) FROM observations), 0);

-- last_time --
-- The time of the latest commit, 0 in an empty log.
SELECT max(
    coalesce((SELECT at_us FROM decisions WHERE seq = (SELECT max(seq) FROM decisions)), 0),
    coalesce((SELECT at_us FROM observations WHERE seq = (SELECT max(seq) FROM observations)), 0)
);

-- heads --
-- The next decisions after a number, without their bodies.
SELECT seq, at_us, event_id, deferred FROM decisions WHERE seq > ? ORDER BY seq LIMIT ?;

-- decisions --
-- The next decisions after a number.
SELECT seq, at_us, body FROM decisions WHERE seq > ? ORDER BY seq LIMIT ?;

-- observations --
-- The next observations after a number.
SELECT seq, at_us, event_id, reward, slot FROM observations WHERE seq > ? ORDER BY seq LIMIT ?;
