//! What agents tell late, and how far each was taken in, as rows.

use super::{
    Batch, Error,
    columns::time,
    rows,
    sql::{Connection, Row, Value, values},
    strange::Strange,
    table::{AGENT, LATE},
};
use crate::model::{CameraId, Check, FailureKind, LateLook};
use std::collections::BTreeMap;

/// Looks that are read of a span: a year of a commune's agents that were cut off half of the time.
const MOST: u32 = 20_000_000;

/// Writes them as part of a batch's transaction.
pub(super) fn write(connection: &Connection, batch: &Batch) -> Result<(), Error> {
    let sql = LATE.append();
    for look in &batch.late {
        let (check, failure) = (look.check.as_str(), look.failure.map(FailureKind::as_str));
        let values = values![look.camera.as_str(), look.at.as_millisecond(), check, failure, look.proves];
        connection.put(&sql, values)?;
    }
    let sql = AGENT.put();
    for mark in &batch.agents {
        connection.put(&sql, values![&mark.print, i64::try_from(mark.taken).unwrap_or(i64::MAX)])?;
    }
    Ok(())
}

/// Looks of a span, and of a camera alone where one is named.
pub(super) fn late(
    connection: &Connection,
    (from, until): (i64, i64),
    camera: Option<&CameraId>,
    strange: &Strange,
) -> Result<Vec<LateLook>, Error> {
    let sql = sql(camera.is_some());
    match camera {
        Some(camera) => read(connection, &sql, values![from, until, camera.as_str()], strange),
        None => read(connection, &sql, values![from, until], strange),
    }
}

pub(super) fn sql(of_one: bool) -> String {
    let one = if of_one { "camera = ?3 AND " } else { "" };
    format!("SELECT *, {} FROM late WHERE {one}at >= ?1 AND at < ?2 ORDER BY at, id LIMIT {MOST}", LATE.sound())
}

fn read(connection: &Connection, sql: &str, values: &[Value<'_>], strange: &Strange) -> Result<Vec<LateLook>, Error> {
    let look = |row: Row<'_>| {
        let failure: Option<String> = row.get("failure")?;
        let check = strange.word("late.depth", &row.get::<String>("depth")?).unwrap_or(Check::Device);
        Ok(LateLook {
            camera: CameraId::from(row.get::<String>("camera")?.as_str()),
            at: time(row.get("at")?),
            check,
            // A reason of another version is one of which nothing follows.
            failure: failure.map(|name| strange.word("late.failure", &name).unwrap_or(FailureKind::ProbeFailed)),
            proves: row.get("proves")?,
        })
    };
    rows::read(connection, sql, values, (LATE.name, strange), look)
}

/// How far each agent was taken in, by its key.
pub(super) fn marks(connection: &Connection, strange: &Strange) -> Result<BTreeMap<String, u64>, Error> {
    let sql = format!("SELECT *, {} FROM agent", AGENT.sound());
    let mark = |row: Row<'_>| Ok((row.get("print")?, row.get::<i64>("taken")?.unsigned_abs()));
    Ok(rows::read(connection, &sql, values![], (AGENT.name, strange), mark)?.into_iter().collect())
}
