-- add_job --
-- Fails if the id is taken.
INSERT INTO jobs (job_id, kind, state, lease_until_us, attempts, body) VALUES (?, ?, ?, ?, ?, ?);

-- job --
-- One job.
SELECT body FROM jobs WHERE job_id = ?;

-- jobs --
-- All jobs, oldest first.
SELECT body FROM jobs ORDER BY number;

-- jobs_of --
-- The jobs of a kind, oldest first.
SELECT body FROM jobs WHERE kind = ? ORDER BY number;

-- count_waiting --
-- How many jobs wait. The first condition is that of the index.
SELECT count(*) FROM jobs WHERE state IN ('pending', 'running') AND state = 'pending';

-- claimable --
-- The oldest job that no worker holds: a lease that ends later than any does was taken before the clock was set back.
SELECT body FROM jobs
WHERE state IN ('pending', 'running') AND (state = 'pending' OR lease_until_us <= ? OR lease_until_us > ?)
ORDER BY number LIMIT 1;

-- replace_job --
-- Changes nothing if the job was deleted, canceled, or claimed by another worker.
UPDATE jobs SET kind = ?, state = ?, lease_until_us = ?, attempts = ?, body = ?
WHERE job_id = ? AND state <> 'canceled' AND attempts = ?;

-- delete_job --
-- Whatever its state.
DELETE FROM jobs WHERE job_id = ?;
