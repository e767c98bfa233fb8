//! Reading rows: one that is not as it was written is left out and counted, and costs only itself.

use super::{
    Error,
    sql::{Connection, Misread, Row, Value, values},
    strange::Strange,
    table::{self, Table},
};
use serde::de::DeserializeOwned;

/// What a body is at most: a longer one is none of ours.
const LONGEST_BODY: usize = 1024 * 1024;

/// Changes of one thing that a page looks back on: a look each four seconds for a day makes no more.
const MOST_CHANGES: u32 = 20_000;

/// Reads rows of a statement that names the column [`Table::sound`].
pub(super) fn read<T>(
    connection: &Connection,
    sql: &str,
    values: &[Value<'_>],
    (place, strange): (&'static str, &Strange),
    mut read: impl FnMut(Row<'_>) -> Result<T, Misread>,
) -> Result<Vec<T>, Error> {
    let mut found = Vec::new();
    connection.each(sql, values, |row| {
        match is_sound(row).then(|| read(row)) {
            Some(Ok(row)) => found.push(row),
            _ => strange.row(place),
        }
        Ok(())
    })?;
    Ok(found)
}

/// Whether a row is as it was written.
pub(super) fn is_sound(row: Row<'_>) -> bool {
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
    let body = format!("CASE WHEN octet_length(body) <= {LONGEST_BODY} THEN body END AS body");
    let sql = format!("SELECT {body}, {sound} FROM {name} WHERE {condition}");
    let bodies = read(connection, &sql, values![after], (name, strange), |row| row.get::<String>("body"))?;
    Ok(bodies.iter().filter_map(|body| strange.record(name, body)).collect())
}

/// Copies rows from one journal to another, where they are not yet.
pub(super) fn copy(from: &Connection, to: &Connection, table: &Table, condition: &str) -> Result<(), Error> {
    let sql = format!("SELECT {} FROM {} WHERE {condition}", table.list(), table.name);
    let insert = table.insert();
    from.each(&sql, values![], |row| {
        let values: Result<Vec<Value<'_>>, _> = (0..=table.columns.len()).map(|column| row.value(column)).collect();
        // Text that is none is a damaged row's.
        values.map_or(Ok(()), |values| to.put(&insert, &values))
    })
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
        "SELECT * FROM (SELECT *, {sound} FROM {name} WHERE {key} = ?3 AND +since < ?2 AND id >= coalesce(
             (SELECT id FROM {name} WHERE {key} = ?3 AND {time} <= ?1 ORDER BY id DESC LIMIT 1), 0)
             ORDER BY id DESC LIMIT {MOST_CHANGES}) AS last ORDER BY id",
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
    let (mut highest, mut damaged) = (None, 0u32);
    connection.each(&sql, values![], |row| {
        match is_sound(row).then(|| row.get::<u32>("number")) {
            Some(Ok(number)) => highest = highest.or(Some(number)),
            _ if highest.is_none() => damaged += 1,
            _ => {}
        }
        Ok(())
    })?;
    let sql = format!("SELECT body, {} FROM notice ORDER BY at DESC LIMIT 200", table::NOTICE.sound());
    let told = read(connection, &sql, values![], (table::NOTICE.name, strange), |row| row.get::<String>("body"))?;
    #[derive(serde::Deserialize)]
    struct Told {
        number: u32,
    }
    let told = told.iter().filter_map(|body| serde_json::from_str::<Told>(body).ok());
    Ok(told.map(|told| told.number).fold(highest.unwrap_or(0).saturating_add(damaged), u32::max))
}
