//! The file's format: numbered steps, each in a transaction, and a refusal of what is newer.

use super::{Error, table};
use rusqlite::Connection;
use std::collections::BTreeMap;

/// Step `n` brings format `n - 1` to format `n`.
pub(super) const STEPS: &[&str] = &[
    include_str!("schema/1.sql"),
    include_str!("schema/2.sql"),
    include_str!("schema/3.sql"),
    include_str!("schema/4.sql"),
    include_str!("schema/5.sql"),
    include_str!("schema/6.sql"),
    include_str!("schema/7.sql"),
    include_str!("schema/8.sql"),
    include_str!("schema/9.sql"),
    include_str!("schema/10.sql"),
];

/// The same of a journal on a server, from the first format that one ever held on: each with the number that it brings it to.
pub(super) const SERVER_STEPS: &[(i64, &str)] = &[(10, include_str!("schema/server/10.sql"))];

/// The format that this program writes.
pub(super) const LATEST: i64 = STEPS.len() as i64;

/// The first format whose rows have sums.
pub(super) const SUMMED: i64 = 5;

/// The file's format, if this program knows it.
pub(super) fn check(connection: &Connection) -> Result<i64, Error> {
    let found = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if found > LATEST {
        return Err(Error::Newer { found, known: LATEST });
    }
    Ok(found)
}

/// Sets the connection up and brings the file to the latest format.
pub(super) fn prepare(connection: &mut Connection) -> Result<(), Error> {
    let found = check(connection)?;
    if found == 0 {
        // Only a file that is new yet takes it: what is pruned can then be given back to the disk.
        connection.pragma_update(None, "auto_vacuum", "incremental")?;
    }
    // WAL with FULL survives a power cut (NORMAL may lose the last commits).
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "foreign_keys", "on")?;
    // After a burst the WAL shrinks again.
    connection.pragma_update(None, "journal_size_limit", 16 * 1024 * 1024)?;
    advance(connection, found, LATEST)
}

/// Brings the tables from one format to a later one.
fn advance(connection: &mut Connection, found: i64, wanted: i64) -> Result<(), Error> {
    for (number, step) in (1..=wanted).zip(STEPS).skip(usize::try_from(found).unwrap_or(0)) {
        let transaction = connection.transaction()?;
        transaction.execute_batch(step)?;
        transaction.pragma_update(None, "user_version", number)?;
        transaction.commit()?;
    }
    Ok(())
}

/// Refuses a file whose tables are not those of its format: one wrong letter in a column's name is sound for SQLite,
/// and makes each query of ours fail. What somebody added, such as an index, is let be.
pub(super) fn compare(connection: &Connection, format: i64) -> Result<(), Error> {
    let mut sample = Connection::open_in_memory()?;
    table::register(&sample)?;
    advance(&mut sample, 0, format)?;
    let (wanted, found) = (parts(&sample)?, parts(connection)?);
    match wanted.iter().find(|(name, part)| found.get(*name) != Some(part)) {
        Some((name, _)) => Err(Error::Damaged(format!("its description of {name} is not that of format {format}"))),
        None => Ok(()),
    }
}

/// Tables and indexes by name, as they were declared; without what versions of SQLite write differently.
fn parts(connection: &Connection) -> Result<BTreeMap<String, String>, Error> {
    let sql = "SELECT name, type || ' of ' || tbl_name || ': ' || ifnull(sql, '') FROM sqlite_schema";
    let plain = |text: String| text.chars().filter(|mark| !mark.is_whitespace() && *mark != '"').collect();
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, plain(row.get(1)?))))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
