//! One thing that is edited, and what it is.

use super::kind::Kind;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt};
use utoipa::ToSchema;

/// One thing that is edited.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Item {
    /// What of it.
    pub kind: Kind,
    /// The id of its entry in the files, or of what was added on a page.
    pub id: String,
}

impl Item {
    /// This of the entry with that id.
    pub fn new(kind: Kind, id: impl Into<String>) -> Self {
        Self { kind, id: id.into() }
    }
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind.as_str(), self.id)
    }
}

/// The value of a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum Field {
    /// `true` or `false`.
    Truth(bool),
    /// A whole number.
    Number(u64),
    /// A text.
    Text(String),
    /// Several texts.
    List(Vec<String>),
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truth(truth) => write!(f, "{truth}"),
            Self::Number(number) => write!(f, "{number}"),
            Self::Text(text) => f.write_str(text),
            Self::List(texts) => f.write_str(&texts.join(", ")),
        }
    }
}

/// What an item is: its keys with their values, by name. There is one for each camera of a province, so it is small.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "BTreeMap<String, Field>", into = "BTreeMap<String, Field>")]
pub struct Value(Vec<(String, Field)>);

impl From<BTreeMap<String, Field>> for Value {
    fn from(fields: BTreeMap<String, Field>) -> Self {
        Self(fields.into_iter().collect())
    }
}

impl From<Value> for BTreeMap<String, Field> {
    fn from(value: Value) -> Self {
        value.0.into_iter().collect()
    }
}

impl Value {
    /// The value with one more key.
    #[must_use]
    pub fn with(mut self, key: &str, field: Field) -> Self {
        match self.0.binary_search_by(|(known, _)| known.as_str().cmp(key)) {
            Ok(place) => self.0[place].1 = field,
            Err(place) => {
                // Most have one key: room for four, which a vector begins with, would be kept for each camera of a province.
                self.0.reserve_exact(1);
                self.0.insert(place, (key.to_owned(), field));
            }
        }
        self
    }

    /// The same with a text.
    #[must_use]
    pub fn text(self, key: &str, text: &str) -> Self {
        self.with(key, Field::Text(text.to_owned()))
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Field> {
        self.0.iter().find(|(known, _)| known == key).map(|(_, field)| field)
    }

    /// The value of a key as it is typed; nothing where there is none.
    pub fn typed(&self, key: &str) -> String {
        self.get(key).map(Field::to_string).unwrap_or_default()
    }

    /// The texts of a key, of which there may be one.
    pub fn texts(&self, key: &str) -> Vec<&str> {
        match self.get(key) {
            Some(Field::Text(text)) => vec![text],
            Some(Field::List(texts)) => texts.iter().map(String::as_str).collect(),
            _ => Vec::new(),
        }
    }

    /// All keys with their values.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &Field)> {
        self.0.iter().map(|(key, field)| (key.as_str(), field))
    }

    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// As the audit trail has it.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, (key, field)) in self.0.iter().enumerate() {
            let comma = if number > 0 { "; " } else { "" };
            write!(f, "{comma}{key} = {field}")?;
        }
        Ok(())
    }
}
