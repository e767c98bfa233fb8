//! What the uptime report is made from: all that the journal remembers of a span of time.

use super::{
    Error, agents,
    columns::time,
    kept,
    records::{memories, read_link, read_transition},
    rows,
    settings::Keep,
    sql::{Connection, Misread, Row, values},
    strange::Strange,
    table::{INCIDENT, LEVEL_CHANGE, LINK_CHANGE, MAINTENANCE, RUN, TIMELINE, TRANSITION},
};
use crate::model::{Bearing, CameraId, First, History, IncidentId, Level, LevelChange, Run, SiteId};
use jiff::Timestamp;
use std::collections::BTreeSet;

/// Everything that bears on the time since `from`, up to `until`.
pub(super) fn read(connection: &Connection, from: Timestamp, until: Timestamp) -> Result<History, Error> {
    let strange = &Strange::default();
    let (from, until) = (from.as_millisecond(), until.as_millisecond());
    let span = values![from, until];
    let sql = rows::changes(&TRANSITION, "decided");
    let mut names: BTreeSet<CameraId> = BTreeSet::new();
    let transitions = rows::read(connection, &sql, span, (TRANSITION.name, strange), |row| {
        let mut transition = read_transition(row, strange)?;
        // Years of a province are many rows: each name is held once.
        match names.get(transition.camera.as_str()) {
            Some(known) => transition.camera = known.clone(),
            None => drop(names.insert(transition.camera.clone())),
        }
        Ok(transition)
    })?;
    let late = agents::late(connection, (from, until), None, strange)?;
    let sql = rows::changes(&LEVEL_CHANGE, "since");
    let levels = rows::read(connection, &sql, span, (LEVEL_CHANGE.name, strange), |row| read_level(row, strange))?;
    let sql = rows::changes(&LINK_CHANGE, "since");
    let links = rows::read(connection, &sql, span, (LINK_CHANGE.name, strange), |row| read_link(row, strange))?;
    let runs = rows::read(connection, &runs(), span, (RUN.name, strange), read_run)?;
    let incidents = rows::bodies(connection, &INCIDENT, INCIDENTS, from, strange)?;
    let first = rows::read(connection, &first(), span, (TIMELINE.name, strange), read_first)?.into_iter().collect();
    let windows = rows::bodies(connection, &MAINTENANCE, WINDOWS, from, strange)?;
    let known = memories(connection, strange)?.into_iter();
    let devices = known.filter_map(|(camera, memory)| Some((camera, memory.device?.now))).collect();
    let begins = rows::read(connection, &first_run(), values![], (RUN.name, strange), |row| row.get("started"))?;
    let forgotten = kept::until(connection, Keep::History)?;
    let begins = begins.first().map(|started| time(*started)).max(forgotten);
    strange.tell();
    Ok(History { runs, begins, forgotten, transitions, late, levels, links, incidents, first, windows, devices })
}

/// Of the same only the changes of some things, when the monitor ran, and windows.
pub(super) fn of(
    connection: &Connection,
    bearing: &Bearing,
    from: Timestamp,
    until: Timestamp,
) -> Result<History, Error> {
    let strange = &Strange::default();
    let (from, until) = (from.as_millisecond(), until.as_millisecond());
    let span = values![from, until];
    let mut history = History {
        runs: rows::read(connection, &runs(), span, (RUN.name, strange), read_run)?,
        windows: rows::bodies(connection, &MAINTENANCE, WINDOWS, from, strange)?,
        ..History::default()
    };
    let sql = rows::changes_of_one(&TRANSITION, "decided");
    for camera in &bearing.cameras {
        let params = values![from, until, camera.as_str()];
        let rows =
            rows::read(connection, &sql, params, (TRANSITION.name, strange), |row| read_transition(row, strange))?;
        history.transitions.extend(rows);
        history.late.extend(agents::late(connection, (from, until), Some(camera), strange)?);
    }
    let sql = rows::changes_of_one(&LEVEL_CHANGE, "since");
    for site in &bearing.sites {
        let params = values![from, until, site.as_str()];
        let rows = rows::read(connection, &sql, params, (LEVEL_CHANGE.name, strange), |row| read_level(row, strange))?;
        history.levels.extend(rows);
    }
    let sql = rows::changes_of_one(&LINK_CHANGE, "since");
    for link in &bearing.links {
        let params = values![from, until, link.as_str()];
        let rows = rows::read(connection, &sql, params, (LINK_CHANGE.name, strange), |row| read_link(row, strange))?;
        history.links.extend(rows);
    }
    strange.tell();
    Ok(history)
}

fn read_level(row: Row<'_>, strange: &Strange) -> Result<LevelChange, Misread> {
    Ok(LevelChange {
        site: SiteId::from(row.get::<String>("site")?.as_str()),
        level: strange.word("level_change.level", &row.get::<String>("level")?).unwrap_or(Level::Unknown),
        since: time(row.get("since")?),
    })
}

fn read_run(row: Row<'_>) -> Result<Run, Misread> {
    Ok(Run { from: time(row.get("started")?), until: time(row.get("alive")?) })
}

const INCIDENTS: &str = "closed IS NULL OR closed > ?1";
const WINDOWS: &str = "until > ?1";

/// A run is noted to be alive once a minute; what it decided since then proves that it was.
fn runs() -> String {
    format!(
        "SELECT started, CASE WHEN decided > last_alive THEN decided ELSE last_alive END AS alive, sound FROM (
             SELECT id, started, last_alive, (
                 SELECT max(decided) FROM transition WHERE decided >= run.started AND decided < coalesce(
                     (SELECT started FROM run AS next WHERE next.id > run.id ORDER BY next.id LIMIT 1),
                     9223372036854775807)) AS decided, {}
             FROM run) AS runs
         WHERE started < ?2 AND (last_alive > ?1 OR decided > ?1) ORDER BY id",
        RUN.sound()
    )
}

/// When incidents were first told and taken on.
fn first() -> String {
    format!(
        "SELECT incident, min(CASE WHEN what = 'sent' THEN at END) AS sent,
             min(CASE WHEN what = 'taken_on' THEN at END) AS taken_on, 1 AS sound
         FROM timeline WHERE at >= ?1 AND at < ?2 AND what IN ('sent', 'taken_on') AND {} GROUP BY incident",
        TIMELINE.is_sound()
    )
}

fn read_first(row: Row<'_>) -> Result<(IncidentId, First), Misread> {
    let moment = |column| Ok::<_, Misread>(row.get::<Option<i64>>(column)?.map(time));
    let first = First { sent: moment("sent")?, taken_on: moment("taken_on")? };
    Ok((IncidentId::stored(row.get("incident")?), first))
}

/// The run that is remembered longest.
fn first_run() -> String {
    format!("SELECT started, {} FROM run ORDER BY id LIMIT 1", RUN.sound())
}

/// What is read of a span, for tests to see by which indexes.
#[cfg(test)]
pub(super) fn statements() -> Vec<String> {
    vec![
        rows::changes(&TRANSITION, "decided"),
        rows::changes(&LEVEL_CHANGE, "since"),
        rows::changes(&LINK_CHANGE, "since"),
        rows::changes_of_one(&TRANSITION, "decided"),
        rows::changes_of_one(&LEVEL_CHANGE, "since"),
        rows::changes_of_one(&LINK_CHANGE, "since"),
        runs(),
        first(),
        agents::sql(true),
        agents::sql(false),
        format!("SELECT body FROM {} WHERE {INCIDENTS}", INCIDENT.name),
        format!("SELECT body FROM {} WHERE {WINDOWS}", MAINTENANCE.name),
    ]
}
