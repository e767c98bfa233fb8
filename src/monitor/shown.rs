//! What snapshots show: maps that all snapshots share, brought up to date for what changed since the last one.
//!
//! A snapshot must not cost a copy of the fleet. The maps are persistent ones (`imbl`): a copy of one is a pointer, and
//! a change copies the few nodes on its way. Counts and coverage follow from the difference that a change makes.

use crate::{
    coverage,
    model::{
        AreaId, Camera, CameraId, CameraStatus, Counts, Coverage, Fleet, Incident, LinkId, LinkStatus, OnCall, Site,
        SiteId, SiteStatus, State,
    },
};
use imbl::OrdMap;
use jiff::Timestamp;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// What snapshots show.
#[derive(Debug, Default)]
pub(super) struct Shown {
    pub(super) cameras: OrdMap<CameraId, Arc<CameraStatus>>,
    pub(super) sites: OrdMap<SiteId, Arc<SiteStatus>>,
    pub(super) links: OrdMap<LinkId, LinkStatus>,
    pub(super) counts: Counts,
    pub(super) hamlets: OrdMap<Arc<str>, Coverage>,
    pub(super) areas: OrdMap<AreaId, Coverage>,
    pub(super) incidents: Arc<Vec<Arc<Incident>>>,
    pub(super) on_call: Arc<Vec<OnCall>>,
    /// From when, and until when, that is so.
    pub(super) on_call_holds: Option<(Timestamp, Timestamp)>,
    /// Cameras that a link keeps out of reach.
    unreachable: BTreeSet<CameraId>,
    /// Cameras below each link, and how many of them are out of reach.
    below: BTreeMap<LinkId, (usize, usize)>,
    /// Links of which the counts changed.
    counted: BTreeSet<LinkId>,
    /// The last that was given to a camera or a site.
    revision: u64,
    total: coverage::Sum,
    of_hamlets: BTreeMap<Arc<str>, coverage::Sum>,
    of_areas: BTreeMap<AreaId, coverage::Sum>,
}

impl Shown {
    /// Nothing yet of a fleet but how many cameras hang on each link. Revisions go on from those `before`.
    pub(super) fn new(fleet: &Fleet, before: &Self) -> Self {
        let mut shown = Self { revision: before.revision, ..Self::default() };
        for camera in fleet.cameras.values() {
            for link in fleet.links_above(camera) {
                shown.below.entry(link).or_default().0 += 1;
            }
        }
        // An area without sites is shown too.
        shown.areas = fleet.areas.keys().map(|area| (area.clone(), Coverage::default())).collect();
        shown.counted = fleet.links.keys().cloned().collect();
        shown
    }

    /// All views of the commune together.
    pub(super) fn coverage(&self) -> Coverage {
        self.total.coverage()
    }

    /// Shows a camera as it stands; `base` is where it would without maintenance.
    pub(super) fn camera(&mut self, fleet: &Fleet, camera: &Camera, status: &mut Arc<CameraStatus>, base: State) {
        if !self.cameras.get(&camera.id).is_some_and(|shown| Arc::ptr_eq(shown, status)) {
            self.revision += 1;
            Arc::make_mut(status).revision = self.revision;
            let before = self.cameras.insert(camera.id.clone(), status.clone()).map(|before| before.state);
            if before != Some(status.state) {
                self.counts.camera(camera.kind, before, status.state);
            }
        }
        let changed = match base {
            State::Unreachable => self.unreachable.insert(camera.id.clone()),
            _ => self.unreachable.remove(&camera.id),
        };
        if !changed {
            return;
        }
        for link in fleet.links_above(camera) {
            if let Some((_, unreachable)) = self.below.get_mut(&link) {
                match base {
                    State::Unreachable => *unreachable += 1,
                    _ => *unreachable -= 1,
                }
            }
            self.counted.insert(link);
        }
    }

    /// Shows a site as it stands.
    pub(super) fn site(&mut self, fleet: &Fleet, site: &Site, status: &mut Arc<SiteStatus>) {
        if self.sites.get(&site.id).is_some_and(|shown| Arc::ptr_eq(shown, status)) {
            return;
        }
        self.revision += 1;
        Arc::make_mut(status).revision = self.revision;
        let hamlet = site.hamlet.as_str();
        let before = self.sites.insert(site.id.clone(), status.clone());
        let before = before.as_deref();
        if before.map(|before| before.level) != Some(status.level) {
            self.counts.site(before.map(|before| before.level), status.level);
        }
        let views = before.map_or(&[][..], |before| &before.views);
        if before.is_some() && views == status.views {
            return;
        }
        self.total.replace(views, &status.views);
        let name = self.of_hamlets.get_key_value(hamlet).map_or_else(|| Arc::from(hamlet), |(name, _)| name.clone());
        let sum = self.of_hamlets.entry(name.clone()).or_default();
        sum.replace(views, &status.views);
        self.hamlets.insert(name, sum.coverage());
        for area in fleet.areas_up_from(site.area.as_ref()) {
            let sum = self.of_areas.entry(area.clone()).or_default();
            sum.replace(views, &status.views);
            self.areas.insert(area.clone(), sum.coverage());
        }
    }

    /// How many cameras hang on a link, and how many of them are out of reach.
    pub(super) fn below(&self, link: &LinkId) -> (usize, usize) {
        self.below.get(link).copied().unwrap_or_default()
    }

    /// Links whose counts changed since they were last asked for.
    pub(super) fn take_counted(&mut self) -> BTreeSet<LinkId> {
        std::mem::take(&mut self.counted)
    }
}
