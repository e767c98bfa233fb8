-- Version 8: accounts and passes may be bound to areas, which stands in their bodies. A program that does not know that would
-- let them reach all, so it must not read this file.

-- What becomes of what is old, a row for each kind by its key in `[journal]`: how long it is kept (in seconds), from when on
-- that holds, and until when it was forgotten. `rest` is what the audit trail, whose beginning was forgotten, hangs on.
CREATE TABLE retention (
    what TEXT PRIMARY KEY,
    keep INTEGER NOT NULL,
    holds_from INTEGER NOT NULL,
    until INTEGER,
    rest TEXT,
    sum INTEGER
) STRICT, WITHOUT ROWID;
