//! What the uptime report is made from: all that the journal remembers of a span of time.

use super::{
    Error,
    records::{bodies, memories, read_link, read_transition, time},
    strange::Strange,
};
use crate::model::{History, Level, LevelChange, SiteId, Watch};
use jiff::Timestamp;
use rusqlite::Connection;

/// Everything that bears on the time since `from`, up to `until`.
pub(super) fn read(connection: &Connection, from: Timestamp, until: Timestamp) -> Result<History, Error> {
    let strange = &Strange::default();
    let (from, until) = (from.as_millisecond(), until.as_millisecond());
    // What was decided before the span holds at its beginning; of that, only the last row of each thing.
    let sql = "SELECT camera, from_state, to_state, cause, detail, since, decided FROM transition
               WHERE since < ?2 AND (decided > ?1 OR id IN (
                   SELECT (SELECT id FROM transition WHERE camera = known.camera AND decided <= ?1
                           ORDER BY id DESC LIMIT 1)
                   FROM (SELECT DISTINCT camera FROM transition) AS known)) ORDER BY id";
    let read = |row: &rusqlite::Row<'_>| read_transition(row, strange);
    let transitions = connection.prepare(sql)?.query_map([from, until], read)?.collect::<Result<_, _>>()?;
    let sql = "SELECT site, level, since FROM level_change
               WHERE since < ?2 AND (since > ?1
                   OR id IN (SELECT max(id) FROM level_change WHERE since <= ?1 GROUP BY site)) ORDER BY id";
    let level = |row: &rusqlite::Row<'_>| {
        Ok(LevelChange {
            site: SiteId::from(row.get::<_, String>("site")?.as_str()),
            level: strange.word("level_change.level", &row.get::<_, String>("level")?).unwrap_or(Level::Unknown),
            since: time(row.get("since")?),
        })
    };
    let levels = connection.prepare(sql)?.query_map([from, until], level)?.collect::<Result<_, _>>()?;
    let sql = "SELECT link, state, since FROM link_change
               WHERE since < ?2 AND (since > ?1
                   OR id IN (SELECT max(id) FROM link_change WHERE since <= ?1 GROUP BY link)) ORDER BY id";
    let read = |row: &rusqlite::Row<'_>| read_link(row, strange);
    let links = connection.prepare(sql)?.query_map([from, until], read)?.collect::<Result<_, _>>()?;
    // A run is noted to be alive once a minute; what it decided since then proves that it was.
    let sql = "SELECT started, max(last_alive, coalesce((
                   SELECT max(decided) FROM transition WHERE decided >= started AND decided < coalesce(
                       (SELECT started FROM run AS next WHERE next.id > run.id ORDER BY next.id LIMIT 1),
                       9223372036854775807)), 0)) AS alive
               FROM run WHERE started < ?2 AND alive > ?1 ORDER BY id";
    let watch = |row: &rusqlite::Row<'_>| Ok(Watch { from: time(row.get(0)?), until: time(row.get(1)?) });
    let runs = connection.prepare(sql)?.query_map([from, until], watch)?.collect::<Result<_, _>>()?;
    let sql = "SELECT body FROM incident WHERE closed IS NULL OR closed > ?1";
    let incidents = bodies(connection, sql, from, ("incident", strange))?;
    let sql = "SELECT body FROM maintenance WHERE until > ?1";
    let windows = bodies(connection, sql, from, ("maintenance", strange))?;
    let known = memories(connection, strange)?.into_iter();
    let devices = known.filter_map(|(camera, memory)| Some((camera, memory.device?.now))).collect();
    strange.tell();
    Ok(History { runs, transitions, levels, links, incidents, windows, devices })
}
