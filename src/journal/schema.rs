//! The file's format: numbered steps, each in a transaction, and a refusal of what is newer.

use super::Error;
use rusqlite::Connection;

/// Step `n` brings format `n - 1` to format `n`.
const STEPS: &[&str] = &[
    include_str!("schema/1.sql"),
    include_str!("schema/2.sql"),
    include_str!("schema/3.sql"),
    include_str!("schema/4.sql"),
    include_str!("schema/5.sql"),
];

/// The format that this program writes.
pub(super) const LATEST: i64 = STEPS.len() as i64;

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
    for (number, step) in (1..).zip(STEPS).skip(usize::try_from(found).unwrap_or(0)) {
        let transaction = connection.transaction()?;
        transaction.execute_batch(step)?;
        transaction.pragma_update(None, "user_version", number)?;
        transaction.commit()?;
    }
    Ok(())
}
