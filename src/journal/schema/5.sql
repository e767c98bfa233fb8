-- Version 5: sums, by which a damaged row is told from one that was written, and indexes by time, by which history is
-- read and pruned. `row_sum` is our own (journal/table.rs): 32 bits of SHA-256 over a table's name and a row's values.

ALTER TABLE run ADD COLUMN sum INTEGER;
UPDATE run SET sum = row_sum('run', id, version, started, last_alive);
ALTER TABLE transition ADD COLUMN sum INTEGER;
UPDATE transition
    SET sum = row_sum('transition', id, camera, from_state, to_state, cause, detail, since, decided);
ALTER TABLE site ADD COLUMN sum INTEGER;
UPDATE site SET sum = row_sum('site', site, level, since, alert, ended);
ALTER TABLE level_change ADD COLUMN sum INTEGER;
UPDATE level_change SET sum = row_sum('level_change', id, site, level, since);
ALTER TABLE link_change ADD COLUMN sum INTEGER;
UPDATE link_change SET sum = row_sum('link_change', id, link, state, since);
ALTER TABLE incident ADD COLUMN sum INTEGER;
UPDATE incident SET sum = row_sum('incident', id, number, opened, closed, body);
ALTER TABLE maintenance ADD COLUMN sum INTEGER;
UPDATE maintenance SET sum = row_sum('maintenance', id, until, body);
ALTER TABLE notice ADD COLUMN sum INTEGER;
UPDATE notice SET sum = row_sum('notice', key, site, at, body);
ALTER TABLE outbox ADD COLUMN sum INTEGER;
UPDATE outbox
    SET sum = row_sum('outbox', id, notice, incident, recipient, channels, turn, channel, state, attempts, due, settled,
        receipt, error);
ALTER TABLE memory ADD COLUMN sum INTEGER;
UPDATE memory SET sum = row_sum('memory', camera, body);
ALTER TABLE login ADD COLUMN sum INTEGER;
UPDATE login SET sum = row_sum('login', device, onvif, fingerprint, strikes, until, good);
ALTER TABLE proof ADD COLUMN sum INTEGER;
UPDATE proof SET sum = row_sum('proof', camera, at);
ALTER TABLE secret ADD COLUMN sum INTEGER;
UPDATE secret SET sum = row_sum('secret', name, value);
-- Transcripts may be many: those of before have no sum, and are lost where the file must be salvaged.
ALTER TABLE observation ADD COLUMN sum INTEGER;

CREATE INDEX run_by_time ON run (last_alive);
DROP INDEX transition_by_camera;
CREATE INDEX transition_by_camera ON transition (camera, id, decided);
CREATE INDEX transition_by_time ON transition (decided);
DROP INDEX level_change_by_site;
CREATE INDEX level_change_by_site ON level_change (site, id, since);
CREATE INDEX level_change_by_time ON level_change (since);
DROP INDEX link_change_by_link;
CREATE INDEX link_change_by_link ON link_change (link, id, since);
CREATE INDEX link_change_by_time ON link_change (since);
DROP INDEX incident_by_time;
CREATE INDEX incident_by_end ON incident (closed);
CREATE INDEX incident_by_number ON incident (number);
CREATE INDEX maintenance_by_end ON maintenance (until);
CREATE INDEX notice_by_time ON notice (at);
CREATE INDEX outbox_settled ON outbox (settled) WHERE state <> 'queued';
DROP INDEX observation_by_camera;
CREATE INDEX observation_by_camera ON observation (camera, failed);
