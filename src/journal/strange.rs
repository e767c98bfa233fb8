//! What another version wrote and this one does not know, and rows that are damaged: they cost no more than themselves,
//! and are told.
//!
//! The journal's format tells which tables there are; a newer program of the same format may still have written a
//! reason or a state that this one has no word for.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::{cell::RefCell, collections::BTreeMap, str::FromStr};

/// What was met in one reading, with how often: a month's report must not log a line for each of its rows.
#[derive(Debug, Default)]
pub(super) struct Strange {
    words: RefCell<BTreeMap<(&'static str, String), usize>>,
    /// Rows that cannot be read, by table.
    rows: RefCell<BTreeMap<&'static str, u64>>,
}

impl Strange {
    /// Forgets what was met, before all is read once more.
    pub(super) fn begin(&self) {
        self.words.borrow_mut().clear();
        self.rows.borrow_mut().clear();
    }

    /// A row that is not as it was written, and is left out.
    pub(super) fn row(&self, place: &'static str) {
        *self.rows.borrow_mut().entry(place).or_default() += 1;
    }

    /// How many rows were left out.
    pub(super) fn rows(&self) -> u64 {
        self.rows.borrow().values().sum()
    }

    /// A value of a closed list by its name.
    pub(super) fn word<T: FromStr>(&self, place: &'static str, name: &str) -> Option<T> {
        let value = name.parse().ok();
        if value.is_none() {
            self.note(place, format!("\"{name}\""));
        }
        value
    }

    /// A record that is known as a whole or not at all.
    pub(super) fn record<T: DeserializeOwned>(&self, place: &'static str, body: &str) -> Option<T> {
        serde_json::from_str(body).map_err(|error| self.note(place, error.to_string())).ok()
    }

    /// A record each of whose fields may be missing: what is not known of it is left out, and the rest stays.
    pub(super) fn fields<T: DeserializeOwned + Default>(&self, place: &'static str, body: &str) -> T {
        if let Ok(whole) = serde_json::from_str(body) {
            return whole;
        }
        let mut known = Map::new();
        for (key, value) in self.record::<Map<String, Value>>(place, body).unwrap_or_default() {
            known.insert(key.clone(), value);
            if let Err(error) = serde_json::from_value::<T>(Value::Object(known.clone())) {
                known.remove(&key);
                self.note(place, format!("{key}: {error}"));
            }
        }
        serde_json::from_value(Value::Object(known)).unwrap_or_default()
    }

    /// What was met, for people.
    pub(super) fn lines(&self) -> Vec<String> {
        let line = |((place, what), times): (&(&str, String), &usize)| format!("{place}: {what} ({times} times)");
        self.words.borrow().iter().map(line).collect()
    }

    /// Logs what was met.
    pub(super) fn tell(&self) {
        for line in self.lines() {
            tracing::warn!("the journal holds what another version wrote and this one does not know: {line}");
        }
        for (place, rows) in self.rows.borrow().iter() {
            tracing::warn!(rows, "the journal holds damaged rows of {place}: they are left out");
        }
    }

    fn note(&self, place: &'static str, what: String) {
        *self.words.borrow_mut().entry((place, what)).or_default() += 1;
    }
}
