//! What lists search and sort by, made once for each inventory: names without marks, and their order.
//!
//! A household's camera goes by its id here as well: whoever searches for a family's name finds nothing.

use crate::model::{Camera, Fleet, Site, SiteId, folded};
use std::{collections::HashMap, sync::Arc};

/// Cameras and sites in the order of their ids.
pub(in crate::web) struct Index {
    fleet: Arc<Fleet>,
    pub(super) cameras: Vec<Entry<Camera>>,
    pub(super) sites: Vec<Entry<Site>>,
}

/// One of them.
pub(super) struct Entry<T> {
    pub(super) it: Arc<T>,
    /// Its name and id, and a site's hamlet, in small letters without marks.
    text: Box<str>,
    /// Where it stands by name.
    pub(super) place: u32,
}

impl Index {
    /// The index of an inventory.
    pub(in crate::web) fn of(fleet: &Arc<Fleet>) -> Self {
        let cameras =
            fleet.cameras.values().map(|camera| (camera.clone(), format!("{}\n{}", camera.public_name(), camera.id)));
        let sites =
            fleet.sites.values().map(|site| (site.clone(), format!("{}\n{}\n{}", site.name, site.id, site.hamlet)));
        Self { fleet: fleet.clone(), cameras: entries(cameras), sites: entries(sites) }
    }

    /// Whether it is still the one of this inventory.
    pub(in crate::web) fn is_of(&self, fleet: &Arc<Fleet>) -> bool {
        Arc::ptr_eq(&self.fleet, fleet)
    }
}

fn entries<T>(all: impl Iterator<Item = (Arc<T>, String)>) -> Vec<Entry<T>> {
    let mut plain = Plain::default();
    let mut entries: Vec<Entry<T>> =
        all.map(|(it, text)| Entry { it, text: plain.of(&text).into(), place: 0 }).collect();
    let mut by_name: Vec<usize> = (0..entries.len()).collect();
    by_name.sort_by(|a, b| entries[*a].text.cmp(&entries[*b].text));
    for (place, entry) in by_name.into_iter().enumerate() {
        entries[entry].place = u32::try_from(place).unwrap_or(u32::MAX);
    }
    entries
}

impl Index {
    /// Sites that have all words of a search in their name, id or hamlet.
    pub(in crate::web) fn sites_with(&self, search: &str) -> impl Iterator<Item = &SiteId> {
        let words = words(search);
        self.sites.iter().filter(move |entry| entry.has(&words)).map(|entry| &entry.it.id)
    }
}

impl<T> Entry<T> {
    /// Whether all words are in its name, id or hamlet. The words are as [`words`] gives them.
    pub(super) fn has(&self, words: &[String]) -> bool {
        words.iter().all(|word| self.text.contains(word.as_str()))
    }
}

/// The words of a search, as an index knows them.
pub(super) fn words(search: &str) -> Vec<String> {
    Plain::default().of(search).split_whitespace().map(str::to_owned).collect()
}

/// Makes small letters without marks, and remembers what became of each: taking one apart is the dear part of making an
/// index.
#[derive(Default)]
pub(super) struct Plain(HashMap<char, String>);

impl Plain {
    pub(super) fn of(&mut self, text: &str) -> String {
        let mut plain = String::with_capacity(text.len());
        for letter in text.chars() {
            if letter.is_ascii() {
                plain.push(letter.to_ascii_lowercase());
            } else {
                let known = self.0.entry(letter);
                plain += known.or_insert_with(|| folded(letter.encode_utf8(&mut [0; 4])).to_lowercase());
            }
        }
        plain
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn letters_one_by_one_are_what_the_whole_text_is(text in ".*", vietnamese in "[ĐđÀ-ỹ a-z]{0,40}") {
            for text in [text, vietnamese] {
                // How letters that stand together are made small together is no matter of searching.
                let whole = folded(&text).chars().flat_map(char::to_lowercase).collect::<String>();
                let single = Plain::default().of(&text);
                prop_assert_eq!(single, whole);
            }
        }
    }
}
