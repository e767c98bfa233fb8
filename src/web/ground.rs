//! What each area has: sites by level and cameras by state, counted in one pass over the fleet; and what is shown first.

use crate::model::{AreaId, Camera, CameraStatus, Counts, Coverage, Level, Site, SiteStatus, Snapshot, State};
use std::{collections::BTreeMap, sync::Arc};

/// All areas, and what lies in none.
pub(super) struct Ground<'a> {
    /// Each with all areas that are a part of it.
    areas: BTreeMap<&'a AreaId, Counts>,
    /// The whole fleet.
    pub(super) all: Counts,
    /// What counts to no area, and the coverage of its sites.
    pub(super) outside: Counts,
    pub(super) outside_coverage: Coverage,
}

impl<'a> Ground<'a> {
    /// Counts a snapshot.
    pub(super) fn of(snapshot: &'a Snapshot) -> Self {
        let fleet = &snapshot.fleet;
        let mut own: BTreeMap<&AreaId, Counts> = fleet.areas.keys().map(|area| (area, Counts::default())).collect();
        let (mut outside, mut outside_coverage) = (Counts::default(), Coverage::default());
        for (site, status) in sites(snapshot) {
            let counts = site.area.as_ref().and_then(|area| own.get_mut(area)).unwrap_or_else(|| {
                status.views.iter().for_each(|view| outside_coverage.add(view.state, view.weight));
                &mut outside
            });
            counts.site(None, status.level);
        }
        for (camera, status) in cameras(snapshot) {
            let counts = camera.area.as_ref().and_then(|area| own.get_mut(area)).unwrap_or(&mut outside);
            counts.camera(camera.kind, None, status.state);
        }
        let mut areas = own.clone();
        let mut all = outside;
        for (area, counts) in &own {
            all.add(counts);
            for above in fleet.areas_up_from(Some(area)).skip(1) {
                if let Some(sum) = areas.get_mut(above) {
                    sum.add(counts);
                }
            }
        }
        Self { areas, all, outside, outside_coverage }
    }

    /// What an area has.
    pub(super) fn area(&self, id: &AreaId) -> Counts {
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
