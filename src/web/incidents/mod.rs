//! Incidents that are open or ended long ago: what was read of them from the journal, kept for all who ask.
//!
//! Pages are made without waiting. So whoever asks for one has what it shows read first, which takes milliseconds and is
//! then good for a moment. Where the journal cannot be read, pages show what the snapshot has.

pub(super) mod lines;
pub(super) mod list;
mod search;
mod sources;
#[cfg(test)]
pub(super) mod tests;

pub(super) use search::{Asked, ROWS, Search};
pub use sources::{Incidents, Told};

use crate::{
    model::{Found, Sought},
    rights::Bounds,
    uptime::Clocks,
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    sync::Semaphore,
    time::{Instant, timeout},
};

/// What was read is shown to all who ask within so long.
const FRESH: Duration = Duration::from_millis(900);
/// What is kept: pages of lists, and single incidents.
const KEPT: usize = 40;
/// How many are read at once, and how long one may wait for that.
const PLACES: usize = 2;
const PATIENCE: Duration = Duration::from_secs(2);

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    List(Search),
    One(String),
}

/// What was read.
#[derive(Clone)]
enum Read {
    List(Arc<Found>),
    One(Option<Arc<Told>>),
}

/// What is known of incidents by those who see the whole commune, or the same areas of it.
pub(super) struct Known {
    sources: Incidents,
    bounds: Option<Bounds>,
    places: Semaphore,
    kept: Mutex<HashMap<Key, (Read, Instant)>>,
}

impl Known {
    pub(super) fn new(sources: Incidents) -> Self {
        Self { sources, bounds: None, places: Semaphore::new(PLACES), kept: Mutex::default() }
    }

    /// The same for those who are bound to areas.
    pub(super) fn within(&self, bounds: Bounds) -> Self {
        Self { bounds: Some(bounds), ..Self::new(self.sources.clone()) }
    }

    /// What people of the roster are called.
    pub(super) fn names(&self) -> &sources::Names {
        &*self.sources.name
    }

    /// How incidents that are open, or ended lately, stand under the contract.
    pub(super) fn clocks(&self) -> Arc<Clocks> {
        self.sources.clocks.borrow().clone()
    }

    /// Whether whoever asks is bound to areas.
    pub(super) fn is_bound(&self) -> bool {
        self.bounds.is_some()
    }

    /// Has a page of a list at hand; `sought` says in the words of the journal what the search is for.
    pub(super) async fn ready_list(&self, search: &Search, sought: impl FnOnce() -> Sought) {
        let key = Key::List(search.clone());
        if self.is_fresh(&key) {
            return;
        }
        let read = async {
            let _place = self.places.acquire().await.ok()?;
            let found = (self.sources.find)(sought(), self.bounds.clone()).await;
            found.map_err(|error| tracing::debug!(error, "past incidents cannot be read")).ok()
        };
        if let Ok(Some(mut found)) = timeout(PATIENCE, read).await {
            // A row needs none of this, and a page of them would hold megabytes.
            for incident in &mut found.incidents {
                incident.audience = Vec::new();
                if incident.closed.is_some() {
                    incident.sites.clear();
                }
            }
            self.keep(key, Read::List(Arc::new(found)));
        }
    }

    /// Has an incident at hand, with its timeline.
    pub(super) async fn ready_one(&self, name: &str) {
        let key = Key::One(name.to_owned());
        if self.is_fresh(&key) {
            return;
        }
        if let Ok(Ok(told)) = timeout(PATIENCE, self.read_one(name)).await {
            self.keep(key, Read::One(told));
        }
    }

    /// An incident with its timeline, read now; an error is for people.
    pub(super) async fn read_one(&self, name: &str) -> Result<Option<Arc<Told>>, String> {
        let _place = self.places.acquire().await.map_err(|error| error.to_string())?;
        let told = (self.sources.one)(name.to_owned(), self.bounds.clone()).await;
        let told = told.inspect_err(|error| tracing::debug!(error, "an incident cannot be read"))?;
        Ok(told.map(Arc::new))
    }

    /// Incidents that are sought, read now; an error is for people.
    pub(super) async fn read_list(&self, sought: Sought) -> Result<Found, String> {
        let _place = self.places.acquire().await.map_err(|error| error.to_string())?;
        (self.sources.find)(sought, self.bounds.clone()).await
    }

    /// The page of a list that was read last.
    pub(super) fn list(&self, search: &Search) -> Option<Arc<Found>> {
        match self.kept().get(&Key::List(search.clone())) {
            Some((Read::List(found), _)) => Some(found.clone()),
            _ => None,
        }
    }

    /// The incident that was read last.
    pub(super) fn one(&self, name: &str) -> Option<Arc<Told>> {
        match self.kept().get(&Key::One(name.to_owned())) {
            Some((Read::One(told), _)) => told.clone(),
            _ => None,
        }
    }

    fn is_fresh(&self, key: &Key) -> bool {
        self.kept().get(key).is_some_and(|(_, at)| at.elapsed() < FRESH)
    }

    fn keep(&self, key: Key, read: Read) {
        let mut kept = self.kept();
        if kept.len() >= KEPT
            && let Some(oldest) = kept.iter().min_by_key(|(_, (_, at))| *at).map(|(key, _)| key.clone())
        {
            kept.remove(&oldest);
        }
        kept.insert(key, (read, Instant::now()));
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, HashMap<Key, (Read, Instant)>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
