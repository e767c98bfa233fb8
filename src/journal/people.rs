//! Accounts, passes and the audit trail, as they are written and read.

use super::{
    Batch, Error, Settings,
    columns::json,
    kept, reading, rows,
    sql::{Connection, values},
    strange::Strange,
    table::{ACCOUNT, AUDIT, PASS},
};
use crate::rights::{Account, Chain, Change, Entry, Pass, Register, Trail};

/// Writes what became of accounts and passes, and who did what, as part of a batch's transaction.
pub(super) fn write(connection: &Connection, batch: &Batch) -> Result<(), Error> {
    for change in &batch.people {
        match change {
            Change::Account(account) => connection.put(&ACCOUNT.put(), values![&account.name, json(account)])?,
            Change::Pass(pass) => connection.put(&PASS.put(), values![&pass.id.0, json(pass)])?,
            Change::Gone(id) => connection.put("DELETE FROM pass WHERE id = ?1", values![&id.0])?,
        }
    }
    for entry in &batch.audit {
        // One of the same number was written by a batch that was tried again.
        let number = i64::try_from(entry.number).unwrap_or(i64::MAX);
        connection.put(&AUDIT.put_new(), values![number, entry.at.as_millisecond(), json(entry)])?;
    }
    Ok(())
}

/// All accounts and passes, and the end of the audit trail.
pub(super) fn restore(connection: &Connection, strange: &Strange) -> Result<(Register, Chain), Error> {
    let accounts: Vec<Account> = rows::bodies(connection, &ACCOUNT, "?1 = 0", 0, strange)?;
    let passes: Vec<Pass> = rows::bodies(connection, &PASS, "?1 = 0", 0, strange)?;
    let last = "id > ?1 AND id = (SELECT max(id) FROM audit)";
    let last: Option<Entry> = rows::bodies(connection, &AUDIT, last, 0, strange)?.pop();
    Ok((Register::restored(accounts, passes), Chain::after(last.as_ref())))
}

/// All accounts and passes, from an earlier or running daemon's journal; none where there is no such file, or one of
/// another format.
pub fn people(settings: &Settings) -> Result<Register, Error> {
    match reading::reader(settings) {
        Ok(Some(connection)) => restore(&connection, &Strange::default()).map(|(register, _)| register),
        Ok(None) | Err(Error::Older { .. }) => Ok(Register::default()),
        Err(error) => Err(error),
    }
}

/// Entries of the audit trail from the newest back, so many, before this number.
pub(super) fn audit(connection: &Connection, before: u64, most: usize) -> Result<Trail, Error> {
    let strange = Strange::default();
    let condition = format!("id < ?1 ORDER BY id DESC LIMIT {most}");
    let before = i64::try_from(before).unwrap_or(i64::MAX);
    let entries: Vec<Entry> = rows::bodies(connection, &AUDIT, &condition, before, &strange)?;
    let forgotten = kept::trail(connection)?;
    let is_whole = entries.len() < most && forgotten.is_some();
    Ok(Trail { entries, is_whole, forgotten: forgotten.flatten() })
}

/// Entries of the audit trail in their order, so many, after this number.
pub(super) fn trail(connection: &Connection, after: u64, most: usize) -> Result<Vec<Entry>, Error> {
    let condition = format!("id > ?1 ORDER BY id LIMIT {most}");
    let after = i64::try_from(after).unwrap_or(i64::MAX);
    rows::bodies(connection, &AUDIT, &condition, after, &Strange::default())
}
