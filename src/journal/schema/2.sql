-- Version 2: what restarts must not forget of cameras and logins.

-- What was learned of a camera: its own past by hour of the day, its device, its stream.
CREATE TABLE memory (
    camera TEXT PRIMARY KEY,
    body   TEXT NOT NULL
) WITHOUT ROWID;

-- How a device's login fared over one protocol, so that a rejected one is not tried again. The fingerprint is 16 bits
-- of a hash over address and login: it notices a change and finds no password.
CREATE TABLE login (
    device      TEXT NOT NULL,
    onvif       INTEGER NOT NULL,
    fingerprint INTEGER NOT NULL,
    strikes     INTEGER NOT NULL,
    until       INTEGER,
    good        INTEGER NOT NULL,
    PRIMARY KEY (device, onvif)
) WITHOUT ROWID;
