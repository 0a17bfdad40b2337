-- add_outcome --
-- Fails if the decision has an outcome already.
INSERT INTO outcomes (decision_seq, event_key, body) VALUES (?, ?, ?);

-- add_stray --
-- Fails if the observation is a stray already.
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

-- find_outcome --
-- The outcome of a decision.
SELECT seq, body FROM outcomes WHERE decision_seq = ?;

-- amend_outcome --
-- The number stays.
UPDATE outcomes SET event_key = ?, body = ? WHERE seq = ?;

-- amended --
-- Raises the revision; tells it.
UPDATE progress SET revision = revision + 1, learnable = learnable + ? RETURNING revision;

-- counts --
-- Totals, the number of the last outcome, the revision, and where settling resumes.
SELECT outcomes, coalesce((SELECT max(seq) FROM outcomes), 0), learnable, late, dangling,
    revision, decisions, observations
FROM progress;

-- outcomes --
-- The next outcomes after a number.
SELECT seq, body FROM outcomes WHERE seq > ? ORDER BY seq LIMIT ?;

-- outcomes_of --
-- The outcomes of an event, asked of each segment of the index; another event may share the key.
WITH RECURSIVE segments (number) AS (
    VALUES (0)
    UNION ALL
    SELECT number + 1 FROM segments WHERE number < (SELECT max(seq) >> 16 FROM outcomes)
)
SELECT seq, body FROM segments CROSS JOIN outcomes ON seq >> 16 = number AND event_key = ? ORDER BY seq;

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
-- Gives up the bytes of all but the newest so many, the live one and the pinned; tells whose.
UPDATE models SET has_blob = 0
WHERE has_blob
    AND NOT pinned
    AND model_id IS NOT (SELECT model_id FROM live)
    AND number <= (SELECT max(number) FROM models) - ?
RETURNING model_id;
