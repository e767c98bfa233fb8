//! Cameras by the time at which to consider them next, and those that wait for their device.

use crate::model::CameraId;
use jiff::Timestamp;
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
    time::Duration,
};

/// Who is considered when. A camera whose device is busy is parked: whoever asks what is due does not see it.
#[derive(Debug, Default)]
pub(super) struct Queue {
    at: BTreeMap<CameraId, Place>,
    order: BTreeSet<(Timestamp, CameraId)>,
    parked: BTreeSet<(Timestamp, CameraId)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    at: Timestamp,
    parked: bool,
}

impl Queue {
    /// Considers a camera at a time from now on; never with `None`.
    pub(super) fn set(&mut self, camera: &CameraId, at: Option<Timestamp>) {
        let place = at.map(|at| Place { at, parked: false });
        self.put(camera, place);
    }

    /// The camera that has waited longest of those that are due.
    pub(super) fn due(&self, now: Timestamp) -> Option<(Timestamp, CameraId)> {
        self.order.first().filter(|(at, _)| *at <= now).cloned()
    }

    /// Lets a camera wait for its device.
    pub(super) fn park(&mut self, camera: &CameraId) {
        let place = self.at.get(camera).map(|place| Place { parked: true, ..*place });
        self.put(camera, place);
    }

    /// Considers it again at the time at which it was to be.
    pub(super) fn unpark(&mut self, camera: &CameraId) {
        let place = self.at.get(camera).map(|place| Place { parked: false, ..*place });
        self.put(camera, place);
    }

    /// When the first camera is due after `now`.
    pub(super) fn next(&self, now: Timestamp) -> Option<Timestamp> {
        let (first, _) = self.order.first()?;
        if *first > now {
            return Some(*first);
        }
        // Names of cameras are never empty, so nothing of the next nanosecond comes before this.
        let from = (now.checked_add(Duration::from_nanos(1)).ok()?, CameraId::from(""));
        self.order.range((Bound::Included(from), Bound::Unbounded)).next().map(|(at, _)| *at)
    }

    /// The time of the camera that has waited longest, for its device or for its turn.
    pub(super) fn first(&self) -> Option<Timestamp> {
        self.order.first().into_iter().chain(self.parked.first()).map(|(at, _)| *at).min()
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.at.len()
    }

    fn put(&mut self, camera: &CameraId, place: Option<Place>) {
        let before = self.at.get(camera).copied();
        if before == place {
            return;
        }
        if let Some(Place { at, parked }) = before {
            let set = if parked { &mut self.parked } else { &mut self.order };
            set.remove(&(at, camera.clone()));
        }
        match place {
            Some(Place { at, parked }) => {
                let set = if parked { &mut self.parked } else { &mut self.order };
                set.insert((at, camera.clone()));
                self.at.insert(camera.clone(), Place { at, parked });
            }
            None => drop(self.at.remove(camera)),
        }
    }
}
