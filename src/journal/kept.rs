//! What the journal itself remembers of forgetting: how long each kind is kept, from when on that holds, and until when
//! it was forgotten.

use super::{
    Error,
    columns::{json, time},
    rows,
    settings::Keep,
    sql::{Connection, values},
    strange::Strange,
    table::RETENTION,
};
use crate::rights::{Entry, Forgotten};
use jiff::Timestamp;

/// What is known of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    /// For how many seconds it is kept.
    pub(super) keep: i64,
    /// From when on that holds.
    pub(super) holds_from: i64,
    /// Until when it was forgotten.
    pub(super) until: Option<i64>,
    /// What the audit trail hangs on.
    pub(super) rest: Option<Forgotten>,
}

/// From when on the limits of each kind hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Holds(pub(super) [i64; Keep::ALL.len()]);

impl Holds {
    /// Whether what is past this limit may go.
    pub(super) fn at(&self, keep: Keep, now: Timestamp) -> bool {
        self.0[keep as usize] <= now.as_millisecond()
    }
}

/// How far a kind was forgotten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gone {
    /// Which.
    pub keep: Keep,
    /// Whatever is older is gone; `None` if nothing is yet.
    pub until: Option<Timestamp>,
    /// From when on what is past its time goes; that may be still to come.
    pub from: Timestamp,
}

/// Notes that a kind was forgotten until then, within the transaction in which that is done.
pub(super) fn forgot(connection: &Connection, keep: Keep, until: i64) -> Result<(), Error> {
    let Some(row) = read(connection, keep)? else { return Ok(()) };
    put(connection, keep, &Row { until: row.until.max(Some(until)), ..row })
}

/// Notes that these entries, the oldest of the audit trail, are forgotten.
pub(super) fn forgot_entries(connection: &Connection, entries: &[Entry], until: i64) -> Result<(), Error> {
    let row = read(connection, Keep::Audit)?;
    let row = row.unwrap_or(Row { keep: 0, holds_from: 0, until: None, rest: None });
    let rest = Forgotten::and(row.rest.as_ref(), entries);
    put(connection, Keep::Audit, &Row { until: row.until.max(Some(until)), rest, ..row })
}

/// How far the audit trail was forgotten; the outer `None` where nobody has watched that yet.
pub(super) fn trail(connection: &Connection) -> Result<Option<Option<Forgotten>>, Error> {
    Ok(read(connection, Keep::Audit)?.map(|row| row.rest))
}

/// Until when a kind was forgotten.
pub(super) fn until(connection: &Connection, keep: Keep) -> Result<Option<Timestamp>, Error> {
    Ok(read(connection, keep)?.and_then(|row| row.until).map(time))
}

/// How far each kind was forgotten.
pub(super) fn gone(connection: &Connection) -> Result<Vec<Gone>, Error> {
    let mut all = Vec::new();
    for keep in Keep::ALL {
        if let Some(row) = read(connection, keep)? {
            all.push(Gone { keep, until: row.until.map(time), from: time(row.holds_from) });
        }
    }
    Ok(all)
}

/// What is known of a kind.
pub(super) fn read(connection: &Connection, keep: Keep) -> Result<Option<Row>, Error> {
    let sql = format!("SELECT keep, holds_from, until, rest, {} FROM retention WHERE what = ?1", RETENTION.sound());
    let row = connection.first(&sql, values![keep.as_str()], |row| {
        let rest: Option<String> = row.get("rest")?;
        let strange = Strange::default();
        let rest = rest.and_then(|rest| strange.record("retention.rest", &rest));
        let read = Row { keep: row.get("keep")?, holds_from: row.get("holds_from")?, until: row.get("until")?, rest };
        Ok(rows::is_sound(row).then_some(read))
    });
    Ok(row?.flatten())
}

/// Notes what is known of a kind.
pub(super) fn put(connection: &Connection, keep: Keep, row: &Row) -> Result<(), Error> {
    let rest = row.rest.as_ref().map(json);
    connection.put(&RETENTION.put(), values![keep.as_str(), row.keep, row.holds_from, row.until, rest])
}
