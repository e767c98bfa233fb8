//! Where a camera stands when everything is laid over what was seen of it: the owner's hours, maintenance, the
//! monitor's isolation, links, and the recorder that it is a channel of.

use super::{Monitor, is_silent};
use crate::{
    alert, health,
    model::{Camera, CameraId, Cause, Detail, FailureKind, Site, State, ViewState, told},
    topology::Root,
};
use jiff::Timestamp;
use std::collections::BTreeMap;

impl Monitor {
    /// Where a camera stands for people, and where it would without maintenance.
    pub(super) fn standing(&self, id: &CameraId) -> Option<(health::Standing, State)> {
        let (camera, plan) = (self.cameras.get(id)?, self.fleet.cameras.get(id)?);
        let own = camera.machine.standing();
        if own.state == State::Off {
            return Some((own.clone(), State::Off));
        }
        let base = self.overlaid(plan, own);
        let state = base.state;
        match self.maintenance.get(id) {
            Some((since, reason)) => {
                let detail = Detail::plain(reason);
                let standing = health::Standing { state: State::Maintenance, cause: None, detail, since: *since };
                Some((standing, state))
            }
            None => Some((base, state)),
        }
    }

    /// What links and the recorder make of what was seen of a camera.
    fn overlaid(&self, camera: &Camera, own: &health::Standing) -> health::Standing {
        // What is back is blamed until the camera proves that it works, or that something else is wrong with it.
        let silent = own.state == State::Down && is_silent(own.cause);
        let root = self.topology.root(&camera.device);
        match root.filter(|_| silent || !self.topology.is_seen_again(&camera.device)) {
            Some((Root::Monitor, since)) => {
                let detail = told!(CutOff);
                return health::Standing { state: State::Unknown, cause: None, detail, since };
            }
            Some((root, since)) => {
                let detail = match root {
                    Root::Link(link) => told!(Behind, link.as_str()),
                    _ => told!(CommuneSilent),
                };
                let cause = Some(FailureKind::Timeout);
                return health::Standing { state: State::Unreachable, cause, detail, since };
            }
            None => {}
        }
        // A recorder that is silent is so for all its channels, whichever was looked at first.
        if own.state != State::Down
            && self.shares_device(&camera.id)
            && let Some(since) = self.topology.silent_since(&camera.device)
            && let Some(first) = self.silent_channel(camera)
        {
            return health::Standing { since, ..first };
        }
        own.clone()
    }

    /// A channel of the same recorder that is confirmed to be out of reach.
    fn silent_channel(&self, camera: &Camera) -> Option<health::Standing> {
        let channels = self.topology.cameras_of(&camera.device).iter();
        let mut standings = channels.filter_map(|channel| Some(self.cameras.get(channel)?.machine.standing()));
        standings.find(|standing| standing.state == State::Down && is_silent(standing.cause)).cloned()
    }

    /// What explains that a site is lost: the root that most of its lost cameras share.
    pub(super) fn cut(&self, site: &Site, since: Timestamp) -> alert::Cut {
        let status = self.sites.get(&site.id).map(|site| site.status.clone());
        let lost = |name: &str| {
            status.as_ref().is_some_and(|status| {
                status.views.iter().any(|view| view.name == name && view.state == ViewState::Lost)
            })
        };
        let mut roots: BTreeMap<Cause, (usize, Timestamp)> = BTreeMap::new();
        for watcher in site.views.iter().filter(|view| lost(&view.name)).flat_map(|view| &view.watchers) {
            let (Some(plan), Some(camera)) =
                (self.fleet.cameras.get(&watcher.camera), self.cameras.get(&watcher.camera))
            else {
                continue;
            };
            if !camera.base.is_lost() {
                continue;
            }
            let below_a_link = camera.base == State::Unreachable;
            let root = match self.topology.root(&plan.device).filter(|_| below_a_link) {
                Some((Root::Link(link), since)) => Some((Cause::Link(link), since)),
                Some((Root::Commune, since)) => Some((Cause::Commune, since)),
                Some((Root::Monitor, _)) => None,
                // Nobody at the recorder's address: whatever is wrong, it is wrong with the recorder.
                None if self.shares_device(&plan.id) && is_silent(camera.status.cause) => {
                    let since = self.topology.silent_since(&plan.device).unwrap_or(camera.status.since);
                    Some((Cause::Device(plan.device.clone()), since))
                }
                None => None,
            };
            if let Some((cause, since)) = root {
                roots.entry(cause).or_insert((0, since)).0 += 1;
            }
        }
        let most = roots.into_iter().max_by_key(|(_, (count, _))| *count);
        match most {
            Some((cause, (_, since))) => alert::Cut { cause, since },
            None => alert::Cut { cause: Cause::Site(site.id.clone()), since },
        }
    }
}
