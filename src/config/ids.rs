//! Ids: each is given once, and what is named somewhere must be given.

use super::{
    entry::{Entry, Located},
    names::nearest,
    source::Source,
};
use crate::model::MemberId;
use std::{collections::BTreeMap, ops::Range};

/// Where each id stood first.
#[derive(Default)]
pub(super) struct Seen<'a>(BTreeMap<String, (&'a Source, Range<usize>)>);

impl<'a> Seen<'a> {
    /// Notes an id; `None`, with the problem noted, when it is taken.
    pub(super) fn new_id(&mut self, entry: &Entry<'a>) -> Option<String> {
        let id = entry.id()?;
        match self.0.get(&id.value) {
            Some((source, span)) => {
                entry.duplicate("id", &id, (source, span.clone()));
                None
            }
            None => {
                self.0.insert(id.value.clone(), (entry.source, id.span));
                Some(id.value)
            }
        }
    }
}

/// The name, if it is among the known ones; these are few, and looked through.
pub(super) fn known<'k>(
    entry: &Entry<'_>,
    key: &str,
    name: &Located<String>,
    all: impl Iterator<Item = &'k str> + Clone,
    what: &str,
) -> Option<String> {
    let is_known = all.clone().any(|known| known == name.value);
    among(entry, key, name, (is_known, all), what)
}

/// The same where the caller has looked it up: a province names its cameras and links tens of thousands of times.
pub(super) fn among<'k>(
    entry: &Entry<'_>,
    key: &str,
    name: &Located<String>,
    (is_known, mut all): (bool, impl Iterator<Item = &'k str>),
    what: &str,
) -> Option<String> {
    if is_known {
        return Some(name.value.clone());
    }
    let remedy = match nearest(&name.value, all.by_ref()) {
        Some(nearest) => format!("did you mean {nearest:?}?"),
        None => {
            let article = if what.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
            format!("define it, or name {article} {what} that is defined")
        }
    };
    let message = format!("there is no {what} {}", entry.quoted(name));
    entry.problem(key, name.span.clone(), message, &remedy);
    None
}

/// The name of a machine that shares a province.
pub(super) fn member(entry: &Entry<'_>, key: &str, name: &Located<String>) -> Option<MemberId> {
    let fits = |mark: char| mark.is_ascii_alphanumeric() || matches!(mark, '-' | '_' | '.');
    let is_name = !name.value.is_empty() && name.value.len() <= 64 && name.value.chars().all(fits);
    if !is_name {
        let message = format!("{} cannot be a machine's name", entry.quoted(name));
        let remedy = "use at most 64 letters without accents, digits, '-', '_' and '.'";
        entry.problem(key, name.span.clone(), message, remedy);
    }
    is_name.then(|| MemberId::from(name.value.as_str()))
}
