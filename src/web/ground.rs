//! What each area has: sites by level and cameras by state, counted in one pass over the fleet; and what is shown first.

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
    together(snapshot.fleet.sites.iter(), snapshot.sites.iter())
}

/// All cameras with how they stand, in the order of their ids.
pub(super) fn cameras(snapshot: &Snapshot) -> impl Iterator<Item = (&Arc<Camera>, &Arc<CameraStatus>)> {
    together(snapshot.fleet.cameras.iter(), snapshot.cameras.iter())
}

/// What two sides have under the same key, both in the order of their keys: each is walked once, instead of a walk down
/// a tree for each key.
pub(super) fn together<'a, K: Ord + 'a, A, B>(
    left: impl Iterator<Item = (&'a K, A)>,
    right: impl Iterator<Item = (&'a K, B)>,
) -> impl Iterator<Item = (A, B)> {
    let mut right = right.peekable();
    left.filter_map(move |(key, ours)| {
        while right.next_if(|(other, _)| *other < key).is_some() {}
        right.next_if(|(other, _)| *other == key).map(|(_, theirs)| (ours, theirs))
    })
}

/// What is shown first: what is lost, then what cannot be said, then what is well.
pub(super) fn urgency(level: Level) -> u8 {
    match level {
        Level::Blind => 0,
        Level::Critical => 1,
        Level::Unknown => 2,
        Level::Reduced => 3,
        Level::Full => 4,
    }
}

/// The same for cameras.
pub(super) fn camera_urgency(state: State) -> u8 {
    match state {
        State::Down => 0,
        State::Unreachable => 1,
        State::Degraded => 2,
        State::Unknown => 3,
        State::Maintenance => 4,
        State::Up => 5,
        State::Off => 6,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_both_have_goes_together() {
        let map = |keys: &[u8]| keys.iter().map(|key| (*key, *key)).collect::<BTreeMap<_, _>>();
        let (left, right) = (map(&[1, 2, 5, 7, 9]), map(&[0, 2, 3, 5, 9, 10]));
        let found: Vec<_> = together(left.iter(), right.iter()).collect();
        assert_eq!(found, [(&2, &2), (&5, &5), (&9, &9)]);
        assert_eq!(together(map(&[]).iter(), right.iter()).count(), 0);
    }
}
