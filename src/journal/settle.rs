//! How limits come to hold. Whoever shortens one, an upgrade above all, is told what will go, and has a week to think
//! again: until then nothing of that kind goes by its age.

use super::{
    Error,
    kept::{self, Holds, Row},
    people, retention,
    settings::{Keep, Limits},
    sql::Connection,
};
use crate::{model::later, rights::Forgotten};
use jiff::Timestamp;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// How long whoever shortened a limit has to think again.
const GRACE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// What will go by a limit that became shorter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Going {
    /// By which.
    pub(super) keep: Keep,
    /// How long that keeps now.
    pub(super) length: Duration,
    /// How many rows are older.
    pub(super) rows: u64,
    /// From when on they go.
    pub(super) from: Timestamp,
}

/// Takes these limits on. What goes by them that did not go before is told once.
pub(super) fn settle(connection: &Connection, limits: &Limits, now: Timestamp) -> Result<(Holds, Vec<Going>), Error> {
    let transaction = connection.transaction()?;
    let (mut holds, mut going) = (Holds::default(), Vec::new());
    for keep in Keep::ALL {
        let length = limits.of(keep);
        let seconds = i64::try_from(length.as_secs()).unwrap_or(i64::MAX);
        let known = kept::read(&transaction, keep)?;
        let older = |length| retention::older(&transaction, keep, length, now);
        let rows = match &known {
            Some(row) if row.keep <= seconds => 0,
            Some(_) => older(length)?,
            // Which limit held before is not known. What goes in a day goes by the limit of before, too.
            None => older(length + DAY)?,
        };
        let from = if rows > 0 { later(now, GRACE) } else { now };
        let row = match known {
            Some(row) if row.keep == seconds => row,
            Some(row) => Row { keep: seconds, holds_from: from.as_millisecond(), ..row },
            None => {
                let first = people::trail(&transaction, 0, 1)?;
                let rest = first.first().filter(|_| keep == Keep::Audit).and_then(Forgotten::before);
                Row { keep: seconds, holds_from: from.as_millisecond(), until: None, rest }
            }
        };
        kept::put(&transaction, keep, &row)?;
        holds.0[keep as usize] = row.holds_from;
        going.extend((rows > 0).then_some(Going { keep, length, rows, from }));
    }
    transaction.commit()?;
    Ok((holds, going))
}

/// Lets all limits hold from now on: whoever prunes by hand means it.
pub(super) fn hold(connection: &Connection, now: Timestamp) -> Result<Holds, Error> {
    let (transaction, now) = (connection.transaction()?, now.as_millisecond());
    let mut holds = Holds::default();
    for keep in Keep::ALL {
        if let Some(row) = kept::read(&transaction, keep)? {
            let row = Row { holds_from: row.holds_from.min(now), ..row };
            kept::put(&transaction, keep, &row)?;
            holds.0[keep as usize] = row.holds_from;
        }
    }
    transaction.commit()?;
    Ok(holds)
}
