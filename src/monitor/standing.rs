//! Where a camera stands when everything is laid over what was seen of it: the owner's hours, maintenance, the
//! monitor's isolation, links, and the recorder that it is a channel of.

use super::{Effect, Monitor, is_silent};
use crate::{
    alert, health,
    model::{Camera, CameraId, Cause, Detail, FailureKind, Site, Span, State, ViewState, Window, later, told},
    topology::Root,
};
use jiff::Timestamp;
use std::{collections::BTreeMap, sync::Arc};

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

    /// Looks for what only time changes: staleness, owners' hours, windows and nightfall.
    pub(super) fn sweep(&mut self, now: Timestamp) {
        if now < self.next_sweep {
            return;
        }
        self.next_sweep = later(now, super::SWEEP_EVERY);
        self.remember_proofs(now);
        let zone = &self.fleet.commune.timezone;
        for (id, camera) in &mut self.cameras {
            let off = self.fleet.cameras.get(id).is_some_and(|plan| plan.is_off(now, zone));
            let changed = camera.machine.set_off(now, off, &self.settings.health).is_some();
            if camera.machine.tick(now, &self.settings.health).is_some() || changed {
                self.touched.insert(id.clone());
            }
        }
        let night = self.fleet.commune.night.contain(now.to_zoned_datetime(zone.clone()).time());
        if std::mem::replace(&mut self.night, night) != night {
            self.stale.extend(self.fleet.sites.keys().cloned());
        }
        self.keep_windows(now);
    }

    fn remember_proofs(&mut self, now: Timestamp) {
        if now < self.next_proofs && now >= self.next_proofs.checked_sub(super::PROOFS_EVERY).unwrap_or(now) {
            return;
        }
        self.next_proofs = later(now, super::PROOFS_EVERY);
        let mut proofs = BTreeMap::new();
        for (id, camera) in &mut self.cameras {
            let proven = camera.machine.proven();
            if std::mem::replace(&mut camera.remembered, proven) != proven {
                proofs.extend(proven.map(|proven| (id.clone(), proven)));
            }
        }
        if !proofs.is_empty() {
            self.effects.push(Effect::Proven(proofs));
        }
    }

    /// Begins and ends what windows say.
    fn keep_windows(&mut self, now: Timestamp) {
        self.set_windows.retain(|window| !window.is_over(now));
        let all: Vec<Window> = (self.fleet.windows.iter().filter(|window| !window.is_over(now)))
            .chain(&self.set_windows)
            .cloned()
            .collect();
        if *self.windows != all {
            self.windows = Arc::new(all);
        }
        let zone = &self.fleet.commune.timezone;
        let open: Vec<&Window> = self.windows.iter().filter(|window| window.is_open(now, zone)).collect();
        if open.is_empty() && self.maintenance.is_empty() {
            return;
        }
        let mut maintenance = BTreeMap::new();
        for camera in self.fleet.cameras.values() {
            let Some(window) = open.iter().find(|window| window.scope.covers(&self.fleet, camera)) else { continue };
            let since = self.maintenance.get(&camera.id).map_or(now, |(since, _)| *since);
            maintenance.insert(camera.id.clone(), (since, window.reason.clone()));
        }
        let before = std::mem::replace(&mut self.maintenance, maintenance);
        let changed = |id: &&CameraId| before.contains_key(*id) != self.maintenance.contains_key(*id);
        let changed: Vec<CameraId> = before.keys().chain(self.maintenance.keys()).filter(changed).cloned().collect();
        self.touched.extend(changed);
    }

    pub(super) fn silence(&mut self, now: Timestamp, window: Window) {
        self.set_windows.retain(|known| known.id != window.id);
        self.set_windows.push(window.clone());
        self.effects.push(Effect::Window(window));
        self.next_sweep = now;
    }

    pub(super) fn unsilence(&mut self, now: Timestamp, id: &str) {
        if let Some(window) = self.set_windows.iter_mut().find(|window| window.id == id) {
            if let Span::Once { until, .. } = &mut window.span {
                *until = (*until).min(now);
            }
            self.effects.push(Effect::Window(window.clone()));
            self.next_sweep = now;
        }
    }
}
