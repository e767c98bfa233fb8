//! What a snapshot gave once is not worked out again: pages and events are shared by all who ask, as bytes of which
//! there is one copy. So neither many readers nor a flood of requests cost more than a snapshot does.

use super::{camera, incident, map, page, site, sse};
use crate::model::{Language, Snapshot};
use axum::body::Bytes;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

/// What is kept of one snapshot at most; what is beyond is rendered for each who asks.
const MOST: usize = 16 * 1024 * 1024;

/// Whose page is meant.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Subject {
    Wall,
    Map,
    Site(String),
    Camera(String),
    /// Not as a signed link shows it, which is for one person.
    Incident(String),
}

impl Subject {
    /// The page's content; `None` when there is no such thing.
    fn render(&self, snapshot: &Snapshot, language: Language) -> askama::Result<Option<String>> {
        match self {
            Self::Wall => page::main(snapshot, language).map(Some),
            Self::Map => map::main(snapshot, language).map(Some),
            Self::Site(id) => site::main(snapshot, id, language),
            Self::Camera(id) => camera::main(snapshot, id, language),
            Self::Incident(id) => snapshot
                .incident(id)
                .map(|known| incident::main(snapshot, known, language, incident::Signed::default()))
                .transpose(),
        }
    }
}

/// The last snapshot's renderings.
#[derive(Default)]
pub(super) struct Cache {
    pages: Mutex<Pages>,
}

#[derive(Default)]
struct Pages {
    of: Option<Arc<Snapshot>>,
    size: usize,
    /// By what is shown, in which language, and whether as an event.
    kept: HashMap<(Subject, Language, bool), Bytes>,
}

impl Cache {
    /// A page's content; `None` when there is no such thing.
    pub(super) fn main(
        &self,
        snapshot: &Arc<Snapshot>,
        subject: &Subject,
        language: Language,
    ) -> askama::Result<Option<Bytes>> {
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        pages.main(snapshot, subject, language)
    }

    /// The same as an event.
    pub(super) fn event(
        &self,
        snapshot: &Arc<Snapshot>,
        subject: &Subject,
        language: Language,
    ) -> askama::Result<Option<Bytes>> {
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(main) = pages.main(snapshot, subject, language)? else { return Ok(None) };
        let key = (subject.clone(), language, true);
        if let Some(event) = pages.kept.get(&key) {
            return Ok(Some(event.clone()));
        }
        let id = snapshot.at.as_millisecond().to_string();
        let event = sse::event("wall", Some(&id), &main);
        pages.keep(key, &event);
        Ok(Some(event))
    }
}

impl Pages {
    fn main(
        &mut self,
        snapshot: &Arc<Snapshot>,
        subject: &Subject,
        language: Language,
    ) -> askama::Result<Option<Bytes>> {
        if !self.of.as_ref().is_some_and(|of| Arc::ptr_eq(of, snapshot)) {
            *self = Self { of: Some(snapshot.clone()), ..Self::default() };
        }
        let key = (subject.clone(), language, false);
        if let Some(main) = self.kept.get(&key) {
            return Ok(Some(main.clone()));
        }
        let main = subject.render(snapshot, language)?.map(Bytes::from);
        if let Some(main) = &main {
            self.keep(key, main);
        }
        Ok(main)
    }

    fn keep(&mut self, key: (Subject, Language, bool), bytes: &Bytes) {
        // An incident's number can be written in many ways, and long ones.
        let name = match &key.0 {
            Subject::Wall | Subject::Map => 0,
            Subject::Site(id) | Subject::Camera(id) | Subject::Incident(id) => id.len(),
        };
        let size = bytes.len() + name;
        if self.size + size <= MOST {
            self.size += size;
            self.kept.insert(key, bytes.clone());
        }
    }
}
