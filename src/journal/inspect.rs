//! A journal is looked over from end to end without a change: its trees, each row against its sum, and the chain of the
//! audit trail.
//!
//! All of it is of one moment: a daemon that writes meanwhile changes nothing of what is read here.

use super::{
    Error, columns, held,
    kept::{self, Gone},
    open, people, place, schema,
    server::Server,
    sql::{Connection, values},
    table::{self, Table},
};
use crate::rights::{self, Break, Forgotten};
use jiff::Timestamp;
use std::path::Path;

/// What is wrong with the trees is told so many times at most.
const FAULTS: usize = 10;
/// Rows between two words of how far it is.
const OFTEN: u64 = 1000;
/// Entries of the audit trail that are held in memory at once.
const ENTRIES: usize = 1000;

/// What a journal was found to be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inspection {
    /// Its format.
    pub format: i64,
    /// Bytes, without what lies in a WAL only.
    pub bytes: u64,
    /// Bytes of it that nothing uses.
    pub unused: u64,
    /// What is wrong with its trees, in SQLite's words, which name no data; the first few.
    pub faults: Vec<String>,
    /// Its tables.
    pub tables: Vec<Count>,
    /// The time of the oldest thing in it.
    pub first: Option<Timestamp>,
    /// The time of the newest.
    pub last: Option<Timestamp>,
    /// Where the chain of the audit trail is broken.
    pub trail: Option<Break>,
    /// How far that was forgotten.
    pub forgotten: Option<Forgotten>,
    /// How far each kind was.
    pub gone: Vec<Gone>,
}

/// The rows of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Count {
    /// The table.
    pub table: &'static str,
    /// How many rows there are to be read.
    pub rows: u64,
    /// How many of them do not agree with their sum; rows of early formats have none.
    pub damaged: Option<u64>,
}

impl Inspection {
    /// Whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.faults.is_empty() && self.damaged() == 0 && self.trail.is_none()
    }

    /// All rows.
    pub fn rows(&self) -> u64 {
        self.tables.iter().map(|count| count.rows).sum()
    }

    /// Rows that do not agree with their sum.
    pub fn damaged(&self) -> u64 {
        self.tables.iter().filter_map(|count| count.damaged).sum()
    }

    fn saw(&mut self, at: i64) {
        let at = columns::time(at);
        self.first = Some(self.first.map_or(at, |first| first.min(at)));
        self.last = Some(self.last.map_or(at, |last| last.max(at)));
    }

    /// Notes damage; whatever else went wrong is an error.
    fn damage<T>(&mut self, found: Result<T, Error>) -> Result<Option<T>, Error> {
        match found {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.is_damage() => {
                let told = match error {
                    Error::Sqlite(error) => error.to_string(),
                    Error::Damaged(what) => what,
                    other => other.to_string(),
                };
                if self.faults.len() < FAULTS && !self.faults.contains(&told) {
                    self.faults.push(told);
                }
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

/// Looks over the journal of a daemon that runs or does not, or a backup. `tell` hears how many rows were read so far.
///
/// Fails for what is no journal, or of a newer format; what is damaged is told in the outcome.
pub fn check(path: &Path, tell: &mut dyn FnMut(u64)) -> Result<Inspection, Error> {
    place::ordinary(path)?;
    let file = open::any(path).map_err(|error| error.of(path))?;
    inspect(&file.into(), tell).map_err(|error| error.of(path))
}

/// The same of a journal on a server.
pub fn check_server(server: &Server, tell: &mut dyn FnMut(u64)) -> Result<Inspection, Error> {
    let connection = held::known(server)?;
    if let Some(session) = connection.server() {
        session.wait_for(held::WITHOUT_END);
        // All of it of one moment, as of a file.
        session.script("SET statement_timeout = 0; BEGIN ISOLATION LEVEL REPEATABLE READ")?;
    }
    inspect(&connection, tell)
}

/// Looks over an open journal.
pub(super) fn inspect(connection: &Connection, tell: &mut dyn FnMut(u64)) -> Result<Inspection, Error> {
    let transaction = connection.transaction()?;
    let format = connection.file().map_or(Ok(schema::LATEST), schema::check)?;
    let mut found = Inspection { format, ..Inspection::default() };
    (found.bytes, found.unused) = size(&transaction)?;
    if let Some(file) = connection.file() {
        let faults = faults(file, found.format);
        if let Some(faults) = found.damage(faults)? {
            found.faults.extend(faults);
        }
    }
    let mut read = 0;
    for table in table::ALL {
        let is_there = is_there(connection, table);
        if found.damage(is_there)? == Some(true) {
            count(&transaction, table, &mut found, &mut || {
                read += 1;
                if read % OFTEN == 0 {
                    tell(read);
                }
            })?;
        }
    }
    tell(read);
    if is_there(connection, &table::AUDIT).unwrap_or(false) {
        let known = match is_there(connection, &table::RETENTION).unwrap_or(false) {
            true => kept::trail(&transaction),
            false => Ok(None),
        };
        let known = found.damage(known)?.flatten();
        if known.is_some() {
            found.gone = kept::gone(&transaction)?;
        }
        let trail = trail(&transaction, known.as_ref());
        found.trail = found.damage(trail)?.flatten();
        found.forgotten = known.flatten();
    }
    Ok(found)
}

/// Whether a file of its format has a table; a server's journal has all of them.
fn is_there(connection: &Connection, table: &Table) -> Result<bool, Error> {
    Ok(connection.file().map_or(Ok(true), |file| file.table_exists(None, table.name))?)
}

/// The bytes of the file, and those that nothing uses; of a server's tables with their indexes, of which that is not known.
pub(super) fn size(connection: &Connection) -> Result<(u64, u64), Error> {
    let Some(file) = connection.file() else {
        let sql = "SELECT sum(pg_total_relation_size(oid))::bigint FROM pg_class
                   WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace";
        return Ok((connection.number(sql, values![])?.unsigned_abs(), 0));
    };
    let of = |name: &str| file.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let (pages, unused, page) = (of("page_count")?, of("freelist_count")?, of("page_size")?);
    Ok(((pages * page).unsigned_abs(), (unused * page).unsigned_abs()))
}

fn faults(file: &rusqlite::Connection, format: i64) -> Result<Vec<String>, Error> {
    let mut statement = file.prepare(&format!("PRAGMA integrity_check({FAULTS})"))?;
    let mut rows = statement.query([])?;
    let mut faults = Vec::new();
    while let Some(row) = rows.next()? {
        let told: String = row.get(0)?;
        // Of a single row its sum tells as well.
        if told != "ok" && !(format >= schema::SUMMED && open::is_of_a_row(&told)) {
            faults.push(open::first_line(&told));
        }
    }
    Ok(faults)
}

/// The columns that say when a row's thing began and when it was last heard of.
fn times(table: &Table) -> Option<(&'static str, &'static str)> {
    match table.name {
        "run" => Some(("started", "last_alive")),
        "transition" => Some(("decided", "decided")),
        "level_change" | "link_change" => Some(("since", "since")),
        "notice" | "audit" | "timeline" => Some(("at", "at")),
        "observation" => Some(("started", "started")),
        _ => None,
    }
}

/// Reads all rows of a table, as far as its tree leads.
fn count(
    connection: &Connection,
    table: &Table,
    found: &mut Inspection,
    one_more: &mut dyn FnMut(),
) -> Result<(), Error> {
    let summed = found.format >= schema::SUMMED;
    let sound = if summed { table.sound() } else { "true AS sound".to_owned() };
    let (from, until) = times(table).unwrap_or(("NULL AS began", "NULL AS ended"));
    let sql = format!("SELECT {sound}, {from}, {until} FROM {}", table.name);
    let mut counted = Count { table: table.name, rows: 0, damaged: summed.then_some(0) };
    let walked = connection.each(&sql, values![], |row| {
        counted.rows += 1;
        one_more();
        if row.get(0).unwrap_or(false) {
            // What is no time is that of a row of an early format.
            [1, 2].into_iter().filter_map(|column| row.get(column).ok()).for_each(|at: i64| found.saw(at));
        } else if let Some(damaged) = &mut counted.damaged {
            *damaged += 1;
        }
        Ok(())
    });
    found.tables.push(counted);
    found.damage(walked)?;
    Ok(())
}

/// Where the chain of the audit trail is broken: some entries at a time, each time from the last one of before on. On what
/// its beginning hangs may not be known.
fn trail(connection: &Connection, known: Option<&Option<Forgotten>>) -> Result<Option<Break>, Error> {
    let mut part = people::trail(connection, 0, ENTRIES)?;
    if let Some(forgotten) = known {
        let forgotten = forgotten.as_ref();
        let gone = forgotten.and_then(|gone| gone.broken).map(Break::Changed);
        if let Some(broken) = gone.or_else(|| rights::hangs(forgotten, part.first())) {
            return Ok(Some(broken));
        }
    }
    loop {
        let broken = rights::broken(&part);
        let Some(last) = part.pop().filter(|_| broken.is_none()) else { return Ok(broken) };
        let more = people::trail(connection, last.number, ENTRIES)?;
        if more.is_empty() {
            return Ok(None);
        }
        part = std::iter::once(last).chain(more).collect();
    }
}
