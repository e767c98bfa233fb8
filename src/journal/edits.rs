//! What people edited on pages, as it is written and read.

use super::{Error, columns::json, open, rows, strange::Strange, table::EDIT};
use crate::edits::{Change, Edit, Edits};
use rusqlite::Connection;
use std::{path::Path, sync::Arc};

/// Writes what became of edits, as part of a batch's transaction.
pub(super) fn write(connection: &Connection, changes: &[Change]) -> Result<(), Error> {
    for change in changes {
        match change {
            Change::Stands(edit) => {
                let sql = "INSERT OR REPLACE INTO edit (item, body, sum) VALUES (?1, ?2, row_sum('edit', ?1, ?2))";
                connection.prepare_cached(sql)?.execute((edit.item.to_string(), json(&**edit)))?;
            }
            Change::Gone(item) => {
                connection.prepare_cached("DELETE FROM edit WHERE item = ?1")?.execute([item.to_string()])?;
            }
        }
    }
    Ok(())
}

/// All edits.
pub(super) fn restore(connection: &Connection, strange: &Strange) -> Result<Edits, Error> {
    let edits: Vec<Edit> = rows::bodies(connection, &EDIT, "?1 = 0", 0, strange)?;
    Ok(edits.into_iter().map(Arc::new).collect())
}

/// All edits, from the file of an earlier or running daemon; none where there is no such file, or one of a format that
/// knew none.
pub fn edits(path: &Path) -> Result<Edits, Error> {
    if !path.exists() {
        return Ok(Edits::default());
    }
    match open::read_only(path) {
        Ok(connection) => restore(&connection, &Strange::default()),
        Err(Error::Older { .. }) => Ok(Edits::default()),
        Err(error) => Err(error),
    }
}
