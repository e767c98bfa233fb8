-- Version 7.

-- What people edited on pages, over what the files say.
CREATE TABLE edit (
    item TEXT PRIMARY KEY,
    body TEXT NOT NULL,
    sum INTEGER
) STRICT, WITHOUT ROWID;

-- What looks measured, summed up: a row for ten minutes of a camera with a part for each minute, and one for a day in UTC
-- with a part for each hour. Rows of one time lie side by side, since they are written and forgotten together. `begins` is
-- in seconds; the parts are packed as in model/figures.rs.
CREATE TABLE minute_figures (
    begins INTEGER NOT NULL,
    camera TEXT NOT NULL,
    parts BLOB NOT NULL,
    sum INTEGER,
    PRIMARY KEY (begins, camera)
) STRICT, WITHOUT ROWID;
CREATE TABLE hour_figures (
    begins INTEGER NOT NULL,
    camera TEXT NOT NULL,
    parts BLOB NOT NULL,
    sum INTEGER,
    PRIMARY KEY (begins, camera)
) STRICT, WITHOUT ROWID;
