//! Reading rows: one that is not as it was written is left out and counted, and costs only itself.

use super::{
    Error,
    strange::Strange,
    table::{self, Table},
};
use rusqlite::{Connection, Params, Row};
use serde::de::DeserializeOwned;

/// What a body is at most: a longer one is none of ours.
const LONGEST_BODY: usize = 1024 * 1024;

/// Changes of one thing that a page looks back on: a look each four seconds for a day makes no more.
const MOST_CHANGES: u32 = 20_000;

/// Reads rows of a statement that names the column [`Table::sound`].
pub(super) fn read<T>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    (place, strange): (&'static str, &Strange),
    mut read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>, Error> {
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query(params)?;
    let mut found = Vec::new();
    // An error of the next row is one of the file, and one within a row is the row's.
    while let Some(row) = rows.next()? {
        match is_sound(row).then(|| read(row)) {
            Some(Ok(row)) => found.push(row),
            _ => strange.row(place),
        }
    }
    Ok(found)
}

/// Whether a row is as it was written.
pub(super) fn is_sound(row: &Row<'_>) -> bool {
    row.get("sound").unwrap_or(false)
}

/// Whole records as JSON; what another version wrote and this one cannot read is left out.
pub(super) fn bodies<T: DeserializeOwned>(
    connection: &Connection,
    table: &'static Table,
    condition: &str,
    after: i64,
    strange: &Strange,
) -> Result<Vec<T>, Error> {
    let (name, sound) = (table.name, table.sound());
    // A body that is too long is not even read.
    let body = format!("iif(octet_length(body) <= {LONGEST_BODY}, body, NULL) AS body");
    let sql = format!("SELECT {body}, {sound} FROM {name} WHERE {condition}");
    let bodies = read(connection, &sql, [after], (name, strange), |row| row.get::<_, String>("body"))?;
    Ok(bodies.iter().filter_map(|body| strange.record(name, body)).collect())
}

/// Copies rows from one journal to another, where they are not yet.
pub(super) fn copy(from: &Connection, to: &Connection, table: &Table, condition: &str) -> Result<(), Error> {
    let sql = format!("SELECT {} FROM {} WHERE {condition}", table.list(), table.name);
    let mut statement = from.prepare(&sql)?;
    let width = statement.column_count();
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let values = (0..width).map(|column| row.get::<_, rusqlite::types::Value>(column));
        // Text that is none is a damaged row's.
        let Ok(values) = values.collect::<Result<Vec<_>, _>>() else { continue };
        to.prepare_cached(&table.insert())?.execute(rusqlite::params_from_iter(values))?;
    }
    Ok(())
}

/// SQL for the changes that bear on the time after `?1`, up to `?2`: what was noted before `?1` holds at its beginning,
/// and of that only the last row of each thing counts.
pub(super) fn changes(table: &Table, time: &str) -> String {
    let (name, key) = (table.name, table.columns[1]);
    let known = known(table);
    format!(
        // The plus keeps the end of the span from being taken as the way in: all that is older would be read.
        "{known} SELECT *, {sound} FROM {name} WHERE +since < ?2 AND id IN (
             SELECT id FROM {name} WHERE {time} > ?1
             UNION ALL SELECT (SELECT id FROM {name} WHERE {key} = known.name AND {time} <= ?1 ORDER BY id DESC LIMIT 1)
             FROM known) ORDER BY id",
        sound = table.sound()
    )
}

/// The same for one thing, named by `?3`; of what changed too often, the last so many changes.
pub(super) fn changes_of_one(table: &Table, time: &str) -> String {
    let (name, key) = (table.name, table.columns[1]);
    format!(
        "SELECT * FROM (SELECT *, {sound} FROM {name} WHERE {key} = ?3 AND +since < ?2 AND id >= ifnull(
             (SELECT id FROM {name} WHERE {key} = ?3 AND {time} <= ?1 ORDER BY id DESC LIMIT 1), 0)
             ORDER BY id DESC LIMIT {MOST_CHANGES}) ORDER BY id",
        sound = table.sound()
    )
}

/// SQL for the last row of each thing.
pub(super) fn latest(table: &'static Table) -> String {
    let (name, key) = (table.name, table.columns[1]);
    let (known, sound) = (known(table), table.sound());
    format!(
        "{known} SELECT *, {sound} FROM {name}
         WHERE id IN (SELECT (SELECT max(id) FROM {name} WHERE {key} = known.name) FROM known) ORDER BY id"
    )
}

/// The names of all things that a table has rows of, each found by a step in the index.
fn known(table: &Table) -> String {
    let (name, key) = (table.name, table.columns[1]);
    format!(
        "WITH RECURSIVE known (name) AS (
             SELECT min({key}) FROM {name}
             UNION ALL SELECT (SELECT min({key}) FROM {name} WHERE {key} > known.name) FROM known
             WHERE known.name IS NOT NULL)"
    )
}

/// The highest number that an incident ever had. Rows that are damaged may have had the next ones; what was told of
/// incidents whose rows are lost names their numbers.
pub(super) fn last_number(connection: &Connection, strange: &Strange) -> Result<u32, Error> {
    let sql = format!("SELECT number, {} FROM incident ORDER BY number DESC LIMIT 100", table::INCIDENT.sound());
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query([])?;
    let (mut highest, mut damaged) = (0u32, 0u32);
    while let Some(row) = rows.next()? {
        match is_sound(row).then(|| row.get("number")) {
            Some(Ok(number)) => {
                highest = number;
                break;
            }
            _ => damaged += 1,
        }
    }
    let sql = format!("SELECT body, {} FROM notice ORDER BY at DESC LIMIT 200", table::NOTICE.sound());
    let told = read(connection, &sql, [], (table::NOTICE.name, strange), |row| row.get::<_, String>("body"))?;
    #[derive(serde::Deserialize)]
    struct Told {
        number: u32,
    }
    let told = told.iter().filter_map(|body| serde_json::from_str::<Told>(body).ok());
    Ok(told.map(|told| told.number).fold(highest.saturating_add(damaged), u32::max))
}
