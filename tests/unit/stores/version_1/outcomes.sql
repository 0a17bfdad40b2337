-- What came of one loop's decisions, and what was learned from it. The outcomes and the models share a file,
-- so that a power cut can't leave a model that knows outcomes which are not there.

CREATE TABLE about (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    owner TEXT NOT NULL                         -- the id of the loop
);

CREATE TABLE outcomes (
    seq INTEGER PRIMARY KEY,                    -- the order of learning
    decision_seq INTEGER NOT NULL UNIQUE,       -- a decision gives at most one outcome
    event_key INTEGER NOT NULL,                 -- 64 bits of a hash of the event id: smaller than the id itself
    body BLOB NOT NULL                          -- records.Outcome as MessagePack
);

-- By segments of 65,536 outcomes: hashes fall anywhere in an index, and in one of all outcomes each insert would
-- rewrite another page, at a million of them for thrice the cost. A look-up asks each segment (2 µs).
CREATE INDEX outcomes_by_event ON outcomes (seq >> 16, event_key);

CREATE TABLE strays (
    observation_seq INTEGER PRIMARY KEY,
    reason TEXT NOT NULL
);

-- One row: where settling resumes, and totals, so that counting does not read the log.
CREATE TABLE progress (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    decisions INTEGER NOT NULL DEFAULT 0,
    observations INTEGER NOT NULL DEFAULT 0,
    outcomes INTEGER NOT NULL DEFAULT 0,
    learnable INTEGER NOT NULL DEFAULT 0,
    late INTEGER NOT NULL DEFAULT 0,
    dangling INTEGER NOT NULL DEFAULT 0
);

INSERT INTO progress (one) VALUES (1);

CREATE TABLE models (
    number INTEGER PRIMARY KEY,
    model_id TEXT NOT NULL UNIQUE,
    lineage BLOB NOT NULL,                      -- records.Model as MessagePack
    digest BLOB NOT NULL,                       -- BLAKE2b of the bytes in models/MODEL_ID.vw
    has_blob INTEGER NOT NULL DEFAULT 1         -- 0: the bytes were pruned
);

CREATE INDEX models_with_blob ON models (number) WHERE has_blob;

CREATE TABLE live (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    model_id TEXT                               -- NULL: no model serves
);

INSERT INTO live (one) VALUES (1);

PRAGMA user_version = 1;
