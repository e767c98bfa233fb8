-- Version 3: incidents over links, windows, and an outbox by recipient.

-- Every incident, open or ended.
CREATE TABLE incident (
    id     TEXT PRIMARY KEY,
    number INTEGER NOT NULL,
    opened INTEGER NOT NULL,
    closed INTEGER,
    body   TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX incident_by_time ON incident (opened);

-- Every change of a link's state; the whole commune has no name.
CREATE TABLE link_change (
    id    INTEGER PRIMARY KEY,
    link  TEXT NOT NULL,
    state TEXT NOT NULL,
    since INTEGER NOT NULL
);
CREATE INDEX link_change_by_link ON link_change (link, id);

-- Maintenance windows that people set; those that ended early have their new end.
CREATE TABLE maintenance (
    id    TEXT PRIMARY KEY,
    until INTEGER NOT NULL,
    body  TEXT NOT NULL
) WITHOUT ROWID;

-- Secrets of our own making, such as the key that signs links.
CREATE TABLE secret (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) WITHOUT ROWID;

-- When a site's last alerts ended.
ALTER TABLE site ADD COLUMN ended TEXT NOT NULL DEFAULT '[]';

-- What is to be told to whom. A row moves to the recipient's next channel when one fails; what waits is superseded by
-- what is newer of the same incident. What stood in the old outbox was written by a version that nobody ran in service.
DROP TABLE outbox;
CREATE TABLE outbox (
    id        INTEGER PRIMARY KEY,
    notice    TEXT NOT NULL REFERENCES notice (key),
    incident  TEXT NOT NULL,
    recipient TEXT NOT NULL,
    channels  TEXT NOT NULL,
    turn      INTEGER NOT NULL DEFAULT 0,
    channel   TEXT NOT NULL,
    state     TEXT NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'sent', 'superseded', 'abandoned')),
    attempts  INTEGER NOT NULL DEFAULT 0,
    due       INTEGER NOT NULL,
    settled   INTEGER,
    receipt   TEXT,
    error     TEXT,
    UNIQUE (notice, recipient)
);
CREATE INDEX outbox_queued ON outbox (channel, id) WHERE state = 'queued';
CREATE INDEX outbox_of_incident ON outbox (incident, recipient, id);
