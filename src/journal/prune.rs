//! What is past its time is forgotten all at once, while no daemon runs, and the room is given back if that is asked.

use super::{
    Error, Settings, held, inspect, open,
    place::{self, Place},
    restore, retention, settle,
    sql::{Connection, values},
    table::{self, Table},
};
use jiff::Timestamp;
use std::{fs, path::Path};

/// What was forgotten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pruned {
    /// The journal, for people.
    pub journal: String,
    /// Rows that are gone, of each table of which any are.
    pub rows: Vec<(&'static str, u64)>,
    /// Bytes of the file, or of a server's tables, before.
    pub before: u64,
    /// Bytes of it now.
    pub after: u64,
    /// Bytes of that which nothing uses: they are used again. Of a server that is not known.
    pub unused: u64,
}

/// Forgets what is older than these settings keep; with `vacuum`, writes the file, or a server's tables, anew without what
/// nothing uses.
///
/// Refuses a journal that a daemon holds, one that is damaged, and one of another format, which a daemon is to bring up
/// first. `tell` hears of each portion.
pub fn prune(settings: &Settings, vacuum: bool, now: Timestamp, tell: &mut dyn FnMut()) -> Result<Pruned, Error> {
    let journal = settings.told();
    if let Some(server) = &settings.server {
        let connection = held::alone(server)?;
        let (before, rows) = forget(&connection, settings, now, tell)?;
        if vacuum {
            held::write_anew(&connection)?;
        }
        let (after, unused) = inspect::size(&connection)?;
        return Ok(Pruned { journal, rows, before, after, unused });
    }
    let path = settings.path.as_deref().unwrap_or(Path::new(""));
    let place = Place::new(path)?;
    let path = place.path();
    place::ordinary(path)?;
    let _lock = restore::own(&place)?;
    // A file of an earlier format is not changed in passing.
    drop(open::read_only(path).map_err(|error| error.of(path))?);
    let pruned = open::whole(path, true).and_then(|file| in_file(file, settings, vacuum, now, tell));
    let (rows, before, unused) = pruned.map_err(|error| error.of(path))?;
    let after = fs::metadata(path)?.len();
    Ok(Pruned { journal, rows, before, after, unused })
}

type Gone = Vec<(&'static str, u64)>;

fn in_file(
    file: rusqlite::Connection,
    settings: &Settings,
    vacuum: bool,
    now: Timestamp,
    tell: &mut dyn FnMut(),
) -> Result<(Gone, u64, u64), Error> {
    // A power cut may bring back what was forgotten last, and nothing else.
    file.pragma_update(None, "synchronous", "normal")?;
    let connection = Connection::from(file);
    let (before, gone) = forget(&connection, settings, now, tell)?;
    let Some(file) = connection.file() else { return Err(Error::Closed) };
    if vacuum {
        // A file of before format 5 learns by it to give room back later.
        file.execute_batch("PRAGMA auto_vacuum = incremental; VACUUM")?;
    }
    let (_, unused) = inspect::size(&connection)?;
    // Closing brings the WAL into the file, and fails in silence: here it is told.
    file.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    Ok((gone, before, unused))
}

/// How big it was, and what is gone.
fn forget(
    connection: &Connection,
    settings: &Settings,
    now: Timestamp,
    tell: &mut dyn FnMut(),
) -> Result<(u64, Gone), Error> {
    let (before, _) = inspect::size(connection)?;
    let had = counts(connection)?;
    // Whoever prunes by hand means it: nothing waits.
    settle::settle(connection, &settings.keep, now)?;
    let holds = settle::hold(connection, now)?;
    for rule in retention::rules(now, settings, &holds, &mut retention::Counts::default()) {
        while rule.portion(connection)? {
            tell();
        }
    }
    let gone = had.into_iter().zip(counts(connection)?).map(|((name, had), (_, has))| (name, had.saturating_sub(has)));
    Ok((before, gone.filter(|(_, rows)| *rows > 0).collect()))
}

fn counts(connection: &Connection) -> Result<Vec<(&'static str, u64)>, Error> {
    let count = |table: &&Table| {
        let rows = connection.number(&format!("SELECT count(*) FROM {}", table.name), values![])?;
        Ok((table.name, rows.unsigned_abs()))
    };
    table::ALL.iter().map(count).collect()
}
