-- acting --
-- What would act by itself, or is no table with rows of its own. No database of a loop has any of it.
SELECT name FROM sqlite_master
WHERE type IN ('trigger', 'view') OR sql LIKE 'CREATE VIRTUAL%'
LIMIT 1;

-- quick_check --
-- 'ok', or the first damage that is found.
PRAGMA quick_check(1);

-- owner --
-- The id of the loop that it belongs to.
SELECT owner FROM about;

-- models --
-- The models whose bytes are kept.
SELECT model_id, lineage, digest FROM models WHERE has_blob;

-- set_digest --
-- The digest of a model that was saved anew.
UPDATE models SET digest = ? WHERE model_id = ?;

-- leave_out --
-- A model whose bytes are removed.
UPDATE models SET has_blob = 0 WHERE model_id = ?;

-- leave_out_live --
-- It does not serve any more.
UPDATE live SET model_id = NULL WHERE model_id = ?;
