-- Format 10, as a PostgreSQL server holds it: the first that one ever held. Tables, columns and their order are those of the
-- file; what differs is said here. Times are milliseconds since 1970 in UTC. Text is ordered by its bytes, as SQLite orders it.
--
-- `sum` is 1 in each row that is believed and NULL in one that is given up: a server has sums of its own, of pages.

-- Who holds the journal. Each commit carries the fence: whoever takes the journal over raises it, and what an earlier holder
-- sends then is refused. `commits` counts the holder's transactions, so that one whose answer was lost is known again. Where daemons
-- stand by for each other a holder `renews` its turn, and one that was not `seen` for some seconds has lost it.
CREATE TABLE holder (
    one     BOOLEAN PRIMARY KEY DEFAULT true CHECK (one),
    format  BIGINT NOT NULL,
    fence   BIGINT NOT NULL,
    commits BIGINT NOT NULL,
    name    TEXT NOT NULL,
    since   TIMESTAMPTZ NOT NULL,
    seen    TIMESTAMPTZ NOT NULL,
    renews  BOOLEAN NOT NULL DEFAULT false
) WITH (fillfactor = 10);
INSERT INTO holder (format, fence, commits, name, since, seen) VALUES (10, 0, 0, '', now(), now());

CREATE FUNCTION held(by BIGINT, number BIGINT) RETURNS VOID LANGUAGE plpgsql AS $$
BEGIN
    UPDATE holder SET commits = number, seen = clock_timestamp() WHERE fence = by;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'another camhealth has taken this journal over' USING ERRCODE = 'CH001';
    END IF;
END $$;

-- The values of a list that is handed over as JSON.
CREATE FUNCTION listed(list TEXT) RETURNS TABLE (value TEXT) LANGUAGE sql IMMUTABLE
    AS 'SELECT json_array_elements_text(list::json) COLLATE "C"';

CREATE TABLE run (
    id         BIGINT PRIMARY KEY,
    version    TEXT COLLATE "C" NOT NULL,
    started    BIGINT NOT NULL,
    last_alive BIGINT NOT NULL,
    sum        BIGINT
);
CREATE INDEX run_by_time ON run (last_alive);

CREATE TABLE transition (
    id         BIGINT PRIMARY KEY,
    camera     TEXT COLLATE "C" NOT NULL,
    from_state TEXT COLLATE "C" NOT NULL,
    to_state   TEXT COLLATE "C" NOT NULL,
    cause      TEXT COLLATE "C",
    detail     TEXT COLLATE "C" NOT NULL,
    since      BIGINT NOT NULL,
    decided    BIGINT NOT NULL,
    sum        BIGINT
);
CREATE INDEX transition_by_camera ON transition (camera, id, decided);
CREATE INDEX transition_by_time ON transition (decided);

CREATE TABLE site (
    site  TEXT COLLATE "C" PRIMARY KEY,
    level TEXT COLLATE "C" NOT NULL,
    since BIGINT NOT NULL,
    alert TEXT COLLATE "C",
    ended TEXT COLLATE "C" NOT NULL,
    sum   BIGINT
);

CREATE TABLE level_change (
    id    BIGINT PRIMARY KEY,
    site  TEXT COLLATE "C" NOT NULL,
    level TEXT COLLATE "C" NOT NULL,
    since BIGINT NOT NULL,
    sum   BIGINT
);
CREATE INDEX level_change_by_site ON level_change (site, id, since);
CREATE INDEX level_change_by_time ON level_change (since);

CREATE TABLE link_change (
    id    BIGINT PRIMARY KEY,
    link  TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    since BIGINT NOT NULL,
    sum   BIGINT
);
CREATE INDEX link_change_by_link ON link_change (link, id, since);
CREATE INDEX link_change_by_time ON link_change (since);

CREATE TABLE notice (
    key  TEXT COLLATE "C" PRIMARY KEY,
    site TEXT COLLATE "C" NOT NULL,
    at   BIGINT NOT NULL,
    body TEXT COLLATE "C" NOT NULL,
    sum  BIGINT
);
CREATE INDEX notice_by_time ON notice (at);

CREATE TABLE outbox (
    id        BIGINT PRIMARY KEY,
    notice    TEXT COLLATE "C" NOT NULL REFERENCES notice (key),
    incident  TEXT COLLATE "C" NOT NULL,
    recipient TEXT COLLATE "C" NOT NULL,
    channels  TEXT COLLATE "C" NOT NULL,
    turn      BIGINT NOT NULL,
    channel   TEXT COLLATE "C" NOT NULL,
    state     TEXT COLLATE "C" NOT NULL CHECK (state IN ('queued', 'sent', 'superseded', 'abandoned')),
    attempts  BIGINT NOT NULL,
    due       BIGINT NOT NULL,
    settled   BIGINT,
    receipt   TEXT COLLATE "C",
    error     TEXT COLLATE "C",
    sum       BIGINT,
    UNIQUE (notice, recipient)
);
CREATE INDEX outbox_queued ON outbox (channel, id) WHERE state = 'queued';
CREATE INDEX outbox_of_incident ON outbox (incident, recipient, id);
CREATE INDEX outbox_settled ON outbox (settled) WHERE state <> 'queued';
CREATE INDEX outbox_by_receipt ON outbox (channel, receipt) WHERE receipt IS NOT NULL;

CREATE TABLE observation (
    id      BIGINT PRIMARY KEY,
    camera  TEXT COLLATE "C" NOT NULL,
    started BIGINT NOT NULL,
    failed  BIGINT NOT NULL,
    body    TEXT COLLATE "C" NOT NULL,
    sum     BIGINT
);
CREATE INDEX observation_by_camera ON observation (camera, failed, id);
CREATE INDEX observation_by_age ON observation (failed, started);

CREATE TABLE memory (
    camera TEXT COLLATE "C" PRIMARY KEY,
    body   TEXT COLLATE "C" NOT NULL,
    sum    BIGINT
);

CREATE TABLE login (
    device      TEXT COLLATE "C" NOT NULL,
    onvif       BIGINT NOT NULL,
    fingerprint BIGINT NOT NULL,
    strikes     BIGINT NOT NULL,
    until       BIGINT,
    good        BIGINT NOT NULL,
    sum         BIGINT,
    PRIMARY KEY (device, onvif)
);

CREATE TABLE incident (
    id     TEXT COLLATE "C" PRIMARY KEY,
    number BIGINT NOT NULL,
    opened BIGINT NOT NULL,
    closed BIGINT,
    body   TEXT COLLATE "C" NOT NULL,
    sum    BIGINT
);
CREATE INDEX incident_by_end ON incident (closed);
CREATE INDEX incident_by_number ON incident (number);
CREATE INDEX incident_by_opening ON incident (opened, number);

CREATE TABLE maintenance (
    id    TEXT COLLATE "C" PRIMARY KEY,
    until BIGINT NOT NULL,
    body  TEXT COLLATE "C" NOT NULL,
    sum   BIGINT
);
CREATE INDEX maintenance_by_end ON maintenance (until);

CREATE TABLE secret (
    name  TEXT COLLATE "C" PRIMARY KEY,
    value BYTEA NOT NULL,
    sum   BIGINT
);

CREATE TABLE proof (
    camera TEXT COLLATE "C" PRIMARY KEY,
    at     BIGINT NOT NULL,
    sum    BIGINT
);

CREATE TABLE account (
    name TEXT COLLATE "C" PRIMARY KEY,
    body TEXT COLLATE "C" NOT NULL,
    sum  BIGINT
);

CREATE TABLE pass (
    id   TEXT COLLATE "C" PRIMARY KEY,
    body TEXT COLLATE "C" NOT NULL,
    sum  BIGINT
);

CREATE TABLE audit (
    id   BIGINT PRIMARY KEY,
    at   BIGINT NOT NULL,
    body TEXT COLLATE "C" NOT NULL,
    sum  BIGINT
);
CREATE INDEX audit_by_time ON audit (at);

CREATE TABLE edit (
    item TEXT COLLATE "C" PRIMARY KEY,
    body TEXT COLLATE "C" NOT NULL,
    sum  BIGINT
);

CREATE TABLE minute_figures (
    begins BIGINT NOT NULL,
    camera TEXT COLLATE "C" NOT NULL,
    parts  BYTEA NOT NULL,
    sum    BIGINT,
    PRIMARY KEY (begins, camera)
);
CREATE TABLE hour_figures (
    begins BIGINT NOT NULL,
    camera TEXT COLLATE "C" NOT NULL,
    parts  BYTEA NOT NULL,
    sum    BIGINT,
    PRIMARY KEY (begins, camera)
);

CREATE TABLE retention (
    what       TEXT COLLATE "C" PRIMARY KEY,
    keep       BIGINT NOT NULL,
    holds_from BIGINT NOT NULL,
    until      BIGINT,
    rest       TEXT COLLATE "C",
    sum        BIGINT
);

CREATE TABLE timeline (
    id       BIGINT PRIMARY KEY,
    incident TEXT COLLATE "C" NOT NULL,
    at       BIGINT NOT NULL,
    what     TEXT COLLATE "C" NOT NULL,
    step     BIGINT NOT NULL,
    person   TEXT COLLATE "C",
    channel  TEXT COLLATE "C",
    level    TEXT COLLATE "C",
    until    BIGINT,
    detail   TEXT COLLATE "C" NOT NULL,
    sum      BIGINT
);
CREATE INDEX timeline_of_incident ON timeline (incident, id);
CREATE INDEX timeline_by_time ON timeline (at);

CREATE TABLE incident_of (
    thing  TEXT COLLATE "C" NOT NULL,
    number BIGINT NOT NULL,
    sum    BIGINT,
    PRIMARY KEY (thing, number)
);
CREATE INDEX incident_of_number ON incident_of (number, thing);
CREATE FUNCTION incident_gone() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM incident_of WHERE number = old.number;
    RETURN NULL;
END $$;
CREATE TRIGGER incident_gone AFTER DELETE ON incident FOR EACH ROW EXECUTE FUNCTION incident_gone();

CREATE TABLE late (
    id      BIGINT PRIMARY KEY,
    camera  TEXT COLLATE "C" NOT NULL,
    at      BIGINT NOT NULL,
    depth   TEXT COLLATE "C" NOT NULL,
    failure TEXT COLLATE "C",
    proves  BIGINT NOT NULL,
    sum     BIGINT
);
CREATE INDEX late_by_time ON late (at);
CREATE INDEX late_of_camera ON late (camera, at);

CREATE TABLE agent (
    print TEXT COLLATE "C" PRIMARY KEY,
    taken BIGINT NOT NULL,
    sum   BIGINT
);
