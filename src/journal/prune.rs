//! What is past its time is forgotten all at once, while no daemon runs, and the room is given back if that is asked.

use super::{
    Error, Settings, inspect, open,
    place::{self, Place},
    restore, retention, settle,
    table::{self, Table},
};
use jiff::Timestamp;
use rusqlite::Connection;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// What was forgotten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pruned {
    /// The journal.
    pub path: PathBuf,
    /// Rows that are gone, of each table of which any are.
    pub rows: Vec<(&'static str, u64)>,
    /// Bytes of the file before.
    pub before: u64,
    /// Bytes of the file now.
    pub after: u64,
    /// Bytes of that which nothing uses: they are used again.
    pub unused: u64,
}

/// Forgets what is older than these settings keep; with `vacuum`, writes the file anew without what nothing uses.
///
/// Refuses a journal that a daemon holds, one that is damaged, and one of another format, which a daemon is to bring up
/// first. `tell` hears of each portion.
pub fn prune(settings: &Settings, vacuum: bool, now: Timestamp, tell: &mut dyn FnMut()) -> Result<Pruned, Error> {
    let path = settings.path.as_deref().unwrap_or(Path::new(""));
    let place = Place::new(path)?;
    let path = place.path();
    place::ordinary(path)?;
    let _lock = restore::own(&place)?;
    // A file of an earlier format is not changed in passing.
    drop(open::read_only(path).map_err(|error| error.of(path))?);
    let pruned = open::whole(path, true).and_then(|connection| forget(connection, settings, vacuum, now, tell));
    let (rows, before, unused) = pruned.map_err(|error| error.of(path))?;
    let after = fs::metadata(path)?.len();
    Ok(Pruned { path: path.to_owned(), rows, before, after, unused })
}

type Gone = Vec<(&'static str, u64)>;

fn forget(
    mut connection: Connection,
    settings: &Settings,
    vacuum: bool,
    now: Timestamp,
    tell: &mut dyn FnMut(),
) -> Result<(Gone, u64, u64), Error> {
    // A power cut may bring back what was forgotten last, and nothing else.
    connection.pragma_update(None, "synchronous", "normal")?;
    let (before, _) = inspect::size(&connection)?;
    let had = counts(&connection)?;
    // Whoever prunes by hand means it: nothing waits.
    settle::settle(&mut connection, &settings.keep, now)?;
    let holds = settle::hold(&mut connection, now)?;
    for rule in retention::rules(now, settings, &holds, &mut retention::Counts::default()) {
        while rule.portion(&mut connection)? {
            tell();
        }
    }
    if vacuum {
        // A file of before format 5 learns by it to give room back later.
        connection.execute_batch("PRAGMA auto_vacuum = incremental; VACUUM")?;
    }
    let (_, unused) = inspect::size(&connection)?;
    let gone = had.into_iter().zip(counts(&connection)?).map(|((name, had), (_, has))| (name, had.saturating_sub(has)));
    let gone = gone.filter(|(_, rows)| *rows > 0).collect();
    // Closing brings the WAL into the file, and fails in silence: here it is told.
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    Ok((gone, before, unused))
}

fn counts(connection: &Connection) -> Result<Vec<(&'static str, u64)>, Error> {
    let count = |table: &&Table| {
        let sql = format!("SELECT count(*) FROM {}", table.name);
        let rows: i64 = connection.query_row(&sql, [], |row| row.get(0))?;
        Ok((table.name, rows.unsigned_abs()))
    };
    table::ALL.iter().map(count).collect()
}
