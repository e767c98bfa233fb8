//! What people edited on pages, as it is written and read.

use super::{
    Error, Settings,
    columns::json,
    reading, rows,
    sql::{Connection, values},
    strange::Strange,
    table::EDIT,
};
use crate::edits::{Change, Edit, Edits};
use std::sync::Arc;

/// Writes what became of edits, as part of a batch's transaction.
pub(super) fn write(connection: &Connection, changes: &[Change]) -> Result<(), Error> {
    for change in changes {
        match change {
            Change::Stands(edit) => connection.put(&EDIT.put(), values![edit.item.to_string(), json(&**edit)])?,
            Change::Gone(item) => connection.put("DELETE FROM edit WHERE item = ?1", values![item.to_string()])?,
        }
    }
    Ok(())
}

/// All edits.
pub(super) fn restore(connection: &Connection, strange: &Strange) -> Result<Edits, Error> {
    let edits: Vec<Edit> = rows::bodies(connection, &EDIT, "?1 = 0", 0, strange)?;
    Ok(edits.into_iter().map(Arc::new).collect())
}

/// All edits, from an earlier or running daemon's journal; none where there is no such file, or one of a format that
/// knew none.
pub fn edits(settings: &Settings) -> Result<Edits, Error> {
    match reading::reader(settings) {
        Ok(Some(connection)) => restore(&connection, &Strange::default()),
        Ok(None) | Err(Error::Older { .. }) => Ok(Edits::default()),
        Err(error) => Err(error),
    }
}
