//! All incidents that are open or ended lately, and the ways by which they are found: by site, by cause, by what is due.
//!
//! Each way is an index that every change keeps up to date, so that what one event asks costs what it finds, however
//! many incidents a bad day has.

use crate::model::{Cause, Incident, IncidentId, Level, SiteId};
use jiff::Timestamp;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// Incidents by id. Snapshots share them.
#[derive(Debug, Clone, Default)]
pub(super) struct Register {
    incidents: BTreeMap<IncidentId, Arc<Incident>>,
    open: BTreeSet<IncidentId>,
    /// Open incidents that keep a site down, by site.
    by_site: BTreeMap<SiteId, BTreeSet<IncidentId>>,
    by_cause: BTreeMap<Cause, BTreeSet<IncidentId>>,
    /// Open incidents by the time of their next step.
    steps: BTreeSet<(Timestamp, IncidentId)>,
    /// Ended ones by the time of their end.
    ended: BTreeSet<(Timestamp, IncidentId)>,
    changed: bool,
}

impl Register {
    /// The incidents of an earlier run.
    pub(super) fn restored(incidents: Vec<Incident>) -> Self {
        let mut register = Self { changed: true, ..Self::default() };
        incidents.into_iter().for_each(|incident| register.insert(incident));
        register
    }

    pub(super) fn insert(&mut self, incident: Incident) {
        let sites = incident.sites.iter().filter(|(_, level)| **level != Level::Full);
        if incident.closed.is_none() && !is_doubt(&incident) {
            for (site, _) in sites {
                self.by_site.entry(site.clone()).or_default().insert(incident.id.clone());
            }
        }
        self.index(&incident);
        self.incidents.insert(incident.id.clone(), Arc::new(incident));
        self.changed = true;
    }

    pub(super) fn contains(&self, id: &IncidentId) -> bool {
        self.incidents.contains_key(id)
    }

    pub(super) fn get(&self, id: &IncidentId) -> Option<&Arc<Incident>> {
        self.incidents.get(id)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Arc<Incident>> {
        self.incidents.values()
    }

    /// Those that are open, in the order of their ids.
    pub(super) fn open(&self) -> impl Iterator<Item = &Arc<Incident>> {
        self.open.iter().filter_map(|id| self.incidents.get(id))
    }

    /// The open incidents that keep a site down.
    pub(super) fn of_site(&self, site: &SiteId) -> impl Iterator<Item = &Arc<Incident>> {
        self.by_site.get(site).into_iter().flatten().filter_map(|id| self.incidents.get(id))
    }

    /// All of one cause, open and ended.
    pub(super) fn of_cause(&self, cause: &Cause) -> impl Iterator<Item = &Arc<Incident>> {
        self.by_cause.get(cause).into_iter().flatten().filter_map(|id| self.incidents.get(id))
    }

    /// When the first next step is due, and of which.
    pub(super) fn steps(&self) -> impl DoubleEndedIterator<Item = &(Timestamp, IncidentId)> {
        self.steps.iter()
    }

    /// Changes anything of an incident but its sites; what `change` gives, if there is such an incident.
    pub(super) fn change<T>(&mut self, id: &IncidentId, change: impl FnOnce(&mut Incident) -> T) -> Option<T> {
        let mut incident = self.incidents.remove(id)?;
        self.forget(&incident);
        let was_open = incident.closed.is_none();
        let known = Arc::make_mut(&mut incident);
        let outcome = change(known);
        self.index(known);
        if was_open && known.closed.is_some() {
            for site in known.sites.keys() {
                self.no_more(site, id);
            }
        }
        self.incidents.insert(id.clone(), incident);
        self.changed = true;
        Some(outcome)
    }

    /// Sets the level that an incident keeps a site at; what it was before.
    pub(super) fn set_site(&mut self, id: &IncidentId, site: &SiteId, level: Level) -> Option<Level> {
        let incident = Arc::make_mut(self.incidents.get_mut(id)?);
        let before = incident.sites.insert(site.clone(), level);
        if level != Level::Full {
            incident.left.remove(site);
        }
        if level == Level::Full {
            self.no_more(site, id);
        } else if incident.closed.is_none() && !is_doubt(incident) {
            self.by_site.entry(site.clone()).or_default().insert(id.clone());
        }
        self.changed = true;
        before
    }

    /// Forgets those that ended before `until`.
    pub(super) fn forget_ended(&mut self, is_over: impl Fn(Timestamp) -> bool) {
        while let Some((at, id)) = self.ended.first().cloned().filter(|(at, _)| is_over(*at)) {
            if let Some(incident) = self.incidents.remove(&id) {
                self.forget(&incident);
                self.changed = true;
            }
            self.ended.remove(&(at, id));
        }
    }

    /// Whether anything changed since this was last asked.
    pub(super) fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }

    fn index(&mut self, incident: &Incident) {
        let id = &incident.id;
        self.by_cause.entry(incident.cause.clone()).or_default().insert(id.clone());
        match (incident.closed, incident.escalates) {
            (Some(at), _) => drop(self.ended.insert((at, id.clone()))),
            (None, step) => {
                self.open.insert(id.clone());
                self.steps.extend(step.map(|at| (at, id.clone())));
            }
        }
    }

    fn forget(&mut self, incident: &Incident) {
        let id = &incident.id;
        if let Some(ids) = self.by_cause.get_mut(&incident.cause) {
            ids.remove(id);
            if ids.is_empty() {
                self.by_cause.remove(&incident.cause);
            }
        }
        self.open.remove(id);
        if let Some(at) = incident.escalates {
            self.steps.remove(&(at, id.clone()));
        }
        if let Some(at) = incident.closed {
            self.ended.remove(&(at, id.clone()));
        }
    }

    fn no_more(&mut self, site: &SiteId, id: &IncidentId) {
        if let Some(ids) = self.by_site.get_mut(site) {
            ids.remove(id);
            if ids.is_empty() {
                self.by_site.remove(site);
            }
        }
    }
}

/// It says that a site cannot be judged, and so keeps none down.
fn is_doubt(incident: &Incident) -> bool {
    matches!(incident.cause, Cause::Unproven(_))
}
