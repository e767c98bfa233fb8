-- When each camera last proved by media that it sees: a restart believes it no longer than that.
CREATE TABLE proof (
    camera TEXT PRIMARY KEY,
    at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
