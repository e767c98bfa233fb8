//! A journal is copied from a file to a server or back, row for row, and both are compared before the copy counts.
//!
//! Rows that nobody believes (`table`) are left out and counted: they are no part of what anybody is shown. What was copied is
//! there whole or not at all: on a server it is one transaction, a file gets its name when all of it is on the disk.

use super::{
    Error, Settings, held, open,
    place::{self, Place},
    records, restore, rows,
    server::Server,
    sql::{Connection, Value, values},
    table::{self, Table},
};
use sha2::{Digest, Sha256};
use std::{path::Path, sync::Arc};

/// Rows between two words of how far it is.
const OFTEN: u64 = 1000;

/// What was copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// From where, for people.
    pub from: String,
    /// And to where.
    pub to: String,
    /// Rows of each table.
    pub tables: Vec<CopiedTable>,
}

/// The rows of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CopiedTable {
    /// The table.
    pub name: &'static str,
    /// How many were copied.
    pub rows: u64,
    /// How many are damaged, and were left out.
    pub left_out: u64,
}

/// Copies a journal that no daemon holds to where none is yet. `tell` hears how many rows were copied so far.
pub fn copy(from: &Settings, to: &Settings, tell: &mut dyn FnMut(u64)) -> Result<Copied, Error> {
    let (source, _lock) = source(from)?;
    let tables = match &to.server {
        Some(server) => to_server(&source, server, tell)?,
        None => to_file(&source, to.path.as_deref().unwrap_or(Path::new("")), tell)?,
    };
    Ok(Copied { from: from.told(), to: to.told(), tables })
}

/// The journal, and what keeps a daemon from it meanwhile.
fn source(from: &Settings) -> Result<(Connection, Option<std::fs::File>), Error> {
    if let Some(server) = &from.server {
        drop(held::known(server)?);
        let connection = held::alone(server)?;
        patient(&connection);
        return Ok((connection, None));
    }
    let place = Place::new(from.path.as_deref().unwrap_or(Path::new("")))?;
    place::ordinary(place.path())?;
    let lock = restore::own(&place)?;
    let file = open::read_only(place.path()).map_err(|error| error.of(place.path()))?;
    Ok((file.into(), Some(lock)))
}

fn to_server(source: &Connection, server: &Arc<Server>, tell: &mut dyn FnMut(u64)) -> Result<Vec<CopiedTable>, Error> {
    let target = held::alone(server)?;
    if records::knows_runs(&target)? {
        let told = server.told();
        return Err(Error::Impaired(format!("{told} holds a journal already: name another [journal] schema")));
    }
    patient(&target);
    all(source, &target, tell)
}

fn to_file(source: &Connection, path: &Path, tell: &mut dyn FnMut(u64)) -> Result<Vec<CopiedTable>, Error> {
    let place = Place::new(path)?;
    if place.is_taken() {
        let why = "it is there already: name a file that does not exist yet".to_owned();
        return Err(Error::Unfit { path: path.to_owned(), why });
    }
    let _lock = restore::own(&place)?;
    let fresh = place.beside(".new");
    let mut made = || {
        let file = open::fresh(&fresh)?;
        place.hand_over(&fresh)?;
        let tables = all(source, &file.into(), tell)?;
        std::fs::File::open(&fresh)?.sync_all()?;
        place.put(&fresh)?;
        Ok(tables)
    };
    made().inspect_err(|_: &Error| {
        // It takes room, and is nobody's.
        let _ = place::remove(&fresh);
    })
}

/// A server may take as long as all of it takes.
fn patient(connection: &Connection) {
    if let Some(session) = connection.server() {
        session.wait_for(held::WITHOUT_END);
    }
}

fn all(source: &Connection, target: &Connection, tell: &mut dyn FnMut(u64)) -> Result<Vec<CopiedTable>, Error> {
    let (mut tables, mut count) = (Vec::new(), 0);
    let transaction = target.transaction()?;
    for table in table::ALL {
        let mut copied = CopiedTable { name: table.name, rows: 0, left_out: 0 };
        let mut print = Print::default();
        let write = table.write();
        each(source, table, |row| {
            match row {
                Some(row) => {
                    print.add(&row);
                    transaction.put(&write, &row)?;
                    copied.rows += 1;
                }
                None => copied.left_out += 1,
            }
            count += 1;
            if count % OFTEN == 0 {
                tell(count);
            }
            Ok(())
        })?;
        // What arrived is read again: whatever a store does to a value on its way shows here.
        let mut arrived = Print::default();
        each(target, table, |row| {
            arrived.add(&row.unwrap_or_default());
            Ok(())
        })?;
        if print != arrived {
            let why = format!("{} rows of {} were to be copied, and others arrived", copied.rows, table.name);
            return Err(Error::Impaired(format!("{why}: nothing was changed; this is a fault of camhealth's")));
        }
        tables.push(copied);
    }
    tell(count);
    transaction.commit()?;
    Ok(tables)
}

/// Shows the rows of a table: their values, or `None` for one that is damaged.
fn each(
    connection: &Connection,
    table: &Table,
    mut show: impl FnMut(Option<Vec<Value<'_>>>) -> Result<(), Error>,
) -> Result<(), Error> {
    let sql = format!("SELECT {}, {} FROM {}", table.columns.join(", "), table.sound(), table.name);
    connection.each(&sql, values![], |row| {
        let values: Result<Vec<_>, _> = (0..table.columns.len()).map(|column| row.value(column)).collect();
        show(values.ok().filter(|_| rows::is_sound(row)))
    })
}

/// What rows are together, in whatever order they come.
#[derive(Debug, Default, PartialEq, Eq)]
struct Print {
    rows: u64,
    sum: u128,
}

impl Print {
    fn add(&mut self, row: &[Value<'_>]) {
        let mut hash = Sha256::new();
        for value in row {
            value.digest(&mut hash);
        }
        let digest = hash.finalize();
        let half: [u8; 16] = std::array::from_fn(|at| digest[at]);
        self.rows += 1;
        self.sum = self.sum.wrapping_add(u128::from_be_bytes(half));
    }
}

#[cfg(test)]
#[path = "copy_tests.rs"]
mod tests;
