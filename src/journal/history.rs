//! What the uptime report is made from: all that the journal remembers of a span of time.

use super::{
    Error,
    columns::time,
    records::{memories, read_link, read_transition},
    rows,
    strange::Strange,
    table,
};
use crate::model::{CameraId, History, Level, LevelChange, Run, SiteId};
use jiff::Timestamp;
use rusqlite::Connection;
use std::collections::BTreeSet;

/// Everything that bears on the time since `from`, up to `until`.
pub(super) fn read(connection: &Connection, from: Timestamp, until: Timestamp) -> Result<History, Error> {
    let strange = &Strange::default();
    let (from, until) = (from.as_millisecond(), until.as_millisecond());
    let span = [from, until];
    let sql = rows::changes(&table::TRANSITION, "decided");
    let mut names: BTreeSet<CameraId> = BTreeSet::new();
    let transitions = rows::read(connection, &sql, span, ("transition", strange), |row| {
        let mut transition = read_transition(row, strange)?;
        // Years of a province are many rows: each name is held once.
        match names.get(transition.camera.as_str()) {
            Some(known) => transition.camera = known.clone(),
            None => drop(names.insert(transition.camera.clone())),
        }
        Ok(transition)
    })?;
    let sql = rows::changes(&table::LEVEL_CHANGE, "since");
    let levels = rows::read(connection, &sql, span, ("level_change", strange), |row| {
        Ok(LevelChange {
            site: SiteId::from(row.get::<_, String>("site")?.as_str()),
            level: strange.word("level_change.level", &row.get::<_, String>("level")?).unwrap_or(Level::Unknown),
            since: time(row.get("since")?),
        })
    })?;
    let sql = rows::changes(&table::LINK_CHANGE, "since");
    let links = rows::read(connection, &sql, span, ("link_change", strange), |row| read_link(row, strange))?;
    let run = |row: &rusqlite::Row<'_>| Ok(Run { from: time(row.get("started")?), until: time(row.get("alive")?) });
    let runs = rows::read(connection, &runs(), span, ("run", strange), run)?;
    let incidents = rows::bodies(connection, &table::INCIDENT, INCIDENTS, from, strange)?;
    let windows = rows::bodies(connection, &table::MAINTENANCE, WINDOWS, from, strange)?;
    let known = memories(connection, strange)?.into_iter();
    let devices = known.filter_map(|(camera, memory)| Some((camera, memory.device?.now))).collect();
    strange.tell();
    Ok(History { runs, transitions, levels, links, incidents, windows, devices })
}

const INCIDENTS: &str = "closed IS NULL OR closed > ?1";
const WINDOWS: &str = "until > ?1";

/// A run is noted to be alive once a minute; what it decided since then proves that it was.
fn runs() -> String {
    format!(
        "SELECT started, max(last_alive, coalesce((
             SELECT max(decided) FROM transition WHERE decided >= run.started AND decided < coalesce(
                 (SELECT started FROM run AS next WHERE next.id > run.id ORDER BY next.id LIMIT 1),
                 9223372036854775807)), 0)) AS alive, {}
         FROM run WHERE started < ?2 AND alive > ?1 ORDER BY id",
        table::RUN.sound()
    )
}

/// What is read of a span, for tests to see by which indexes.
#[cfg(test)]
pub(super) fn statements() -> Vec<String> {
    use table::{INCIDENT, LEVEL_CHANGE, LINK_CHANGE, MAINTENANCE, TRANSITION};
    vec![
        rows::changes(&TRANSITION, "decided"),
        rows::changes(&LEVEL_CHANGE, "since"),
        rows::changes(&LINK_CHANGE, "since"),
        runs(),
        format!("SELECT body FROM {} WHERE {INCIDENTS}", INCIDENT.name),
        format!("SELECT body FROM {} WHERE {WINDOWS}", MAINTENANCE.name),
    ]
}
