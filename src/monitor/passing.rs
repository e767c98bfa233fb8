//! What only time changes: proofs that grow too old, owners' hours, nightfall, windows, and what is to be remembered
//! now and then. Each thing has its time, so that a moment at which nothing is due costs nothing, whatever the fleet.

use super::{Effect, Monitor, deadlines::Deadlines};
use crate::model::{CameraId, Span, Window, later};
use jiff::Timestamp;
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// How often it is remembered who has proven to see. A restart believes a camera by so much less.
const PROOFS_EVERY: Duration = Duration::from_secs(60);

/// What is due when.
#[derive(Debug)]
pub(super) struct Passing {
    /// The time that it was last. When the clock is set back, all of this is worked out anew.
    clock: Timestamp,
    /// When each camera is to be considered, if nothing is seen of it before. One that proves itself in the meantime is
    /// considered all the same, and given its next time then: so a look moves none of these.
    cameras: Deadlines<CameraId>,
    /// When day or night may end.
    dusk_at: Timestamp,
    /// When a window may open or close; `None` without any.
    windows_at: Option<Timestamp>,
    /// Windows that are open.
    open: Vec<Window>,
    /// Proofs that are not remembered yet, and when they will be.
    proofs: BTreeMap<CameraId, Timestamp>,
    proofs_at: Option<Timestamp>,
}

impl Passing {
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            clock: now,
            cameras: Deadlines::default(),
            dusk_at: now,
            windows_at: Some(now),
            open: Vec::new(),
            proofs: BTreeMap::new(),
            proofs_at: None,
        }
    }

    /// When something is due if nothing happens.
    pub(super) fn deadline(&self) -> Timestamp {
        let all = [self.cameras.first(), self.windows_at, self.proofs_at];
        all.into_iter().flatten().fold(self.dusk_at, Timestamp::min)
    }

    /// A camera has proven to see.
    pub(super) fn proven(&mut self, now: Timestamp, camera: &CameraId, proven: Timestamp) {
        self.proofs.insert(camera.clone(), proven);
        self.proofs_at.get_or_insert(later(now, PROOFS_EVERY));
    }

    /// A camera is to be considered at `at`, or before.
    pub(super) fn by(&mut self, camera: &CameraId, at: Option<Timestamp>) {
        self.cameras.by(camera, at);
    }

    /// Windows have changed.
    pub(super) fn windows_changed(&mut self, now: Timestamp) {
        self.windows_at = Some(now);
        // So that they are compared with nothing.
        self.open.clear();
    }
}

impl Monitor {
    /// Takes in, before anything else, that it is `now`. Where the clock was set back, ages stay true: what happened so
    /// long ago still did.
    pub(super) fn follow(&mut self, now: Timestamp) {
        let latest = std::mem::replace(&mut self.passing.clock, now);
        if latest <= now {
            return;
        }
        for (id, camera) in &mut self.cameras {
            let before = camera.machine.proven();
            camera.machine.follow(latest);
            camera.machine.follow(now);
            if let Some(proven) = camera.machine.proven().filter(|proven| Some(*proven) != before) {
                self.passing.proven(now, id, proven);
            }
        }
        self.pass_anew(now);
    }

    /// Does what is due.
    pub(super) fn pass(&mut self, now: Timestamp) {
        if self.passing.deadline() > now {
            return;
        }
        let due: Vec<CameraId> = self.passing.cameras.due(now).cloned().collect();
        due.iter().for_each(|id| self.consider(now, id));
        if self.passing.dusk_at <= now {
            self.keep_night(now);
        }
        if self.passing.windows_at.is_some_and(|at| at <= now) {
            self.keep_windows(now);
        }
        if self.passing.proofs_at.is_some_and(|at| at <= now) {
            let proven = self.last_words();
            self.effects.push(proven);
        }
    }

    /// What is remembered only now and then, for whoever ends now: a start that follows believes each camera as this run did.
    pub fn last_words(&mut self) -> Effect {
        self.passing.proofs_at = None;
        Effect::Proven(std::mem::take(&mut self.passing.proofs))
    }

    /// The same with nothing taken for granted: for a new configuration, and a clock that was set back.
    pub(super) fn pass_anew(&mut self, now: Timestamp) {
        self.passing.cameras.clear();
        let all: Vec<CameraId> = self.cameras.keys().cloned().collect();
        all.iter().for_each(|id| self.consider(now, id));
        self.keep_night(now);
        self.passing.windows_changed(now);
        self.keep_windows(now);
        self.passing.proofs_at = self.passing.proofs_at.map(|at| at.min(later(now, PROOFS_EVERY)));
    }

    /// Looks at what a camera's proof is worth, and whether its owner wants contact.
    fn consider(&mut self, now: Timestamp, id: &CameraId) {
        let (Some(camera), Some(plan)) = (self.cameras.get_mut(id), self.fleet.cameras.get(id)) else {
            self.passing.cameras.set(id, None);
            return;
        };
        let zone = &self.fleet.commune.timezone;
        let why = camera.machine.standing().detail.clone();
        let changed = camera.machine.set_off(now, plan.off(now, zone), &self.settings.health).is_some()
            || camera.machine.standing().detail != why;
        if camera.machine.tick(now, &self.settings.health).is_some() || changed {
            self.touched.insert(id.clone());
        }
        let hours = plan.off_hours.iter().map(|hours| hours.turns_after(now, zone));
        let consent = plan.consent.as_ref().and_then(|consent| consent.turns_after(now, zone));
        let due = hours.chain(consent).chain(camera.machine.deadline(&self.settings.health)).min();
        self.passing.cameras.set(id, due);
    }

    fn keep_night(&mut self, now: Timestamp) {
        let (zone, hours) = (&self.fleet.commune.timezone, self.fleet.commune.night);
        self.passing.dusk_at = hours.turns_after(now, zone);
        let night = hours.contain(now.to_zoned_datetime(zone.clone()).time());
        if std::mem::replace(&mut self.night, night) != night {
            self.stale.extend(self.fleet.sites.keys().cloned());
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
        self.passing.windows_at = self.windows.iter().map(|window| window.turns_after(now, zone)).min();
        let open: Vec<Window> = self.windows.iter().filter(|window| window.is_open(now, zone)).cloned().collect();
        let before = std::mem::replace(&mut self.passing.open, open.clone());
        if open == before && (!open.is_empty() || self.maintenance.is_empty()) {
            return;
        }
        let mut maintenance = BTreeMap::new();
        for window in &open {
            for camera in window.scope.cameras(&self.fleet) {
                // The first window that covers it says why.
                maintenance.entry(camera.clone()).or_insert_with(|| {
                    let since = self.maintenance.get(camera).map_or(now, |(since, _)| *since);
                    (since, window.reason.clone())
                });
            }
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
        self.passing.windows_changed(now);
    }

    pub(super) fn unsilence(&mut self, now: Timestamp, id: &str) {
        if let Some(window) = self.set_windows.iter_mut().find(|window| window.id == id) {
            if let Span::Once { until, .. } = &mut window.span {
                *until = (*until).min(now);
            }
            self.effects.push(Effect::Window(window.clone()));
            self.passing.windows_changed(now);
        }
    }
}
