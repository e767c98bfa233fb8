//! What can be read of a damaged journal is brought into a new one, row by row.
//!
//! The trees that lead to rows may be broken, so they are not followed: each page is looked at, and a row is one if it
//! agrees with the sum that it carries ([`super::table`]). So a broken page costs its own rows and no others, and no
//! row comes back that was never written.

use super::{
    Error, open,
    pages::{Cell, Pages},
    table::{self, Table},
};
use rusqlite::{Connection, params_from_iter, types::Value};
use std::{
    fs::{self, File},
    path::Path,
    time::{Duration, Instant},
};

/// A start must not take for ever: transcripts that are not yet salvaged then are given up.
const PATIENCE: Duration = Duration::from_secs(20);
/// What a salvage into memory takes at most of things of which there may be many.
const MEMORY: usize = 64 * 1024 * 1024;

/// What became of the rows of a damaged file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Salvaged {
    /// Rows that are in the new file.
    pub(super) rows: u64,
    /// Rows that were seen and are damaged; there may be more of which nothing is left to see.
    pub(super) skipped: u64,
}

/// Makes a sound file at `fresh` of what is left of `damaged`.
pub(super) fn to_file(damaged: &Path, fresh: &Path) -> Result<Salvaged, Error> {
    let salvaged = open::fresh(fresh).and_then(|mut connection| salvage(&mut connection, damaged, false));
    let salvaged = salvaged.and_then(|salvaged| {
        File::open(fresh)?.sync_all()?;
        Ok(salvaged)
    });
    if salvaged.is_err() {
        // It takes room on a disk that may be full.
        let _ = fs::remove_file(fresh);
    }
    salvaged
}

/// Reads what is left of a file that cannot be mended now into memory: no transcripts, and of the rest the newest.
pub(super) fn to_memory(damaged: &Path) -> Result<(Connection, Salvaged), Error> {
    let mut connection = open::memory()?;
    let salvaged = salvage(&mut connection, damaged, true)?;
    Ok((connection, salvaged))
}

fn salvage(connection: &mut Connection, damaged: &Path, bounded: bool) -> Result<Salvaged, Error> {
    let began = Instant::now();
    let pages = Pages::open(damaged)?;
    let mut salvaged = Salvaged::default();
    let mut taken = 0;
    // Rows come in the order of pages: a delivery may come before its words.
    connection.pragma_update(None, "foreign_keys", "off")?;
    let transaction = connection.transaction()?;
    let inserts: Vec<String> = table::ALL.iter().map(|table| table.insert()).collect();
    // Where two pages hold one row, as a page that is no longer used may, the later one was mostly written later.
    for page in (1..=pages.count()).rev() {
        for cell in pages.cells(page) {
            let (number, mut values) = match cell {
                Cell::Row(number, values) => (number, values),
                Cell::Damaged => {
                    salvaged.skipped += 1;
                    continue;
                }
            };
            match (number, values.first_mut()) {
                // A record has nothing in the place of its number.
                (Some(number), Some(first @ Value::Null)) => *first = Value::Integer(number),
                // One that has something there is none of ours, as those of the schema.
                (Some(_), _) => continue,
                (None, _) => {}
            }
            let fits = |table: &&&Table| table.numbered == number.is_some() && values.len() == table.columns.len() + 1;
            let candidates: Vec<_> = table::ALL.iter().zip(&inserts).filter(|(table, _)| fits(table)).collect();
            let sound = candidates
                .iter()
                .find(|(table, _)| values.last() == Some(&Value::Integer(table.sum(values.iter().map(Into::into)))));
            let Some((table, insert)) = sound else {
                // Entries of indexes have up to four values and no sum: of keyed rows as short, nothing can be told.
                salvaged.skipped += u64::from(!candidates.is_empty() && (number.is_some() || values.len() > 4));
                continue;
            };
            let many = table.is_bulk();
            if many && (bounded || began.elapsed() > PATIENCE) || bounded && taken > MEMORY && table.numbered {
                continue;
            }
            taken += size(&values);
            salvaged.rows += transaction.prepare_cached(insert)?.execute(params_from_iter(values))? as u64;
        }
    }
    salvaged.rows += by_trees(&transaction, damaged)?;
    let lost = "DELETE FROM outbox WHERE notice NOT IN (SELECT key FROM notice)";
    salvaged.skipped += transaction.execute(lost, [])? as u64;
    transaction.commit()?;
    connection.pragma_update(None, "foreign_keys", "on")?;
    Ok(salvaged)
}

/// Rows of a file of an earlier format have no sums: they are read along its trees, as far as those lead.
fn by_trees(to: &Connection, damaged: &Path) -> Result<u64, Error> {
    let Ok(old) = open::earlier(damaged) else { return Ok(0) };
    let mut count = 0;
    for table in table::ALL.iter().filter(|table| !table.is_bulk()) {
        let Ok(mut statement) = old.prepare(&format!("SELECT * FROM {}", table.name)) else { continue };
        let width = statement.column_count();
        // A table whose columns have changed since is not worth more here.
        let rows = (width == table.columns.len()).then(|| statement.query([]));
        let Some(Ok(mut rows)) = rows else { continue };
        while let Ok(Some(row)) = rows.next() {
            let values: Result<Vec<Value>, _> = (0..width).map(|column| row.get(column)).collect();
            let Ok(mut values) = values else { continue };
            values.push(Value::Integer(table.sum(values.iter().map(Into::into))));
            count += to.prepare_cached(&table.insert())?.execute(params_from_iter(values))? as u64;
        }
    }
    Ok(count)
}

fn size(values: &[Value]) -> usize {
    let one = |value: &Value| match value {
        Value::Text(text) => text.len(),
        Value::Blob(bytes) => bytes.len(),
        _ => 8,
    };
    values.iter().map(one).sum()
}
