//! What of the files can be edited on pages, and where it stands.

use super::source::Source;
use crate::{
    edits::{Choices, Field, Form, Item, Kind, Place, Sheet, Value},
    model::hex,
};
use sha2::{Digest, Sha256};
use std::{collections::BTreeMap, path::Path, sync::Arc};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// The only rotation needs no name.
const MAIN: &str = "oncall";

/// One entry of a table, with its place in its file.
type Entry<'t> = (&'t DeTable<'t>, usize);

/// Of valid files, what can be edited.
pub(super) fn of(trees: &[(&Source, Spanned<DeTable<'_>>)]) -> Sheet {
    let mut lines = Vec::new();
    let mut choices = Choices::default();
    let mut same = BTreeMap::new();
    for (source, tree) in trees {
        let places = Places::of(source);
        for kind in Kind::ALL {
            for (table, start) in entries(tree.get_ref(), kind.table()) {
                let Some((value, at)) = value(table, kind) else { continue };
                let id = match kind {
                    Kind::Roster => text(table, "id").unwrap_or(MAIN).to_owned(),
                    kind if kind.is_added() => of_file(&value, &mut same),
                    _ => text(table, "id").unwrap_or_default().to_owned(),
                };
                lines.push((Item::new(kind, id), value, places.at(at.unwrap_or(start))));
            }
        }
        choose(tree.get_ref(), &mut choices);
    }
    Sheet::of_files(lines, choices)
}

/// The id of an entry that has none in its file: by what it says, so that it is the same wherever it stands, and that whoever
/// strikes it out strikes out no other. Of several that say the same the second has a number.
fn of_file(value: &Value, same: &mut BTreeMap<String, usize>) -> String {
    let told = hex(&Sha256::digest(value.to_string().as_bytes())[..6]);
    let count = same.entry(told.clone()).or_default();
    *count += 1;
    if *count == 1 { format!("file-{told}") } else { format!("file-{told}-{count}") }
}

fn choose(tree: &DeTable<'_>, choices: &mut Choices) {
    let named = |table: &DeTable<'_>, key: &str| {
        Some((text(table, "id")?.to_owned(), text(table, key).unwrap_or_default().to_owned()))
    };
    choices.people.extend(entries(tree, "person").filter_map(|(table, _)| named(table, "name")));
    let channels = entries(tree, "channel").filter_map(|(table, _)| named(table, "type"));
    // That is told all that is open, and nothing of one person.
    choices.channels.extend(channels.filter(|(_, kind)| kind != "alertmanager"));
    let rotations = entries(tree, "rotation").map(|(table, _)| text(table, "id").unwrap_or(MAIN).to_owned());
    choices.rotations.extend(rotations);
}

fn entries<'t>(tree: &'t DeTable<'t>, name: &str) -> impl Iterator<Item = Entry<'t>> {
    let (only, several) = match tree.get(name).map(|node| (node.get_ref(), node.span().start)) {
        Some((DeValue::Table(table), start)) => (Some((table, start)), None),
        Some((DeValue::Array(items), _)) => (None, Some(items)),
        _ => (None, None),
    };
    let several = several.into_iter().flat_map(|items| items.iter());
    only.into_iter().chain(several.filter_map(|item| Some((item.get_ref().as_table()?, item.span().start))))
}

fn text<'t>(table: &'t DeTable<'_>, key: &str) -> Option<&'t str> {
    table.get(key)?.get_ref().as_str()
}

/// What an entry says of something, and where its first key stands; nothing where that cannot be edited there.
fn value(table: &DeTable<'_>, kind: Kind) -> Option<(Value, Option<usize>)> {
    let household = text(table, "kind") == Some("household");
    match kind {
        // A family's name stays in the file.
        Kind::CameraName if household => return None,
        Kind::Consent if !household => return None,
        _ => {}
    }
    if let Some(key) = kind.within() {
        let node = table.get(key)?;
        let at = Some(node.span().start);
        return match node.get_ref() {
            DeValue::Table(within) => Some((fields(within, kind).0, at)),
            day => Some((Value::default().text("given", day.as_str()?), at)),
        };
    }
    let (value, at) = fields(table, kind);
    // Other channels lead to no address that is a person's.
    (!kind.is_partial() || !value.is_empty()).then_some((value, at))
}

fn fields(table: &DeTable<'_>, kind: Kind) -> (Value, Option<usize>) {
    let (mut value, mut first) = (Value::default(), None::<usize>);
    for (key, form) in kind.keys() {
        let Some(node) = table.get(*key) else { continue };
        let texts = |items: &toml::de::DeArray<'_>| {
            Field::List(items.iter().filter_map(|item| item.get_ref().as_str()).map(str::to_owned).collect())
        };
        let field = match (node.get_ref(), form) {
            (DeValue::String(text), Form::List) => Field::List(vec![text.to_string()]),
            (DeValue::String(text), _) => Field::Text(text.to_string()),
            (DeValue::Integer(number), _) => Field::Number(number.as_str().parse().unwrap_or_default()),
            (DeValue::Boolean(truth), _) => Field::Truth(*truth),
            (DeValue::Array(items), _) => texts(items),
            _ => continue,
        };
        let at = node.span().start;
        first = Some(first.map_or(at, |first| first.min(at)));
        value = value.with(key, field);
    }
    (value, first)
}

/// Places in one file, by offsets.
struct Places {
    file: Arc<str>,
    /// Where each line begins.
    lines: Vec<usize>,
}

impl Places {
    fn of(source: &Source) -> Self {
        let file = Path::new(&source.name)
            .file_name()
            .map_or_else(|| source.name.clone().into(), |name| name.to_string_lossy());
        let ends = source.text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        Self { file: file.into(), lines: ends.collect() }
    }

    fn at(&self, offset: usize) -> Place {
        let line = 1 + self.lines.partition_point(|start| *start <= offset);
        Place { file: self.file.clone(), line: u32::try_from(line).unwrap_or(u32::MAX) }
    }
}
