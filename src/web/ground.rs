//! What each area has: sites by level and cameras by state, counted in one pass over the fleet.

use crate::model::{AreaId, Camera, CameraStatus, Coverage, Kind, Level, Site, SiteStatus, Snapshot, State};
use std::{collections::BTreeMap, sync::Arc};

/// Sites and cameras of one area, with those of all areas that are a part of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Tally {
    sites: [usize; Level::ALL.len()],
    cameras: [[usize; State::ALL.len()]; Kind::ALL.len()],
}

impl Tally {
    /// Sites at a level.
    pub(super) fn sites_at(&self, level: Level) -> usize {
        self.sites[level as usize]
    }

    /// Cameras of a kind in a state.
    pub(super) fn count(&self, kind: Kind, state: State) -> usize {
        self.cameras[kind as usize][state as usize]
    }

    /// All sites.
    pub(super) fn sites(&self) -> usize {
        self.sites.iter().sum()
    }

    /// All cameras in a state.
    pub(super) fn cameras_in(&self, state: State) -> usize {
        self.cameras.iter().map(|states| states[state as usize]).sum()
    }

    /// All cameras.
    pub(super) fn cameras(&self) -> usize {
        self.cameras.iter().flatten().sum()
    }

    fn add(&mut self, other: &Self) {
        self.sites.iter_mut().zip(other.sites).for_each(|(sum, count)| *sum += count);
        let all = self.cameras.iter_mut().flatten();
        all.zip(other.cameras.iter().flatten()).for_each(|(sum, count)| *sum += count);
    }
}

/// All areas, and what lies in none.
pub(super) struct Ground<'a> {
    areas: BTreeMap<&'a AreaId, Tally>,
    /// The whole fleet.
    pub(super) all: Tally,
    /// What counts to no area, and the coverage of its sites.
    pub(super) outside: Tally,
    pub(super) outside_coverage: Coverage,
}

impl<'a> Ground<'a> {
    /// Counts a snapshot.
    pub(super) fn of(snapshot: &'a Snapshot) -> Self {
        let fleet = &snapshot.fleet;
        let mut own: BTreeMap<&AreaId, Tally> = fleet.areas.keys().map(|area| (area, Tally::default())).collect();
        let (mut outside, mut outside_coverage) = (Tally::default(), Coverage::default());
        for (site, status) in sites(snapshot) {
            let tally = site.area.as_ref().and_then(|area| own.get_mut(area)).unwrap_or_else(|| {
                status.views.iter().for_each(|view| outside_coverage.add(view.state, view.weight));
                &mut outside
            });
            tally.sites[status.level as usize] += 1;
        }
        for (camera, status) in cameras(snapshot) {
            let tally = camera.area.as_ref().and_then(|area| own.get_mut(area)).unwrap_or(&mut outside);
            tally.cameras[camera.kind as usize][status.state as usize] += 1;
        }
        let mut areas = own.clone();
        let mut all = outside;
        for (area, tally) in &own {
            all.add(tally);
            for above in fleet.areas_up_from(Some(area)).skip(1) {
                if let Some(sum) = areas.get_mut(above) {
                    sum.add(tally);
                }
            }
        }
        Self { areas, all, outside, outside_coverage }
    }

    /// What an area has.
    pub(super) fn area(&self, id: &AreaId) -> Tally {
        self.areas.get(id).copied().unwrap_or_default()
    }
}

/// All sites with how they stand, in the order of their ids.
pub(super) fn sites(snapshot: &Snapshot) -> impl Iterator<Item = (&Arc<Site>, &Arc<SiteStatus>)> {
    snapshot.fleet.sites.values().filter_map(|site| Some((site, snapshot.sites.get(&site.id)?)))
}

/// All cameras with how they stand, in the order of their ids.
pub(super) fn cameras(snapshot: &Snapshot) -> impl Iterator<Item = (&Arc<Camera>, &Arc<CameraStatus>)> {
    snapshot.fleet.cameras.values().filter_map(|camera| Some((camera, snapshot.cameras.get(&camera.id)?)))
}
