//! What becomes of somebody's wish to edit something, or to take an edit back.

use super::{
    edit::{Change, Edit, Edits},
    item::{Field, Item, Value},
    kind::Form,
    sheet::{Line, Sheet},
};
use crate::rights::Deed;
use jiff::Timestamp;
use std::sync::Arc;

/// Edits that there may be: each camera of a province may have a note.
const MOST: usize = 50_000;
/// Letters of a text that are kept, and texts of a list.
const LETTERS: usize = 500;
const TEXTS: usize = 64;

/// A wish to edit something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// What; without an id where an entry is to be added.
    pub item: Item,
    /// What whoever wishes it saw of it ([`Line::version`]); nothing where an entry is to be added.
    pub version: String,
    /// What it is to be; nothing where what the files say is to hold again.
    pub value: Option<Value>,
}

/// What follows from a wish, once the configuration is valid with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// All edits, with this one.
    pub edits: Edits,
    /// What was edited.
    pub item: Item,
    /// What is to be kept.
    pub change: Change,
    /// What the audit trail says of it, but for who it was.
    pub deed: Deed,
}

/// Somebody else was quicker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stale {
    /// What it is now.
    pub value: Option<Value>,
    /// Who edited it, and when; nothing where the files changed.
    pub by: Option<(String, Timestamp)>,
}

/// Why something is not edited.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no such thing, or it cannot be edited.
    #[error("there is nothing like that to edit: {0}")]
    Unknown(String),
    /// It stands in a file, which alone can change it; here it can only be struck out.
    #[error("this stands in {0} and is changed there; here it can be struck out")]
    InFiles(String),
    /// Somebody else was quicker.
    #[error("somebody has changed this since you saw it: look at what it is now, and send again what is still right")]
    Stale(Box<Stale>),
    /// The configuration would not be valid with it, in the words of `camhealth check`.
    #[error("{0}")]
    Unfit(String),
    /// It has no such key.
    #[error("{0}: there is no such key here")]
    Key(String),
    /// What is typed must not reach for the environment.
    #[error("{0}: variables such as ${{NAME}} belong into the files")]
    Variable(String),
    /// It is too long.
    #[error("{0}: at most {LETTERS} letters, and {TEXTS} entries of a list")]
    Long(String),
    /// What must be a number is none.
    #[error("{0}: a whole number")]
    Number(String),
    /// There are as many as there may be.
    #[error("there are as many edits as there may be: take some back, or write them into the files")]
    TooMany,
}

/// What follows from a wish; nothing where it changes nothing.
pub fn decide(sheet: &Sheet, now: Timestamp, by: &str, wish: Wish) -> Result<Option<Decided>, Refusal> {
    let Wish { mut item, version, value } = wish;
    let value = value.map(|value| cleaned(&item, value)).transpose()?;
    let edits = sheet.edits();
    // Later ones have higher numbers, whatever the clock does.
    let number = u64::try_from(now.as_millisecond()).unwrap_or(0).max(edits.last() + 1);
    let nothing = Line::default();
    let line = match (item.id.is_empty(), sheet.line(&item)) {
        (true, _) if item.kind.is_added() && value.as_ref().is_some_and(|value| !value.is_empty()) => {
            item.id = format!("e{number}");
            &nothing
        }
        (_, Some(line)) => {
            let says_something = value.as_ref().is_some_and(|value| !value.is_empty());
            if let Some(place) = line.place.as_ref().filter(|_| item.kind.is_added() && says_something) {
                return Err(Refusal::InFiles(place.to_string()));
            }
            if line.version() != version {
                let by = line.edit.as_ref().map(|edit| (edit.by.clone(), edit.at));
                return Err(Refusal::Stale(Box::new(Stale { value: line.value().cloned(), by })));
            }
            line
        }
        (_, None) => return Err(Refusal::Unknown(item.to_string())),
    };
    // What was added here and is to say nothing is taken back; what the files say is struck out.
    let value = value.filter(|value| !(item.kind.is_added() && line.file.is_none() && value.is_empty()));
    let is_there = line.edit.is_some();
    let change = match value {
        None if !is_there => return Ok(None),
        // What is as the files have it is no edit.
        None => Change::Gone(item.clone()),
        Some(value) if line.file.as_ref() == Some(&value) => match is_there {
            true => Change::Gone(item.clone()),
            false => return Ok(None),
        },
        Some(value) if line.edit.as_ref().is_some_and(|edit| edit.value == value) => return Ok(None),
        Some(value) => {
            let over = line.file.clone();
            Change::Stands(Arc::new(Edit {
                item: item.clone(),
                version: number,
                value,
                over,
                by: by.to_owned(),
                at: now,
            }))
        }
    };
    if !is_there && edits.len() >= MOST {
        return Err(Refusal::TooMany);
    }
    let told = |value: Option<&Value>| value.map(Value::to_string).unwrap_or_default();
    let before = line.edit.as_ref().map(|edit| &edit.value).or(line.file.as_ref());
    let (action, after) = match &change {
        Change::Stands(edit) if edit.strikes() => ("strike_out", String::new()),
        Change::Stands(edit) => ("edit", told(Some(&edit.value))),
        Change::Gone(_) => ("take_back", told(line.file.as_ref())),
    };
    let deed = Deed { action, subject: item.to_string(), before: told(before), after, ..Deed::default() };
    let mut edits = edits;
    edits.apply(&change);
    Ok(Some(Decided { edits, item, change, deed }))
}

/// What somebody typed, as it is kept: by the forms of its keys, without what cannot be seen. What it means is for the
/// configuration to judge.
fn cleaned(item: &Item, value: Value) -> Result<Value, Refusal> {
    let mut clean = Value::default();
    for (key, field) in value.fields() {
        let form = item.kind.keys().iter().find(|(known, _)| *known == key).map(|(_, form)| *form);
        let form = form.ok_or_else(|| Refusal::Key(key.to_owned()))?;
        let text = |text: &str| {
            let text: String =
                text.trim().chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
            match () {
                () if text.chars().count() > LETTERS => Err(Refusal::Long(key.to_owned())),
                () if text.contains("${") => Err(Refusal::Variable(key.to_owned())),
                () => Ok(text),
            }
        };
        let field = match (form, field) {
            (Form::Text, field) => Field::Text(text(&field.to_string())?),
            (Form::Number, Field::Number(number)) => Field::Number(*number),
            (Form::Number, field) => match text(&field.to_string())? {
                typed if typed.is_empty() => continue,
                typed => Field::Number(typed.parse().map_err(|_| Refusal::Number(key.to_owned()))?),
            },
            (Form::Truth, field) => match matches!(field.to_string().as_str(), "true" | "on") {
                true => Field::Truth(true),
                false => continue,
            },
            (Form::List, Field::List(texts)) if texts.len() > TEXTS => return Err(Refusal::Long(key.to_owned())),
            (Form::List, Field::List(texts)) => {
                let texts = texts.iter().map(|one| text(one)).collect::<Result<Vec<_>, _>>()?;
                Field::List(texts.into_iter().filter(|text| !text.is_empty()).collect())
            }
            (Form::List, field) => {
                let field = text(&field.to_string())?;
                let texts = field.split(',').map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
                Field::List(texts.collect())
            }
        };
        // What is empty is left out.
        if field != Field::Text(String::new()) && field != Field::List(Vec::new()) {
            clean = clean.with(key, field);
        }
    }
    Ok(clean)
}
