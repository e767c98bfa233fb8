//! Lays edits over the text of files: what comes out is TOML that is read by the very rules by which files are.
//!
//! Pure. All that was not edited stays as somebody wrote it, comments included.

use crate::edits::{Edit, Field, Form, Item, Kind, Value};
use std::collections::{BTreeMap, BTreeSet};
use toml_edit::{Array, ArrayOfTables, DocumentMut, InlineTable, Item as Node, Table, TableLike, Value as Written};

/// The only rotation needs no name in the files.
const MAIN: &str = "oncall";

/// What comes of it.
pub(super) struct Laid {
    /// The text of each file.
    pub(super) texts: Vec<String>,
    /// Edits of what the files do not have: these are not laid.
    pub(super) orphans: BTreeSet<Item>,
}

/// Where an entry stands: which document, and which entry of its table there.
type Spot = (usize, usize);

/// Lays edits over texts, of which each is TOML.
pub(super) fn lay<'e>(texts: &[&str], edits: impl Iterator<Item = &'e Edit>) -> Laid {
    let mut documents: Vec<Option<DocumentMut>> = texts.iter().map(|text| text.parse().ok()).collect();
    let mut touched = BTreeSet::new();
    let mut spots: BTreeMap<&'static str, BTreeMap<String, Spot>> = BTreeMap::new();
    let (mut orphans, mut added) = (BTreeSet::new(), Vec::new());
    for edit in edits {
        let table = edit.item.kind.table();
        if edit.strikes() {
            // Before anything is added: what was added on a page is no entry of the files.
            match strike(&mut documents, edit) {
                Some(document) => drop(touched.insert(document)),
                None => drop(orphans.insert(edit.item.clone())),
            }
            continue;
        }
        if edit.item.kind.is_added() {
            added.push(edit);
            continue;
        }
        let known = spots.entry(table).or_insert_with(|| entries(&documents, table));
        let spot = known.get(&edit.item.id).copied();
        let entry = spot.and_then(|(document, place)| entry(documents.get_mut(document)?.as_mut()?, table, place));
        match (spot, entry) {
            (Some((document, _)), Some(entry)) => {
                change(entry, edit);
                touched.insert(document);
            }
            _ => drop(orphans.insert(edit.item.clone())),
        }
    }
    // The last that applies counts, so later ones come last.
    added.sort_by_key(|edit| edit.version);
    for edit in added {
        touched.extend(add(&mut documents, edit));
    }
    let text = |(number, document): (usize, &Option<DocumentMut>)| match document {
        Some(document) if touched.contains(&number) => document.to_string(),
        _ => texts[number].to_owned(),
    };
    Laid { texts: documents.iter().enumerate().map(text).collect(), orphans }
}

/// All entries of a table, by id; the first of each.
fn entries(documents: &[Option<DocumentMut>], table: &str) -> BTreeMap<String, Spot> {
    let mut spots = BTreeMap::new();
    for (number, document) in documents.iter().enumerate() {
        let Some(node) = document.as_ref().and_then(|document| document.get(table)) else { continue };
        let mut note = |place: usize, entry: &dyn TableLike| {
            let id = entry.get("id").and_then(Node::as_str).unwrap_or(MAIN);
            spots.entry(id.to_owned()).or_insert((number, place));
        };
        match node {
            Node::Table(entry) => note(0, entry),
            Node::ArrayOfTables(entries) => entries.iter().enumerate().for_each(|(place, entry)| note(place, entry)),
            Node::Value(Written::InlineTable(entry)) => note(0, entry),
            Node::Value(Written::Array(entries)) => {
                let tables =
                    entries.iter().enumerate().filter_map(|(place, one)| Some((place, one.as_inline_table()?)));
                tables.for_each(|(place, entry)| note(place, entry));
            }
            _ => {}
        }
    }
    spots
}

fn entry<'d>(document: &'d mut DocumentMut, table: &str, place: usize) -> Option<&'d mut dyn TableLike> {
    match document.get_mut(table)? {
        Node::Table(entry) => Some(entry),
        Node::ArrayOfTables(entries) => entries.get_mut(place).map(|entry| entry as &mut dyn TableLike),
        Node::Value(Written::InlineTable(entry)) => Some(entry),
        Node::Value(Written::Array(entries)) => Some(entries.get_mut(place)?.as_inline_table_mut()?),
        _ => None,
    }
}

fn change(entry: &mut dyn TableLike, edit: &Edit) {
    let kind = edit.item.kind;
    if let Some(key) = kind.within() {
        let mut table = InlineTable::new();
        for (key, field) in edit.value.fields() {
            table.insert(key, written(field));
        }
        return set(entry, key, table.into());
    }
    for (key, _) in kind.keys() {
        match edit.value.get(key) {
            Some(field) => set(entry, key, written(field)),
            None if kind.is_partial() => {}
            None => drop(entry.remove(key)),
        }
    }
}

/// Sets a key; a comment behind its old value stays.
fn set(entry: &mut dyn TableLike, key: &str, mut value: Written) {
    if let Some(old) = entry.get(key).and_then(Node::as_value) {
        *value.decor_mut() = old.decor().clone();
    }
    entry.insert(key, Node::Value(value));
}

fn written(field: &Field) -> Written {
    match field {
        Field::Truth(truth) => (*truth).into(),
        Field::Number(number) => i64::try_from(*number).unwrap_or(i64::MAX).into(),
        Field::Text(text) => text.as_str().into(),
        Field::List(texts) => texts.iter().map(String::as_str).collect::<Array>().into(),
    }
}

/// Strikes out the first entry that says what the edit is over; the document in which it stood.
fn strike(documents: &mut [Option<DocumentMut>], edit: &Edit) -> Option<usize> {
    let (name, over) = (edit.item.kind.table(), edit.over.as_ref()?);
    let says = |entry: &dyn TableLike| said(entry, edit.item.kind) == *over;
    for (number, document) in documents.iter_mut().enumerate() {
        let Some(document) = document else { continue };
        let Some(node) = document.get_mut(name) else { continue };
        let found = match node {
            Node::Table(entry) => says(entry).then_some(None),
            Node::Value(Written::InlineTable(entry)) => says(entry).then_some(None),
            Node::ArrayOfTables(entries) => entries.iter().position(|entry| says(entry)).map(Some),
            Node::Value(Written::Array(entries)) => {
                entries.iter().position(|one| one.as_inline_table().is_some_and(|entry| says(entry))).map(Some)
            }
            _ => None,
        };
        match (found, node) {
            (None, _) => continue,
            (Some(Some(place)), Node::ArrayOfTables(entries)) if entries.len() > 1 => drop(entries.remove(place)),
            (Some(Some(place)), Node::Value(Written::Array(entries))) => drop(entries.remove(place)),
            // The only one goes with its table.
            _ => drop(document.remove(name)),
        }
        return Some(number);
    }
    None
}

/// What an entry says of what can be edited of it, as the sheet has it.
fn said(entry: &dyn TableLike, kind: Kind) -> Value {
    let field = |value: &Written, form: &Form| match (value, form) {
        (Written::String(text), Form::List) => Some(Field::List(vec![text.value().clone()])),
        (Written::String(text), _) => Some(Field::Text(text.value().clone())),
        (Written::Integer(number), _) => Some(Field::Number(u64::try_from(*number.value()).unwrap_or_default())),
        (Written::Boolean(truth), _) => Some(Field::Truth(*truth.value())),
        (Written::Array(items), _) => {
            Some(Field::List(items.iter().filter_map(Written::as_str).map(str::to_owned).collect()))
        }
        _ => None,
    };
    kind.keys().iter().fold(Value::default(), |value, (key, form)| {
        let said = entry.get(key).and_then(Node::as_value).and_then(|value| field(value, form));
        said.map_or_else(|| value.clone(), |said| value.clone().with(key, said))
    })
}

/// Adds an entry behind the last of its kind; the document in which it stands then.
fn add(documents: &mut [Option<DocumentMut>], edit: &Edit) -> Option<usize> {
    let name = edit.item.kind.table();
    let has = |document: &Option<DocumentMut>| document.as_ref().is_some_and(|document| document.contains_key(name));
    let number = documents.iter().rposition(has).unwrap_or(0);
    let document = documents.get_mut(number)?.as_mut()?;
    if let Some(Node::Value(Written::Array(entries))) = document.get_mut(name) {
        let mut table = InlineTable::new();
        edit.value.fields().for_each(|(key, field)| drop(table.insert(key, written(field))));
        entries.push(table);
        return Some(number);
    }
    let mut entries = match document.remove(name) {
        Some(Node::ArrayOfTables(entries)) => entries,
        // A single one has no need of double brackets.
        Some(Node::Table(only)) => std::iter::once(only).collect(),
        Some(Node::Value(Written::InlineTable(only))) => std::iter::once(only.into_table()).collect(),
        _ => ArrayOfTables::new(),
    };
    entries.push(table(&edit.value));
    document.insert(name, Node::ArrayOfTables(entries));
    Some(number)
}

fn table(value: &Value) -> Table {
    let mut table = Table::new();
    value.fields().for_each(|(key, field)| drop(table.insert(key, Node::Value(written(field)))));
    table
}
