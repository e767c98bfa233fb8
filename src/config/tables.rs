//! All tables of all files by name, and which of them nobody asked for.

use super::{context::Context, entry::Entry, keys::is_name, mask, names::suggestion, source::Source};
use std::{cell::RefCell, collections::BTreeSet, ops::Range};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// A table's name and where it stands first.
type Name<'a> = (&'a str, Range<usize>);

/// All tables of all files, by name.
pub(super) struct Tables<'a> {
    /// Its name with its place, and the table.
    entries: Vec<(Name<'a>, Entry<'a>)>,
    /// Keys outside of any table.
    strays: Vec<(&'a str, &'a Source, Range<usize>)>,
    context: &'a Context<'a>,
    asked: RefCell<BTreeSet<&'static str>>,
}

/// Sorts all tables of all files, the main one first, by name.
pub(super) fn collect<'a>(trees: &'a [(&'a Source, Spanned<DeTable<'a>>)], context: &'a Context<'a>) -> Tables<'a> {
    let (mut entries, mut strays) = (Vec::new(), Vec::new());
    for (number, (source, tree)) in trees.iter().enumerate() {
        let source = *source;
        for (key, value) in tree.get_ref() {
            let name: &str = key.get_ref();
            if name == "include" && number == 0 {
                continue;
            }
            match value.get_ref() {
                DeValue::Table(table) => {
                    let entry = Entry::new(source, context, format!("[{name}]"), table, key.span());
                    entries.push(((name, key.span()), entry));
                }
                DeValue::Array(items) if items.iter().all(|item| item.get_ref().is_table()) => {
                    for item in items {
                        let DeValue::Table(table) = item.get_ref() else { continue };
                        // What cannot be shown where it stands is not quoted either.
                        let plain = |span| source.text.get(span).is_some_and(mask::is_plain);
                        let id = table.get("id").filter(|id| plain(id.span())).and_then(|id| id.get_ref().as_str());
                        let label = id.map_or_else(|| format!("[[{name}]]"), |id| format!("{name} {id:?}"));
                        entries.push(((name, key.span()), Entry::new(source, context, label, table, item.span())));
                    }
                }
                _ if name == "include" => {
                    let message = "only the main file includes others".to_owned();
                    context.problem(source, name.to_owned(), key.span(), message, "move it to the main file");
                }
                _ => strays.push((name, source, key.span())),
            }
        }
    }
    Tables { entries, strays, context, asked: RefCell::default() }
}

impl<'a> Tables<'a> {
    /// All entries `[[name]]`.
    pub(super) fn list(&self, name: &'static str) -> impl Iterator<Item = &Entry<'a>> {
        self.asked.borrow_mut().insert(name);
        debug_assert!(is_name(name), "add {name:?} to keys.rs");
        self.entries.iter().filter(move |((known, _), _)| *known == name).map(|(_, entry)| entry)
    }

    /// The table `[name]`, which may stand in one file only.
    pub(super) fn one(&self, name: &'static str) -> Option<&Entry<'a>> {
        let first_time = !self.asked.borrow().contains(name);
        let mut all = self.list(name);
        let first = all.next();
        for again in all.filter(|_| first_time) {
            again.problem("", again.span(), "stands twice".into(), "keep one and merge the other into it");
        }
        first
    }

    /// Names what nobody asked for: tables and keys that do not exist.
    pub(super) fn refuse_unread(&self) {
        let asked = self.asked.borrow();
        let known: Vec<&str> = asked.iter().copied().collect();
        for ((name, place), entry) in &self.entries {
            if asked.contains(name) {
                entry.refuse_unread();
            } else {
                let shown = self.context.unknown(name, entry.source, place.clone());
                let message = format!("there is no table {shown:?}");
                let remedy = suggestion(name, &known);
                self.context.problem(entry.source, format!("[{shown}]"), entry.span(), message, &remedy);
            }
        }
        for (name, source, span) in &self.strays {
            let shown = self.context.unknown(name, source, span.clone()).to_owned();
            let message = "stands outside of any table".to_owned();
            self.context.problem(source, shown, span.clone(), message, "put it below its [table] heading");
        }
    }
}
