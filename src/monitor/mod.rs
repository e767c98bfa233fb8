//! The fleet: events in, effects out. The only module that joins health, coverage and alert.
//!
//! [`Monitor::handle`] cannot fail and cannot wait: it knows no socket, clock, file or randomness. The same events at
//! the same times give the same effects.

use crate::{
    alert, coverage, health,
    model::{
        CameraId, CameraLine, CameraStatus, Coverage, Failure, Fleet, Kind, LastCheck, Level, Memory, Notice,
        Observation, Restored, Seen, SharedOutlooks, Site, SiteId, SiteRecord, SiteStatus, Snapshot, State, Transition,
        ViewState, elapsed, later, stream_address,
    },
};
use jiff::Timestamp;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

/// How often stale cameras are looked for.
const SWEEP_EVERY: Duration = Duration::from_secs(5);
/// How often what is learned of a camera is remembered, unless it matters at once.
const LEARN_EVERY: Duration = Duration::from_secs(30 * 60);
/// Looks that are kept in a line each.
const RECENT: usize = 12;

/// Everything that can happen to the fleet.
#[derive(Debug)]
pub enum Event {
    /// A probe came back.
    Probed(CameraId, Box<Observation>),
    /// Time passed.
    Tick,
    /// The configuration changed.
    Replanned(Arc<Fleet>, health::Settings),
}

/// Everything that the shell must do about it. The effects of one event belong into one transaction.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// A camera changed its state: remember it.
    Camera(Transition),
    /// A site changed its level or its alert: remember it.
    Site(SiteRecord),
    /// Somebody must be told.
    Notify(Box<Notice>),
    /// Something was learned of a camera: remember it.
    Learned(CameraId, Arc<Memory>),
}

/// What is known of the fleet.
#[derive(Debug)]
pub struct Monitor {
    fleet: Arc<Fleet>,
    health: health::Settings,
    cameras: BTreeMap<CameraId, WatchedCamera>,
    sites: BTreeMap<SiteId, WatchedSite>,
    /// The sites that each camera has a part in.
    sites_of: BTreeMap<CameraId, Vec<SiteId>>,
    coverage: Coverage,
    next_sweep: Timestamp,
}

#[derive(Debug)]
struct WatchedCamera {
    machine: health::Machine,
    status: Arc<CameraStatus>,
    learned_at: Timestamp,
}

#[derive(Debug)]
struct WatchedSite {
    watch: alert::Watch,
    status: Arc<SiteStatus>,
}

impl Monitor {
    /// A monitor of `fleet` that remembers what an earlier run knew, and what follows where the configuration has
    /// changed since.
    pub fn new(fleet: Arc<Fleet>, health: health::Settings, restored: Restored, now: Timestamp) -> (Self, Vec<Effect>) {
        let mut monitor = Self {
            fleet: fleet.clone(),
            health: health.clone(),
            cameras: BTreeMap::new(),
            sites: BTreeMap::new(),
            sites_of: BTreeMap::new(),
            coverage: Coverage::default(),
            next_sweep: later(now, SWEEP_EVERY),
        };
        for transition in restored.cameras {
            let Some(camera) = fleet.cameras.get(&transition.camera) else { continue };
            let standing = health::Standing {
                state: transition.to,
                cause: transition.cause,
                detail: transition.detail,
                since: transition.since,
            };
            let machine = health::Machine::restored(camera.id.clone(), camera.kind, standing, now);
            monitor.cameras.insert(camera.id.clone(), WatchedCamera::new(machine, now));
        }
        for (id, memory) in restored.memories {
            let Some(camera) = fleet.cameras.get(&id) else { continue };
            let watched = monitor
                .cameras
                .entry(id)
                .or_insert_with(|| WatchedCamera::new(health::Machine::new(camera.id.clone(), camera.kind, now), now));
            Arc::make_mut(&mut watched.status).memory = Arc::new(memory);
        }
        for record in restored.sites {
            monitor.sites.insert(record.site.clone(), WatchedSite::restored(record));
        }
        let effects = monitor.replan(now, fleet, health);
        (monitor, effects)
    }

    /// Takes in an event and says what follows.
    pub fn handle(&mut self, now: Timestamp, event: Event) -> Vec<Effect> {
        match event {
            Event::Probed(camera, observation) => self.probed(now, &camera, *observation),
            Event::Tick => self.tick(now),
            Event::Replanned(fleet, health) => self.replan(now, fleet, health),
        }
    }

    /// When [`Event::Tick`] is due if nothing else happens.
    pub fn next_deadline(&self) -> Timestamp {
        let delays = self.sites.iter().filter_map(|(id, site)| site.watch.deadline(self.fleet.sites.get(id)?));
        delays.fold(self.next_sweep, Timestamp::min)
    }

    /// The fleet as it stands.
    pub fn snapshot(&self, now: Timestamp) -> Snapshot {
        Snapshot {
            at: now,
            fleet: self.fleet.clone(),
            cameras: self.cameras.iter().map(|(id, camera)| (id.clone(), camera.status.clone())).collect(),
            sites: self.sites.iter().map(|(id, site)| (id.clone(), site.status.clone())).collect(),
            coverage: self.coverage,
            outlooks: SharedOutlooks::default(),
        }
    }

    fn probed(&mut self, now: Timestamp, id: &CameraId, observation: Observation) -> Vec<Effect> {
        // A probe may come back for a camera that a reload took away.
        let (Some(camera), Some(plan)) = (self.cameras.get_mut(id), self.fleet.cameras.get(id)) else {
            return Vec::new();
        };
        let mut memory = (*camera.status.memory).clone();
        let measure = health::Measure {
            promise: &plan.promise,
            serial: plan.identity.serial.as_deref(),
            stream: &stream_address(&plan.rtsp),
            cause: camera.status.cause,
            settings: &self.health,
        };
        let failure = health::judge(now, &observation, &mut memory, measure);
        let transition = camera.machine.observe(now, &observation, failure.as_ref(), &self.health);
        let learned = camera.learn(now, memory);
        camera.take_in(now, observation, failure);
        Arc::make_mut(&mut camera.status).reasoning = Some(camera.machine.reasoning(&self.health));
        let mut effects = self.changed(now, transition);
        effects.extend(learned.map(|memory| Effect::Learned(id.clone(), memory)));
        effects
    }

    fn tick(&mut self, now: Timestamp) -> Vec<Effect> {
        let mut effects = Vec::new();
        if now >= self.next_sweep {
            self.next_sweep = later(now, SWEEP_EVERY);
            effects.extend(self.keep_hours(now));
            let stale: Vec<Transition> =
                self.cameras.values_mut().filter_map(|camera| camera.machine.tick(now, &self.health)).collect();
            for transition in stale {
                effects.extend(self.changed(now, Some(transition)));
            }
        }
        let due: Vec<SiteId> = (self.sites.iter())
            .filter(|(id, site)| {
                let delay = self.fleet.sites.get(*id).and_then(|plan| site.watch.deadline(plan));
                delay.is_some_and(|at| at <= now)
            })
            .map(|(id, _)| id.clone())
            .collect();
        effects.extend(due.iter().flat_map(|site| self.evaluate(now, site)));
        effects
    }

    /// Begins and ends the hours in which owners want no contact.
    fn keep_hours(&mut self, now: Timestamp) -> Vec<Effect> {
        let zone = &self.fleet.commune.timezone;
        let mut changes = Vec::new();
        for (id, camera) in &mut self.cameras {
            let off = self.fleet.cameras.get(id).is_some_and(|plan| plan.is_off(now, zone));
            changes.extend(camera.machine.set_off(now, off));
        }
        changes.into_iter().flat_map(|change| self.changed(now, Some(change))).collect()
    }

    fn replan(&mut self, now: Timestamp, fleet: Arc<Fleet>, health: health::Settings) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.health = health;
        self.sites_of.clear();
        for site in fleet.sites.values() {
            let cameras: BTreeSet<&CameraId> =
                site.views.iter().flat_map(|view| &view.watchers).map(|watcher| &watcher.camera).collect();
            for camera in cameras {
                self.sites_of.entry(camera.clone()).or_default().push(site.id.clone());
            }
        }
        // A camera that moved to another address or kind is another camera: what was seen there proves nothing here.
        let old = std::mem::replace(&mut self.fleet, fleet.clone());
        self.cameras.retain(|id, _| match (old.cameras.get(id), fleet.cameras.get(id)) {
            (Some(before), Some(after)) => before.rtsp == after.rtsp && before.kind == after.kind,
            _ => false,
        });
        for camera in fleet.cameras.values() {
            self.cameras
                .entry(camera.id.clone())
                .or_insert_with(|| WatchedCamera::new(health::Machine::new(camera.id.clone(), camera.kind, now), now));
        }
        // An alert on a site that is gone is closed in the journal, so that it does not come back with the name.
        let gone: Vec<SiteId> = self.sites.keys().filter(|id| !fleet.sites.contains_key(*id)).cloned().collect();
        for id in gone {
            self.sites.remove(&id);
            effects.push(Effect::Site(SiteRecord { site: id, level: Level::Unknown, since: now, alert: None }));
        }
        for site in fleet.sites.keys() {
            self.sites.entry(site.clone()).or_insert_with(|| WatchedSite::new(now));
            effects.extend(self.evaluate(now, site));
        }
        effects.extend(self.keep_hours(now));
        self.add_up();
        effects
    }

    fn changed(&mut self, now: Timestamp, transition: Option<Transition>) -> Vec<Effect> {
        let Some(transition) = transition else { return Vec::new() };
        let id = transition.camera.clone();
        if let Some(camera) = self.cameras.get_mut(&id) {
            camera.stand(&transition);
        }
        let mut effects = vec![Effect::Camera(transition)];
        for site in self.sites_of.get(&id).cloned().unwrap_or_default() {
            effects.extend(self.evaluate(now, &site));
        }
        self.add_up();
        effects
    }

    /// Looks at one site anew and says what changed.
    fn evaluate(&mut self, now: Timestamp, id: &SiteId) -> Vec<Effect> {
        let Some(plan) = self.fleet.sites.get(id).cloned() else { return Vec::new() };
        let (level, views) = coverage::evaluate(&plan, |camera| self.state_of(camera));
        let Some(site) = self.sites.get_mut(id) else { return Vec::new() };
        let decision = site.watch.consider(now, &plan, level);
        let before = site.status.clone();
        let status = Arc::make_mut(&mut site.status);
        if status.level != level {
            status.level = level;
            status.since = now;
        }
        status.views = views;
        status.incident = site.watch.open().map(|alert| alert.incident.clone());
        let mut effects = Vec::new();
        if before.level != level || decision.is_some() {
            let alert = site.watch.open().cloned();
            effects.push(Effect::Site(SiteRecord { site: id.clone(), level, since: status.since, alert }));
        }
        if let Some(decision) = decision {
            effects.push(Effect::Notify(Box::new(self.notice(now, &plan, level, decision))));
        }
        effects
    }

    fn notice(&self, now: Timestamp, site: &Site, level: Level, decision: alert::Decision) -> Notice {
        let views = self.sites.get(&site.id).map_or(&[][..], |site| &site.status.views);
        let lost = views.iter().filter(|view| view.state == ViewState::Lost);
        let unwell: BTreeSet<&CameraId> = (site.views.iter())
            .flat_map(|view| &view.watchers)
            .map(|watcher| &watcher.camera)
            .filter(|camera| !self.state_of(camera).sees())
            .collect();
        let mut households = 0;
        let mut cameras = Vec::new();
        for id in unwell {
            let (Some(plan), Some(camera)) = (self.fleet.cameras.get(id), self.cameras.get(id)) else { continue };
            match plan.kind {
                Kind::Household => households += 1,
                Kind::Public => cameras.push(CameraLine {
                    name: plan.name.clone(),
                    state: camera.status.state,
                    cause: camera.status.cause,
                    since: camera.status.since,
                }),
            }
        }
        Notice {
            incident: decision.alert.incident,
            step: decision.alert.step,
            reason: decision.reason,
            site: site.id.clone(),
            site_name: site.name.clone(),
            hamlet: site.hamlet.clone(),
            level,
            views_lost: lost.map(|view| view.name.clone()).collect(),
            views_total: views.len(),
            since: decision.alert.since,
            at: now,
            cameras,
            households,
        }
    }

    fn state_of(&self, camera: &CameraId) -> State {
        self.cameras.get(camera).map_or(State::Unknown, |camera| camera.status.state)
    }

    fn add_up(&mut self) {
        self.coverage = coverage::total(self.sites.values().map(|site| site.status.views.as_slice()));
    }
}

impl WatchedCamera {
    fn new(machine: health::Machine, now: Timestamp) -> Self {
        let standing = machine.standing().clone();
        let unseen = CameraStatus::unseen(standing.state, standing.since);
        let status = Arc::new(CameraStatus { cause: standing.cause, detail: standing.detail, ..unseen });
        Self { machine, status, learned_at: now }
    }

    /// Takes in what was learned, and gives it back when it is to be remembered now: what restarts must not forget at
    /// once, averages now and then.
    fn learn(&mut self, now: Timestamp, memory: Memory) -> Option<Arc<Memory>> {
        let before = &self.status.memory;
        if **before == memory {
            return None;
        }
        let matters = before.login_good != memory.login_good
            || before.device != memory.device
            || before.stream != memory.stream
            || before.boots != memory.boots;
        let memory = Arc::new(memory);
        Arc::make_mut(&mut self.status).memory = memory.clone();
        if !matters && elapsed(now, self.learned_at) < LEARN_EVERY {
            return None;
        }
        self.learned_at = now;
        Some(memory)
    }

    fn take_in(&mut self, now: Timestamp, observation: Observation, failure: Option<Failure>) {
        let status = Arc::make_mut(&mut self.status);
        let kind = failure.as_ref().map(|failure| failure.kind);
        status.recent.truncate(RECENT - 1);
        status.recent.push_front(Seen {
            started: observation.started,
            check: observation.check,
            took: observation.took,
            bytes: observation.bytes,
            failure,
        });
        status.last_probe = Some(now);
        status.bytes = status.bytes.saturating_add(observation.bytes);
        *status.probes.entry((observation.check, kind)).or_default() += 1;
        if let Some(stream) = observation.stream {
            if stream.frames > 0 {
                status.last_media = Some(now);
            }
            status.stream = Some(stream);
        }
        if observation.device.is_some() {
            status.device = observation.device;
        }
        if observation.clock_offset_seconds.is_some() {
            status.clock_offset_seconds = observation.clock_offset_seconds;
        }
        let last =
            LastCheck { started: observation.started, took: observation.took, failure: kind, rungs: observation.rungs };
        status.last.insert(observation.check, last);
    }

    fn stand(&mut self, transition: &Transition) {
        let status = Arc::make_mut(&mut self.status);
        status.state = transition.to;
        status.cause = transition.cause;
        status.detail.clone_from(&transition.detail);
        status.since = transition.since;
        status.transitions += 1;
    }
}

impl WatchedSite {
    fn new(now: Timestamp) -> Self {
        Self::with(alert::Watch::default(), Level::Unknown, now)
    }

    fn restored(record: SiteRecord) -> Self {
        Self::with(alert::Watch::restored(record.alert), record.level, record.since)
    }

    fn with(watch: alert::Watch, level: Level, since: Timestamp) -> Self {
        let incident = watch.open().map(|alert| alert.incident.clone());
        Self { watch, status: Arc::new(SiteStatus { level, since, views: Vec::new(), incident }) }
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
