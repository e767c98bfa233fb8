//! Edits as data, which the journal keeps.

use super::item::{Item, Value};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::Arc};

/// What somebody edited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edit {
    /// What.
    pub item: Item,
    /// Its number, which no other edit has: later ones have higher ones.
    pub version: u64,
    /// What it is now.
    pub value: Value,
    /// What the files said when it was edited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over: Option<Value>,
    /// Who edited it.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

impl Edit {
    /// Whether it strikes out an entry of the files, which said what it is over.
    pub fn strikes(&self) -> bool {
        self.item.kind.is_added() && self.value.is_empty()
    }
}

/// All edits.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Edits(BTreeMap<Item, Arc<Edit>>);

impl FromIterator<Arc<Edit>> for Edits {
    fn from_iter<T: IntoIterator<Item = Arc<Edit>>>(edits: T) -> Self {
        Self(edits.into_iter().map(|edit| (edit.item.clone(), edit)).collect())
    }
}

impl Edits {
    /// All of them, by what they edit.
    pub fn iter(&self) -> impl Iterator<Item = (&Item, &Arc<Edit>)> {
        self.0.iter()
    }

    /// The edit of something.
    pub fn get(&self, item: &Item) -> Option<&Arc<Edit>> {
        self.0.get(item)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The highest number that one has.
    pub(super) fn last(&self) -> u64 {
        self.0.values().map(|edit| edit.version).max().unwrap_or(0)
    }

    /// With one more change.
    pub(super) fn apply(&mut self, change: &Change) {
        match change {
            Change::Stands(edit) => drop(self.0.insert(edit.item.clone(), edit.clone())),
            Change::Gone(item) => drop(self.0.remove(item)),
        }
    }
}

/// A change of an edit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It stands like this now.
    Stands(Arc<Edit>),
    /// It is gone: what the files say holds again.
    Gone(Item),
}
