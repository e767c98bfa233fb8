//! What people are told of the plan: brought up to date for cameras of which something changed.

use super::{Entry, LinkEntry, Plan};
use crate::model::{CameraId, Check, NextLook, Outlook, Outlooks};
use imbl::OrdMap;
use jiff::Timestamp;
use std::collections::BTreeSet;

/// What was last told, and of whom it is to be told anew.
#[derive(Debug, Default)]
pub(super) struct Told {
    cameras: OrdMap<CameraId, Outlook>,
    changed: BTreeSet<CameraId>,
}

impl Told {
    /// Nothing yet of these cameras.
    pub(super) fn of<'a>(cameras: impl Iterator<Item = &'a CameraId>) -> Self {
        Self { cameras: OrdMap::new(), changed: cameras.cloned().collect() }
    }

    pub(super) fn changed(&mut self, camera: &CameraId) {
        if !self.changed.contains(camera) {
            self.changed.insert(camera.clone());
        }
    }
}

impl Plan {
    /// What is planned, for people and metrics. What time alone gives back of a camera's budgets is told with its next
    /// look.
    pub fn outlooks(&mut self, now: Timestamp) -> Outlooks {
        for id in std::mem::take(&mut self.told.changed) {
            if let Some(entry) = self.entries.get(&id) {
                let outlook = self.outlook(entry, now);
                self.told.cameras.insert(id, outlook);
            }
        }
        let budget = |link: &LinkEntry| link.bytes.as_ref().map(|bytes| bytes.budget(now));
        let links = self.links.iter().filter_map(|(id, link)| Some((id.clone(), budget(link)?))).collect();
        Outlooks { cameras: self.told.cameras.clone(), links, held: self.held.clone() }
    }

    fn outlook(&self, entry: &Entry, now: Timestamp) -> Outlook {
        let strikes = |onvif| self.devices.get(&entry.camera.device).map_or(0, |device| device.gates.strikes(onvif));
        let next = Check::ALL.into_iter().filter_map(|check| Some((self.allowed_at(entry, check, now).ok()?, check)));
        Outlook {
            looking: entry.in_flight,
            next: next.min().map(|(at, check)| NextLook { at, check }),
            held: self.holds(entry, now),
            rtsp_strikes: strikes(false),
            onvif_strikes: strikes(true),
            bytes: entry.bytes.budget(now),
            looks: entry.looks.budget(now),
        }
    }
}
