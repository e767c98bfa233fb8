-- Version 10: what agents tell.

-- Looks that came too late for the present, as far as they say what was in their time (model/agent.rs).
CREATE TABLE late (
    id INTEGER PRIMARY KEY,
    camera TEXT NOT NULL,
    at INTEGER NOT NULL,
    depth TEXT NOT NULL,
    failure TEXT,
    proves INTEGER NOT NULL,
    sum INTEGER
) STRICT;
CREATE INDEX late_by_time ON late (at);
CREATE INDEX late_of_camera ON late (camera, at);

-- How far an agent's looks are taken in, by its key. It is written with what they led to, so nothing counts twice.
CREATE TABLE agent (
    print TEXT PRIMARY KEY,
    taken INTEGER NOT NULL,
    sum INTEGER
) STRICT, WITHOUT ROWID;
