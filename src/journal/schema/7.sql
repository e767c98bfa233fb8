-- Version 7.

-- What people edited on pages, over what the files say.
CREATE TABLE edit (
    item TEXT PRIMARY KEY,
    body TEXT NOT NULL,
    sum INTEGER
) STRICT, WITHOUT ROWID;
