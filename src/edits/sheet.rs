//! What comes from where: for each thing that can be edited what the files say, what was edited, and which of them holds.

use super::{
    edit::{Edit, Edits},
    item::{Item, Value},
    kind::Kind,
};
use crate::model::hex;
use sha2::{Digest, Sha256};
use std::{collections::BTreeMap, fmt, sync::Arc};

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file's name, without its folder.
    pub file: Arc<str>,
    /// The line, from 1.
    pub line: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// What holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Standing {
    /// What the files say.
    #[default]
    Files,
    /// What was edited.
    Edited,
    /// What was edited speaks of what the files have no more.
    Orphan,
    /// With what was edited the configuration would not be valid, in the words of `camhealth check`.
    Unfit(String),
}

/// One thing that can be edited.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Line {
    /// What the files say.
    pub file: Option<Value>,
    /// And where.
    pub place: Option<Place>,
    /// What was edited.
    pub edit: Option<Arc<Edit>>,
    /// Which of them holds.
    pub standing: Standing,
}

impl Line {
    /// What holds; nothing of what is an orphan.
    pub fn value(&self) -> Option<&Value> {
        let edited = self.edit.as_ref().filter(|_| self.standing == Standing::Edited);
        edited.map(|edit| &edit.value).or(self.file.as_ref())
    }

    /// What tells this from what it is after anybody's edit, or after another file: whoever edits says what they saw.
    pub fn version(&self) -> String {
        if let Some(edit) = &self.edit {
            return edit.version.to_string();
        }
        let told = self.file.as_ref().map(Value::to_string).unwrap_or_default();
        hex(&Sha256::digest(told.as_bytes())[..6])
    }
}

/// What may be chosen in forms.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Choices {
    /// People by id, with their names.
    pub people: BTreeMap<String, String>,
    /// Channels by id, with their types.
    pub channels: BTreeMap<String, String>,
    /// Rotations.
    pub rotations: Vec<String>,
}

/// All that can be edited.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sheet {
    lines: BTreeMap<Item, Line>,
    /// What may be chosen in forms.
    pub choices: Choices,
}

impl Sheet {
    /// What the files say, and where.
    pub fn of_files(lines: impl IntoIterator<Item = (Item, Value, Place)>, choices: Choices) -> Self {
        let line = |(item, value, place)| (item, Line { file: Some(value), place: Some(place), ..Line::default() });
        Self { lines: lines.into_iter().map(line).collect(), choices }
    }

    /// The same with other edits, of each of which it is known how it stands.
    #[must_use]
    pub fn with(&self, edits: &Edits, standing: impl Fn(&Item) -> Standing) -> Self {
        let mut lines = self.lines.clone();
        lines.retain(|_, line| {
            (line.edit, line.standing) = (None, Standing::Files);
            line.file.is_some()
        });
        for (item, edit) in edits.iter() {
            let line = lines.entry(item.clone()).or_default();
            (line.edit, line.standing) = (Some(edit.clone()), standing(item));
        }
        Self { lines, choices: self.choices.clone() }
    }

    /// The edits that are laid over the files.
    pub fn edits(&self) -> Edits {
        self.lines.values().filter_map(|line| line.edit.clone()).collect()
    }

    /// One thing.
    pub fn line(&self, item: &Item) -> Option<&Line> {
        self.lines.get(item)
    }

    /// All things of a kind, by id.
    pub fn of(&self, kind: Kind) -> impl Iterator<Item = (&Item, &Line)> {
        self.lines.range(Item::new(kind, "")..).take_while(move |(item, _)| item.kind == kind)
    }

    /// What was edited and does not hold.
    pub fn idle(&self) -> impl Iterator<Item = (&Item, &Line)> {
        self.lines.iter().filter(|(_, line)| matches!(line.standing, Standing::Orphan | Standing::Unfit(_)))
    }
}
