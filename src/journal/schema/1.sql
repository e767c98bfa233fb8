-- Version 1. Times are milliseconds since 1970 in UTC; names of states and reasons are those of the metrics.

-- Each run of the daemon, so that the time in which nobody watched is known.
CREATE TABLE run (
    id         INTEGER PRIMARY KEY,
    version    TEXT NOT NULL,
    started    INTEGER NOT NULL,
    last_alive INTEGER NOT NULL
);

-- Every change of a camera's state.
CREATE TABLE transition (
    id         INTEGER PRIMARY KEY,
    camera     TEXT NOT NULL,
    from_state TEXT NOT NULL,
    to_state   TEXT NOT NULL,
    cause      TEXT,
    detail     TEXT NOT NULL,
    since      INTEGER NOT NULL,
    decided    INTEGER NOT NULL
);
CREATE INDEX transition_by_camera ON transition (camera, id);

-- Where each site stands, and the alert that is open on it.
CREATE TABLE site (
    site  TEXT PRIMARY KEY,
    level TEXT NOT NULL,
    since INTEGER NOT NULL,
    alert TEXT
) WITHOUT ROWID;

-- Every change of a site's level.
CREATE TABLE level_change (
    id    INTEGER PRIMARY KEY,
    site  TEXT NOT NULL,
    level TEXT NOT NULL,
    since INTEGER NOT NULL
);
CREATE INDEX level_change_by_site ON level_change (site, id);

-- What was to be told.
CREATE TABLE notice (
    key  TEXT PRIMARY KEY,
    site TEXT NOT NULL,
    at   INTEGER NOT NULL,
    body TEXT NOT NULL
) WITHOUT ROWID;

-- To whom it goes, in order, and what became of it.
CREATE TABLE outbox (
    id       INTEGER PRIMARY KEY,
    notice   TEXT NOT NULL REFERENCES notice (key),
    channel  TEXT NOT NULL,
    state    TEXT NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'sent', 'abandoned')),
    attempts INTEGER NOT NULL DEFAULT 0,
    due      INTEGER NOT NULL,
    settled  INTEGER,
    error    TEXT,
    UNIQUE (notice, channel)
);
CREATE INDEX outbox_queued ON outbox (channel, id) WHERE state = 'queued';

-- Transcripts of looks; failures are kept longer.
CREATE TABLE observation (
    id      INTEGER PRIMARY KEY,
    camera  TEXT NOT NULL,
    started INTEGER NOT NULL,
    failed  INTEGER NOT NULL,
    body    TEXT NOT NULL
);
CREATE INDEX observation_by_camera ON observation (camera, started);
CREATE INDEX observation_by_age ON observation (failed, started);
