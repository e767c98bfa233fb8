//! A page's content in pieces, so that pages that listen are sent what changed of it and not the whole.
//!
//! Templates mark what changes by itself: `<!--[ID-->` and `<!--]-->` stand around an element with that id, and
//! `<!--(ID-->` and `<!--)-->`, inside the element of that id, around elements that may come, go and change places.
//! Whatever else a page has is its frame: where that changes, the whole is sent. Names are escaped, so nobody's name is a
//! mark.

use axum::body::Bytes;
use serde_json::{Map, Value, json};
use std::{
    collections::{BTreeMap, HashMap},
    hash::{DefaultHasher, Hash, Hasher},
    ops::Range,
};

/// A page's content without its marks, and what it consists of.
#[derive(Debug)]
pub(super) struct Content {
    pub(super) html: Bytes,
    outline: Outline,
    /// Where each piece stands in `html`.
    places: HashMap<String, Range<usize>>,
}

/// What is known of a content once it was sent: enough to tell what has changed since, and little to keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Outline {
    /// A fingerprint of all that is in no piece.
    frame: u64,
    /// A fingerprint of each piece.
    pieces: HashMap<String, u64>,
    /// Ids of the pieces of each list, in order.
    lists: BTreeMap<String, Vec<String>>,
}

impl Content {
    /// Takes a rendered page apart.
    pub(super) fn of(marked: &str) -> Self {
        let mut html = String::with_capacity(marked.len());
        let (mut frame, mut places) = (DefaultHasher::new(), HashMap::new());
        let (mut pieces, mut lists): (HashMap<String, u64>, BTreeMap<String, Vec<String>>) = Default::default();
        let mut open: Option<(String, usize)> = None;
        let mut list: Option<(String, Vec<String>)> = None;
        let mut rest = marked;
        loop {
            let (text, mark) = next_mark(&mut rest);
            html.push_str(text);
            // Blanks between the pieces of a list come and go with them.
            if open.is_none() && (list.is_none() || !text.trim().is_empty()) {
                text.hash(&mut frame);
            }
            match mark {
                None => break,
                Some(Mark::Piece(id)) => {
                    if let Some((_, ids)) = &mut list {
                        ids.push(id.to_owned());
                    } else {
                        id.hash(&mut frame);
                    }
                    open = Some((id.to_owned(), html.len()));
                }
                Some(Mark::PieceEnd) => {
                    let Some((id, start)) = open.take() else { continue };
                    pieces.insert(id.clone(), fingerprint(&html[start..]));
                    places.insert(id, start..html.len());
                }
                Some(Mark::List(id)) => {
                    id.hash(&mut frame);
                    list = Some((id.to_owned(), Vec::new()));
                }
                Some(Mark::ListEnd) => lists.extend(list.take()),
            }
        }
        Self { html: html.into(), outline: Outline { frame: frame.finish(), pieces, lists }, places }
    }

    /// What a page must know that shows another content: the pieces that changed, and the order of the lists that did;
    /// empty where nothing has changed. `None` where the whole is to be sent, since the frame is another or since the
    /// changes come to more than half of it.
    pub(super) fn since(&self, shown: &Outline) -> Option<Vec<u8>> {
        if shown == &self.outline {
            return Some(Vec::new());
        }
        let lists_are_the_same = shown.lists.keys().eq(self.outline.lists.keys());
        if shown.frame != self.outline.frame || !lists_are_the_same {
            return None;
        }
        let mut changed = Map::new();
        for (id, place) in &self.places {
            if shown.pieces.get(id) != self.outline.pieces.get(id) {
                let html = String::from_utf8_lossy(self.html.get(place.clone())?).into_owned();
                changed.insert(id.clone(), html.into());
            }
        }
        let moved = self.outline.lists.iter().filter(|(id, order)| shown.lists.get(*id) != Some(order));
        let moved: Map<String, Value> = moved.map(|(id, order)| (id.clone(), json!(order))).collect();
        let patch = serde_json::to_vec(&json!({"pieces": changed, "lists": moved})).ok()?;
        (patch.len() * 2 < self.html.len()).then_some(patch)
    }

    pub(super) fn outline(&self) -> &Outline {
        &self.outline
    }

    /// Bytes that it takes, about.
    pub(super) fn size(&self) -> usize {
        self.html.len() + self.places.len() * 200
    }
}

impl Outline {
    /// By which equal ones are known.
    pub(super) fn fingerprint(&self) -> u64 {
        let mut pieces: Vec<_> = self.pieces.iter().collect();
        pieces.sort_unstable();
        let mut hasher = DefaultHasher::new();
        (self.frame, pieces, &self.lists).hash(&mut hasher);
        hasher.finish()
    }
}

fn fingerprint(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

enum Mark<'a> {
    Piece(&'a str),
    PieceEnd,
    List(&'a str),
    ListEnd,
}

/// The text up to the next mark, and the mark; `rest` is what stands behind it.
fn next_mark<'a>(rest: &mut &'a str) -> (&'a str, Option<Mark<'a>>) {
    let text: &'a str = rest;
    let mut from = 0;
    while let Some(at) = text[from..].find("<!--").map(|at| from + at) {
        let inside = &text[at + 4..];
        let Some(end) = inside.find("-->") else { break };
        let name = &inside[..end];
        let mark = match (name.as_bytes().first(), name) {
            (_, "]") => Some(Mark::PieceEnd),
            (_, ")") => Some(Mark::ListEnd),
            (Some(b'['), _) => Some(Mark::Piece(&name[1..])),
            (Some(b'('), _) => Some(Mark::List(&name[1..])),
            _ => None,
        };
        if mark.is_some() {
            *rest = &inside[end + 3..];
            return (&text[..at], mark);
        }
        from = at + 4;
    }
    *rest = "";
    (text, None)
}

#[cfg(test)]
#[path = "pieces_tests.rs"]
mod tests;
