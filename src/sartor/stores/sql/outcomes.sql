-- add_outcome --
-- Fails if the decision has an outcome already.
INSERT INTO outcomes (decision_seq, event_key, body) VALUES (?, ?, ?);

-- add_unmatched --
-- Fails if the observation is recorded as unmatched already.
INSERT INTO strays (observation_seq, reason) VALUES (?, ?);

-- advance --
-- Moves the cursor and adds to the totals.
UPDATE progress SET
    decisions = ?,
    observations = ?,
    outcomes = outcomes + ?,
    learnable = learnable + ?,
    late = late + ?,
    dangling = dangling + ?;

-- begin_after --
-- In a new database: settling begins after these numbers of decisions and observations.
UPDATE progress SET decisions = ?, forgotten = ?, observations = ?;

-- find_outcome --
-- The outcome of a decision.
SELECT seq, body FROM outcomes WHERE decision_seq = ?;

-- amend_outcome --
-- The number stays.
UPDATE outcomes SET event_key = ?, body = ? WHERE seq = ?;

-- amended --
-- Raises the revision and returns it.
UPDATE progress SET revision = revision + 1, learnable = learnable + ? RETURNING revision;

-- counts --
-- Totals, the numbers of the first and the last outcome, the revision, and where settling resumes.
SELECT outcomes, coalesce((SELECT min(seq) FROM outcomes), 1), coalesce((SELECT max(seq) FROM outcomes), 0),
    learnable, late, dangling, revision, forgotten, decisions, observations
FROM progress;

-- first_not_done --
-- The first outcome of a decision after the cursor, which may be settled before those that came before it.
SELECT min(seq) FROM outcomes WHERE decision_seq > ?;

-- first_decision --
-- The first decision whose outcome is kept; the outcomes of some after it may be removed.
SELECT min(decision_seq) FROM outcomes;

-- remove_outcomes --
-- From the beginning, up to a number.
DELETE FROM outcomes WHERE seq <= ? RETURNING decision_seq, body;

-- removed_outcomes --
-- Updates the totals, and up to which decision outcomes may have been removed.
UPDATE progress SET
    outcomes = outcomes - ?,
    learnable = learnable - ?,
    forgotten = max(forgotten, ?);

-- first_unmatched --
-- NULL: there is none.
SELECT min(observation_seq) FROM strays;

-- remove_unmatched --
-- From the beginning, up to an observation.
DELETE FROM strays WHERE observation_seq <= ? RETURNING reason;

-- removed_unmatched --
-- Updates the totals.
UPDATE progress SET late = late - ?, dangling = dangling - ?;

-- outcomes --
-- The next outcomes after a number.
SELECT seq, body FROM outcomes WHERE seq > ? ORDER BY seq LIMIT ?;

-- outcomes_of --
-- The outcomes of an event, looked up in each segment of the index; another event may share the key.
WITH RECURSIVE segments (number) AS (
    SELECT min(seq) >> 16 FROM outcomes
    UNION ALL
    SELECT number + 1 FROM segments WHERE number < (SELECT max(seq) >> 16 FROM outcomes)
)
SELECT seq, body FROM segments CROSS JOIN outcomes ON seq >> 16 = number AND event_key = ? ORDER BY seq;

-- first_outcome_of --
-- One outcome of an event whose decision has this number or a lower one; see outcomes_of.
WITH RECURSIVE segments (number) AS (
    SELECT min(seq) >> 16 FROM outcomes
    UNION ALL
    SELECT number + 1 FROM segments WHERE number < (SELECT max(seq) >> 16 FROM outcomes)
)
SELECT seq, body FROM segments CROSS JOIN outcomes ON seq >> 16 = number AND event_key = ?
WHERE decision_seq <= ? LIMIT 1;

-- add_model --
-- Fails if there is a model with that id already.
INSERT INTO models (model_id, lineage, digest, pinned) VALUES (?, ?, ?, ?);

-- set_live --
-- NULL: no model.
UPDATE live SET model_id = ?;

-- live --
-- The model that serves.
SELECT models.lineage FROM live JOIN models USING (model_id);

-- history --
-- The newest so many models, newest first; -1: all.
SELECT lineage FROM models ORDER BY number DESC LIMIT ?;

-- stored --
-- The models whose bytes are kept.
SELECT model_id FROM models WHERE has_blob;

-- digest --
-- The digest of a model's bytes, if they are kept.
SELECT digest FROM models WHERE model_id = ? AND has_blob;

-- prune --
-- Marks the bytes of all but the newest, the live, the pinned and the saved models as pruned; returns their ids.
UPDATE models SET has_blob = 0
WHERE has_blob
    AND NOT pinned
    AND NOT saved
    AND model_id IS NOT (SELECT model_id FROM live)
    AND number <= (SELECT max(number) FROM models) - ?
RETURNING model_id;

-- notes --
-- The notes on the models whose bytes are kept, newest first.
SELECT model_id, saved, description FROM models WHERE has_blob ORDER BY number DESC;

-- note --
-- Changes nothing if there is no such model, or its bytes were removed.
UPDATE models SET saved = ?, description = ? WHERE model_id = ? AND has_blob;

-- live_id --
-- NULL: no model serves.
SELECT model_id FROM live;

-- remove_blob --
-- Changes nothing if there is no such model, or its bytes were removed.
UPDATE models SET has_blob = 0, saved = 0 WHERE model_id = ? AND has_blob;
