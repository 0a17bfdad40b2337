-- The long computations of one loop. A file of its own: a worker that reports its progress holds up nobody else.

CREATE TABLE about (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    owner TEXT NOT NULL                         -- the id of the loop
);

CREATE TABLE jobs (
    number INTEGER PRIMARY KEY,                 -- the order in which they were put
    job_id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    lease_until_us INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    body BLOB NOT NULL                          -- records.Job as MessagePack
);

CREATE INDEX unfinished_jobs ON jobs (number) WHERE state IN ('pending', 'running');

PRAGMA user_version = 2;
