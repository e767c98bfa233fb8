-- Version 6: accounts of people, what they are known by, and the audit trail of what they changed.

CREATE TABLE account (
    name TEXT PRIMARY KEY,
    body TEXT NOT NULL,
    sum INTEGER
) STRICT, WITHOUT ROWID;
-- What a browser, a program or a screen shows: by its hash, so that the file gives none of them away.
CREATE TABLE pass (
    id TEXT PRIMARY KEY,
    body TEXT NOT NULL,
    sum INTEGER
) STRICT, WITHOUT ROWID;
-- Each entry holds the hash of the one before it.
CREATE TABLE audit (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    body TEXT NOT NULL,
    sum INTEGER
) STRICT;
CREATE INDEX audit_by_time ON audit (at);
