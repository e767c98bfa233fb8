-- Version 9: what happened to each incident and each message of it, and by what past incidents are found.

-- Entries are written with what they follow from, and never changed.
CREATE TABLE timeline (
    id INTEGER PRIMARY KEY,
    incident TEXT NOT NULL,
    at INTEGER NOT NULL,
    what TEXT NOT NULL,
    step INTEGER NOT NULL,
    person TEXT,
    channel TEXT,
    level TEXT,
    until INTEGER,
    detail TEXT NOT NULL,
    sum INTEGER
) STRICT;
CREATE INDEX timeline_of_incident ON timeline (incident, id);
CREATE INDEX timeline_by_time ON timeline (at);

-- A row for each thing by which an incident is found: its sites, its cause, the worst that was told (model/sought.rs).
CREATE TABLE incident_of (
    thing TEXT NOT NULL,
    number INTEGER NOT NULL,
    sum INTEGER,
    PRIMARY KEY (thing, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX incident_of_number ON incident_of (number, thing);
-- Incidents are replaced as they change, which is no deletion (recursive_triggers is off).
CREATE TRIGGER incident_gone AFTER DELETE ON incident BEGIN
    DELETE FROM incident_of WHERE number = old.number;
END;
CREATE INDEX incident_by_opening ON incident (opened, number);
INSERT OR IGNORE INTO incident_of (thing, number, sum)
    SELECT thing, number, row_sum('incident_of', thing, number) FROM (
        SELECT 'site:' || site.key AS thing, number
            FROM incident, json_each(iif(json_valid(body), body, '{}'), '$.sites') AS site
        UNION SELECT 'told:' || json_extract(iif(json_valid(body), body, '{}'), '$.told'), number FROM incident
        UNION SELECT 'cause:' || json_extract(iif(json_valid(body), body, '{}'), '$.cause.kind'), number FROM incident
        UNION SELECT replace(json_extract(iif(json_valid(body), body, '{}'), '$.cause.kind'), 'unproven', 'site') || ':'
            || json_extract(iif(json_valid(body), body, '{}'), '$.cause.id'), number FROM incident)
    WHERE thing IS NOT NULL;

-- A channel reports later of a message by what it called it.
CREATE INDEX outbox_by_receipt ON outbox (channel, receipt) WHERE receipt IS NOT NULL;
