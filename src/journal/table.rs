//! The tables of the journal, and the sum by which a row that was damaged is told from one that was written.
//!
//! SQLite notices a broken tree and not a changed letter. Each row therefore carries 32 bits of a hash over its table's
//! name and its values; what does not agree with its sum is not believed, wherever it was read.

use rusqlite::{Connection, functions::FunctionFlags, types::ValueRef};
use sha2::{Digest, Sha256};
use std::ops::Range;

/// A table as it is stored.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) name: &'static str,
    /// In their order in a record; `sum` follows them.
    pub(super) columns: &'static [&'static str],
    /// Which of them are summed.
    summed: Range<usize>,
    /// Whether its first column is the number of the row, which a record does not repeat.
    pub(super) numbered: bool,
    /// By how many of its first columns a row is known.
    pub(super) key: usize,
}

const fn keyed(name: &'static str, columns: &'static [&'static str]) -> Table {
    keyed_by(1, name, columns)
}

const fn keyed_by(key: usize, name: &'static str, columns: &'static [&'static str]) -> Table {
    Table { name, columns, summed: 0..columns.len(), numbered: false, key }
}

/// The number is summed too: which row of a thing is the last goes by it.
const fn numbered(name: &'static str, columns: &'static [&'static str], summed: usize) -> Table {
    Table { name, columns, summed: 0..1 + summed, numbered: true, key: 1 }
}

pub(super) static SECRET: Table = keyed("secret", &["name", "value"]);
pub(super) static INCIDENT: Table = keyed("incident", &["id", "number", "opened", "closed", "body"]);
pub(super) static MAINTENANCE: Table = keyed("maintenance", &["id", "until", "body"]);
pub(super) static SITE: Table = keyed("site", &["site", "level", "since", "alert", "ended"]);
pub(super) static PROOF: Table = keyed("proof", &["camera", "at"]);
pub(super) static MEMORY: Table = keyed("memory", &["camera", "body"]);
pub(super) static LOGIN: Table = keyed_by(2, "login", &["device", "onvif", "fingerprint", "strikes", "until", "good"]);
pub(super) static NOTICE: Table = keyed("notice", &["key", "site", "at", "body"]);
pub(super) static OUTBOX: Table = numbered(
    "outbox",
    &[
        "id",
        "notice",
        "incident",
        "recipient",
        "channels",
        "turn",
        "channel",
        "state",
        "attempts",
        "due",
        "settled",
        "receipt",
        "error",
    ],
    12,
);
pub(super) static RUN: Table = numbered("run", &["id", "version", "started", "last_alive"], 3);
pub(super) static LEVEL_CHANGE: Table = numbered("level_change", &["id", "site", "level", "since"], 3);
pub(super) static LINK_CHANGE: Table = numbered("link_change", &["id", "link", "state", "since"], 3);
pub(super) static TRANSITION: Table =
    numbered("transition", &["id", "camera", "from_state", "to_state", "cause", "detail", "since", "decided"], 7);
pub(super) static OBSERVATION: Table = numbered("observation", &["id", "camera", "started", "failed", "body"], 4);
pub(super) static ACCOUNT: Table = keyed("account", &["name", "body"]);
pub(super) static PASS: Table = keyed("pass", &["id", "body"]);
pub(super) static AUDIT: Table = numbered("audit", &["id", "at", "body"], 2);
pub(super) static MINUTE_FIGURES: Table = keyed_by(2, "minute_figures", &["begins", "camera", "parts"]);
pub(super) static HOUR_FIGURES: Table = keyed_by(2, "hour_figures", &["begins", "camera", "parts"]);

pub(super) static EDIT: Table = keyed("edit", &["item", "body"]);
pub(super) static TIMELINE: Table =
    numbered("timeline", &["id", "incident", "at", "what", "step", "person", "channel", "level", "until", "detail"], 9);
pub(super) static INCIDENT_OF: Table = keyed_by(2, "incident_of", &["thing", "number"]);
pub(super) static LATE: Table = numbered("late", &["id", "camera", "at", "depth", "failure", "proves"], 5);
pub(super) static AGENT: Table = keyed("agent", &["print", "taken"]);
pub(super) static RETENTION: Table = keyed("retention", &["what", "keep", "holds_from", "until", "rest"]);

/// All of them.
pub(super) static ALL: [&Table; 25] = [
    &SECRET,
    &INCIDENT,
    &MAINTENANCE,
    &SITE,
    &PROOF,
    &MEMORY,
    &LOGIN,
    &NOTICE,
    &OUTBOX,
    &RUN,
    &LEVEL_CHANGE,
    &LINK_CHANGE,
    &TRANSITION,
    &OBSERVATION,
    &ACCOUNT,
    &PASS,
    &AUDIT,
    &EDIT,
    &MINUTE_FIGURES,
    &HOUR_FIGURES,
    &TIMELINE,
    &INCIDENT_OF,
    &LATE,
    &AGENT,
    &RETENTION,
];

impl Table {
    /// Whether it may have so many rows that whoever is in a hurry does without it, and so that nothing is lost without
    /// which the daemon would know less of what is.
    pub(super) fn is_bulk(&self) -> bool {
        [OBSERVATION.name, MINUTE_FIGURES.name, HOUR_FIGURES.name].contains(&self.name)
    }

    /// The columns and the sum, for a statement.
    pub(super) fn list(&self) -> String {
        format!("{}, sum", self.columns.join(", "))
    }

    /// SQL that puts a row as it is read by [`Table::list`] into the table, unless something is there already.
    pub(super) fn insert(&self) -> String {
        let places: Vec<_> = (1..=self.columns.len() + 1).map(|place| format!("?{place}")).collect();
        format!("INSERT INTO {} ({}) VALUES ({}) ON CONFLICT DO NOTHING", self.name, self.list(), places.join(", "))
    }

    /// SQL that puts a row behind the others of a numbered table, with the next number. Its values are those of the columns after
    /// the number, in their order.
    pub(super) fn append(&self) -> String {
        self.append_where("true")
    }

    /// The same where a condition holds, and nothing is there already that excludes it.
    pub(super) fn append_where(&self, condition: &str) -> String {
        let Self { name, columns, .. } = self;
        let places: Vec<_> = (1..columns.len()).map(|place| format!("?{place}")).collect();
        let places = places.join(", ");
        // The highest number by a query of its own: beside a condition SQLite would walk over all rows for it.
        format!(
            "INSERT INTO {name} ({list}) SELECT next, {places}, row_sum('{name}', next, {places})
             FROM (SELECT coalesce((SELECT max(id) FROM {name}), 0) + 1 AS next) AS last
             WHERE {condition} ON CONFLICT DO NOTHING",
            list = self.list()
        )
    }

    /// SQL that writes a row of a keyed table, over what stands by its key. Its values are those of the columns, in their order.
    pub(super) fn put(&self) -> String {
        let Self { columns, key, .. } = self;
        let set: Vec<_> = columns[*key..].iter().map(|column| format!("{column} = excluded.{column}, ")).collect();
        format!(
            "{} ON CONFLICT ({}) DO UPDATE SET {}sum = excluded.sum",
            self.write(),
            columns[..*key].join(", "),
            set.concat()
        )
    }

    /// SQL that writes a row unless one stands by its key.
    pub(super) fn put_new(&self) -> String {
        format!("{} ON CONFLICT DO NOTHING", self.write())
    }

    /// SQL that writes a row where none stands by its key.
    pub(super) fn write(&self) -> String {
        let Self { name, columns, .. } = self;
        let places: Vec<_> = (1..=columns.len()).map(|place| format!("?{place}")).collect();
        let places = places.join(", ");
        format!("INSERT INTO {name} ({}) VALUES ({places}, row_sum('{name}', {places}))", self.list())
    }

    /// SQL for the column `sound`: whether the row is as it was written.
    pub(super) fn sound(&self) -> String {
        format!("{} AS sound", self.is_sound())
    }

    /// The same as a condition.
    pub(super) fn is_sound(&self) -> String {
        let Self { name, columns, .. } = self;
        let summed: Vec<_> = columns[self.summed.clone()].iter().map(|column| format!("{name}.{column}")).collect();
        format!("coalesce({name}.sum = row_sum('{name}', {}), false)", summed.join(", "))
    }

    /// Whether its rows tell of cameras and what befell them, in words too: not of people, secrets and runs.
    pub(super) fn names_things(&self) -> bool {
        ![&SECRET, &RUN, &ACCOUNT, &PASS, &AUDIT, &RETENTION].iter().any(|table| table.name == self.name)
    }

    /// SQL that writes other values into a row's columns, in their order, and sums it anew; which row is for whoever asks.
    pub(super) fn update(&self) -> String {
        let Self { name, columns, .. } = self;
        let set: Vec<_> = (1..).zip(*columns).map(|(place, column)| format!("{column} = ?{place}")).collect();
        let summed: Vec<_> = self.summed.clone().map(|column| format!("?{}", column + 1)).collect();
        format!("UPDATE {name} SET {}, sum = row_sum('{name}', {})", set.join(", "), summed.join(", "))
    }

    /// The sum that a row of these values has.
    pub(super) fn sum<'v>(&self, values: impl IntoIterator<Item = ValueRef<'v>>) -> i64 {
        let summed = values.into_iter().skip(self.summed.start).take(self.summed.len());
        sum([ValueRef::Text(self.name.as_bytes())].into_iter().chain(summed))
    }
}

/// Gives a connection the SQL function `row_sum`.
pub(super) fn register(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_INNOCUOUS;
    connection.create_scalar_function("row_sum", -1, flags, |context| {
        Ok(sum((0..context.len()).map(|number| context.get_raw(number))))
    })
}

fn sum<'v>(values: impl Iterator<Item = ValueRef<'v>>) -> i64 {
    let mut hash = Sha256::new();
    let mut part = |kind: u8, bytes: &[u8]| {
        // Kind and length go first, so that no two rows are one line of bytes.
        hash.update([kind]);
        hash.update((bytes.len() as u64).to_be_bytes());
        hash.update(bytes);
    };
    for value in values {
        match value {
            ValueRef::Null => part(0, &[]),
            ValueRef::Integer(number) => part(1, &number.to_be_bytes()),
            ValueRef::Real(number) => part(2, &number.to_be_bytes()),
            ValueRef::Text(text) => part(3, text),
            ValueRef::Blob(bytes) => part(4, bytes),
        }
    }
    let digest = hash.finalize();
    i64::from(u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::open;

    #[test]
    fn the_tables_are_those_of_the_schema() {
        let connection = open::memory().expect("a journal");
        for table in ALL {
            let sql = "SELECT name FROM pragma_table_info(?1) ORDER BY cid";
            let mut statement = connection.prepare(sql).expect("a statement");
            let names = statement.query_map([table.name], |row| row.get::<_, String>(0)).expect("columns");
            let names: Vec<_> = names.collect::<Result<_, _>>().expect("columns");
            assert_eq!(names.join(", "), table.list(), "{}", table.name);
        }
        let sql = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'";
        let tables: i64 = connection.query_row(sql, [], |row| row.get(0)).expect("a number");
        assert_eq!(usize::try_from(tables), Ok(ALL.len()));
    }

    /// Sums lie in people's files: how they are made may never change without a new format.
    #[test]
    fn a_sum_is_what_it_was_when_format_5_came() {
        let connection = open::memory().expect("a journal");
        let sql = "SELECT row_sum('proof', 'a', 1790000000000)";
        let told: i64 = connection.query_row(sql, [], |row| row.get(0)).expect("a number");
        assert_eq!(told, PROOF.sum([ValueRef::Text(b"a"), ValueRef::Integer(1_790_000_000_000)]));
        assert_eq!(told, 1_415_903_127);
        let other = [ValueRef::Text(b"b"), ValueRef::Integer(1_790_000_000_000)];
        assert_ne!(told, PROOF.sum(other));
        assert_ne!(told, MEMORY.sum([ValueRef::Text(b"a"), ValueRef::Integer(1_790_000_000_000)]));
    }
}
