-- The roll of a province, format 1: the machines that share it, and which of them watches which commune. It stands in a schema of its
-- own, beside the journals. What is watched where is not held by it, but by the journals' own locks and fences.
CREATE TABLE roll (
    one    BOOLEAN PRIMARY KEY DEFAULT true CHECK (one),
    format BIGINT NOT NULL
);
INSERT INTO roll (format) VALUES (1);

-- A machine. It writes its row each second, and holds a lock of its name as long as its session lives.
CREATE TABLE member (
    name     TEXT COLLATE "C" PRIMARY KEY,
    address  TEXT NOT NULL,
    version  TEXT NOT NULL,
    process  TEXT NOT NULL,
    began    TIMESTAMPTZ NOT NULL,
    seen     TIMESTAMPTZ NOT NULL,
    leaving  BOOLEAN NOT NULL,
    communes TEXT NOT NULL
) WITH (fillfactor = 10);

-- A commune, by the schema of its journal: whose it is, to whom it is offered, where an administrator wants it, and which machine
-- one of its channels hangs on.
CREATE TABLE commune (
    id      TEXT COLLATE "C" PRIMARY KEY,
    name    TEXT NOT NULL,
    cameras BIGINT NOT NULL,
    port    BIGINT NOT NULL,
    listed  TIMESTAMPTZ NOT NULL,
    holder  TEXT COLLATE "C",
    since   BIGINT,
    next    TEXT COLLATE "C",
    ready   BOOLEAN NOT NULL DEFAULT false,
    wish    TEXT COLLATE "C",
    home    TEXT COLLATE "C"
) WITH (fillfactor = 50);
