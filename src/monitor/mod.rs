//! The fleet: events in, effects out. The only module that joins health, coverage, topology and alert.
//!
//! [`Monitor::handle`] cannot fail and cannot wait: it knows no socket, clock, file or randomness. The same events at
//! the same times give the same effects. An event changes single things; [`Monitor::conclude`] then works out, in one
//! place and order, what follows for cameras, sites, incidents and people.

mod camera;
mod conclude;
mod event;
mod notices;
mod standing;

pub use event::{Effect, Event, Settings};

use crate::{
    alert, coverage, health,
    model::{
        AreaId, CameraId, Coverage, FailureKind, Fleet, Level, LinkId, LinkStatus, Memory, Observation, OnCall,
        Restored, SharedOutlooks, Site, SiteId, SiteRecord, SiteStatus, Snapshot, State, ViewStatus, Window, later,
        stream_address,
    },
    topology::{self, Topology},
};
use camera::WatchedCamera;
use jiff::Timestamp;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

/// How often stale cameras, windows, owners' hours and nightfall are looked for.
const SWEEP_EVERY: Duration = Duration::from_secs(5);

/// How often it is remembered who has proven to see. A restart believes a camera by so much less.
const PROOFS_EVERY: Duration = Duration::from_secs(60);

/// How often sites are looked at whose alarm waits for a verdict on a link.
const HELD_EVERY: Duration = Duration::from_secs(1);

/// What is known of the fleet.
#[derive(Debug)]
pub struct Monitor {
    fleet: Arc<Fleet>,
    settings: Settings,
    cameras: BTreeMap<CameraId, WatchedCamera>,
    sites: BTreeMap<SiteId, WatchedSite>,
    /// The sites that each camera has a part in.
    sites_of: BTreeMap<CameraId, Vec<SiteId>>,
    topology: Topology,
    book: alert::Book,
    /// Windows that people set.
    set_windows: Vec<Window>,
    /// All windows that are not over.
    windows: Arc<Vec<Window>>,
    /// Cameras that are out of service on purpose, since when and why.
    maintenance: BTreeMap<CameraId, (Timestamp, String)>,
    coverage: Coverage,
    hamlets: Arc<BTreeMap<String, Coverage>>,
    areas: Arc<BTreeMap<AreaId, Coverage>>,
    cut_off: Option<Timestamp>,
    night: bool,
    next_sweep: Timestamp,
    next_proofs: Timestamp,
    next_digest: Option<Timestamp>,
    /// Cameras, and sites, that the event at hand may have changed.
    touched: BTreeSet<CameraId>,
    stale: BTreeSet<SiteId>,
    /// Sites whose alarm waits for a verdict on a link.
    held: BTreeSet<SiteId>,
    /// When those are looked at again, if nothing happens before.
    held_until: Timestamp,
    effects: Vec<Effect>,
}

#[derive(Debug)]
struct WatchedSite {
    watch: alert::Watch,
    doubt: alert::Doubt,
    status: Arc<SiteStatus>,
}

impl Monitor {
    /// A monitor of `fleet` that remembers what an earlier run knew, and what follows where the configuration has
    /// changed since.
    pub fn new(fleet: Arc<Fleet>, settings: Settings, restored: Restored, now: Timestamp) -> (Self, Vec<Effect>) {
        let mut monitor = Self {
            topology: Topology::new(&fleet, &restored.links, now),
            book: alert::Book::restored(restored.incidents, restored.last_number),
            fleet: fleet.clone(),
            settings: settings.clone(),
            cameras: BTreeMap::new(),
            sites: BTreeMap::new(),
            sites_of: BTreeMap::new(),
            set_windows: restored.windows,
            windows: Arc::default(),
            maintenance: BTreeMap::new(),
            coverage: Coverage::default(),
            hamlets: Arc::default(),
            areas: Arc::default(),
            cut_off: None,
            night: false,
            next_sweep: later(now, SWEEP_EVERY),
            next_proofs: later(now, PROOFS_EVERY),
            next_digest: None,
            touched: BTreeSet::new(),
            stale: BTreeSet::new(),
            held: BTreeSet::new(),
            held_until: now,
            effects: Vec::new(),
        };
        // As on a reload: what was seen at another address proves nothing at this one.
        let moved = |id: &CameraId, memory: &Memory| {
            let camera = fleet.cameras.get(id);
            memory.place.is_some_and(|place| camera.is_some_and(|camera| place != camera::place(&camera.rtsp)))
        };
        let moved: BTreeSet<CameraId> =
            restored.memories.iter().filter(|(id, memory)| moved(id, memory)).map(|(id, _)| id.clone()).collect();
        for transition in restored.cameras {
            let Some(camera) = fleet.cameras.get(&transition.camera) else { continue };
            if moved.contains(&camera.id) {
                let mut watched = WatchedCamera::new(health::Machine::new(camera.id.clone(), camera.kind, now), now);
                Arc::make_mut(&mut watched.status).state = transition.to;
                monitor.cameras.insert(camera.id.clone(), watched);
                continue;
            }
            let (told, cause) = (transition.to, transition.cause);
            // What was laid over the camera's own state is laid over it again; below it nothing is known, unless it
            // was silent.
            let own = match told {
                State::Unreachable => State::Down,
                State::Maintenance => State::Unknown,
                own => own,
            };
            let standing = health::Standing { state: own, cause, detail: transition.detail, since: transition.since };
            let proven = restored.proofs.get(&camera.id).copied();
            let machine = health::Machine::restored(camera.id.clone(), camera.kind, standing, proven, now);
            let mut watched = WatchedCamera::new(machine, now);
            Arc::make_mut(&mut watched.status).state = told;
            monitor.cameras.insert(camera.id.clone(), watched);
        }
        for (id, memory) in restored.memories {
            let Some(camera) = fleet.cameras.get(&id).filter(|camera| !moved.contains(&camera.id)) else { continue };
            let watched = monitor
                .cameras
                .entry(id)
                .or_insert_with(|| WatchedCamera::new(health::Machine::new(camera.id.clone(), camera.kind, now), now));
            Arc::make_mut(&mut watched.status).memory = Arc::new(memory);
        }
        for record in restored.sites {
            monitor.sites.insert(record.site.clone(), WatchedSite::restored(record));
        }
        monitor.replan(now, fleet, settings);
        for (id, site) in &mut monitor.sites {
            site.doubt = alert::Doubt::restored(monitor.book.doubt_of(id).is_some());
        }
        monitor.missed_digest(now);
        let effects = monitor.conclude(now);
        (monitor, effects)
    }

    /// Takes in an event and says what follows.
    pub fn handle(&mut self, now: Timestamp, event: Event) -> Vec<Effect> {
        match event {
            Event::Probed(camera, observation) => self.probed(now, &camera, *observation),
            Event::Beacon(link, answers) => self.topology.beacon(now, &link, answers),
            Event::Acknowledge { incident, ack } => {
                self.book.acknowledge(&incident, ack, &self.settings.alert);
            }
            Event::Silence(window) => self.silence(now, window),
            Event::Unsilence(id) => self.unsilence(now, &id),
            Event::ChannelFailing { channel, error } => self.channel_failing(now, channel, error),
            Event::Tick => {}
            Event::Replanned(fleet, settings) => self.replan(now, fleet, *settings),
        }
        self.sweep(now);
        self.conclude(now)
    }

    /// When [`Event::Tick`] is due if nothing else happens.
    pub fn next_deadline(&self, now: Timestamp) -> Timestamp {
        let free = self.sites.iter().filter(|(id, _)| !self.held.contains(*id));
        let delays = free.filter_map(|(id, site)| site.deadline(now, self.fleet.sites.get(id)?));
        let held = (!self.held.is_empty()).then_some(self.held_until);
        let others = [self.topology.deadline(&self.settings.topology), self.book.deadline(), self.next_digest, held];
        delays.chain(others.into_iter().flatten()).fold(self.next_sweep, Timestamp::min)
    }

    /// The fleet as it stands.
    pub fn snapshot(&self, now: Timestamp) -> Snapshot {
        let mut incidents: Vec<_> = self.book.incidents().cloned().map(Arc::new).collect();
        incidents.sort_by_key(|incident| std::cmp::Reverse((incident.opened, incident.number)));
        Snapshot {
            at: now,
            fleet: self.fleet.clone(),
            cameras: self.cameras.iter().map(|(id, camera)| (id.clone(), camera.status.clone())).collect(),
            sites: self.sites.iter().map(|(id, site)| (id.clone(), site.status.clone())).collect(),
            coverage: self.coverage,
            hamlets: self.hamlets.clone(),
            areas: self.areas.clone(),
            links: self.link_statuses(),
            cut_off: self.cut_off,
            anchors: self.topology.anchors_answer(),
            incidents,
            windows: self.windows.clone(),
            on_call: self.on_call(now),
            outlooks: SharedOutlooks::default(),
        }
    }

    /// The open incident of a number or an id.
    pub fn open_incident(&self, name: &str) -> Option<&crate::model::Incident> {
        self.book.named(name)
    }

    /// Whether somebody set a window of this id that is not over.
    pub fn has_window(&self, id: &str) -> bool {
        self.set_windows.iter().any(|window| window.id == id)
    }

    /// How many windows people have set that are not over.
    pub fn windows_set(&self, now: Timestamp) -> usize {
        self.set_windows.iter().filter(|window| !window.is_over(now)).count()
    }

    /// Every link, counted in one pass over the cameras: a province has thousands of both.
    fn link_statuses(&self) -> BTreeMap<LinkId, LinkStatus> {
        let mut counts: BTreeMap<LinkId, (usize, usize)> = BTreeMap::new();
        for (id, camera) in &self.cameras {
            let Some(plan) = self.fleet.cameras.get(id) else { continue };
            for link in self.fleet.links_above(plan) {
                let (all, unreachable) = counts.entry(link).or_default();
                *all += 1;
                *unreachable += usize::from(camera.base == State::Unreachable);
            }
        }
        let status = |(id, link): (&LinkId, &crate::model::Link)| {
            let (state, since, beacon) = self.topology.status(&Some(id.clone()))?;
            let (cameras, unreachable) = counts.get(id).copied().unwrap_or_default();
            Some((id.clone(), LinkStatus { state, since, beacon, probe: link.probe.clone(), cameras, unreachable }))
        };
        self.fleet.links.iter().filter_map(status).collect()
    }

    fn on_call(&self, now: Timestamp) -> Vec<OnCall> {
        let (settings, zone) = (&self.settings.alert, &self.fleet.commune.timezone);
        let shift = |rotation: &alert::Rotation| {
            let shift = alert::roster::shifts(settings, rotation, now, zone, 1).pop()?;
            let name = settings.people.get(&shift.person).map_or_else(|| shift.person.to_string(), |p| p.name.clone());
            Some(OnCall { rotation: rotation.id.clone(), name, until: shift.until })
        };
        settings.rotations.iter().filter_map(shift).collect()
    }

    fn probed(&mut self, now: Timestamp, id: &CameraId, observation: Observation) {
        // A probe may come back for a camera that a reload took away.
        let (Some(camera), Some(plan)) = (self.cameras.get_mut(id), self.fleet.cameras.get(id)) else { return };
        // Or for one that a reload has moved: what was seen at the old address says nothing of the new one.
        if observation.started < camera.known_since {
            return;
        }
        let mut memory = (*camera.status.memory).clone();
        let measure = health::Measure {
            promise: &plan.promise,
            serial: plan.identity.serial.as_deref(),
            stream: &stream_address(&plan.rtsp),
            cause: camera.status.cause,
            settings: &self.settings.health,
        };
        let failure = health::judge(now, &observation, &mut memory, measure);
        if observation.proves() {
            memory.place = Some(camera::place(&plan.rtsp));
        }
        let was_silent = is_silent(camera.machine.standing().cause) && camera.machine.standing().state == State::Down;
        camera.machine.observe(now, &observation, failure.as_ref(), &self.settings.health);
        if let Some(memory) = camera.learn(now, memory) {
            self.effects.push(Effect::Learned(id.clone(), memory));
        }
        // Only what OPTIONS or video say is a witness of the network: ONVIF may be on another port, or off.
        let reach = match (observation.check, observation.failure.as_ref().map(|failure| failure.kind)) {
            (crate::model::Check::Device, _) | (_, Some(FailureKind::Unresolved | FailureKind::ProbeFailed)) => None,
            (_, kind) => Some(!is_silent(kind)),
        };
        let started = observation.started;
        camera.take_in(now, observation, failure);
        Arc::make_mut(&mut camera.status).reasoning = Some(camera.machine.reasoning(&self.settings.health));
        self.touched.insert(id.clone());
        let device = plan.device.clone();
        let change = match reach {
            None => return,
            Some(true) => self.topology.answered(now, &device),
            Some(false) => self.topology.silent(now, &device, started, was_silent),
        };
        self.follow(change);
        if self.shares_device(id) {
            let siblings = self.fleet.cameras.values().filter(|other| other.device == device);
            self.touched.extend(siblings.map(|camera| camera.id.clone()));
        }
    }

    /// Takes in what became of links.
    fn follow(&mut self, change: topology::Change) {
        for key in &change.turned {
            self.link_turned(key);
        }
        if !change.ask.is_empty() {
            self.effects.push(Effect::Ask(change.ask));
        }
    }

    fn link_turned(&mut self, key: &topology::Key) {
        self.touched.extend(self.topology.cameras_below(key).cloned());
        self.effects.extend(self.topology.record(key).map(Effect::Link));
    }

    fn shares_device(&self, id: &CameraId) -> bool {
        self.fleet.cameras.get(id).is_some_and(|camera| camera.device.as_str() != id.as_str())
    }

    fn replan(&mut self, now: Timestamp, fleet: Arc<Fleet>, settings: Settings) {
        self.settings = settings;
        self.sites_of.clear();
        for site in fleet.sites.values() {
            let cameras: BTreeSet<&CameraId> = site.watchers().map(|watcher| &watcher.camera).collect();
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
        self.topology.replan(&fleet, now);
        // An alert on a site that is gone is closed in the journal, so that it does not come back with the name.
        let gone: Vec<SiteId> = self.sites.keys().filter(|id| !fleet.sites.contains_key(*id)).cloned().collect();
        for id in gone {
            self.sites.remove(&id);
            let cut = alert::Cut { cause: crate::model::Cause::Site(id.clone()), since: now };
            self.book.site_turned(now, &id, &alert::Turn::Restored, cut);
            self.book.site_doubted(now, &id, alert::Doubted::NoMore);
            let (level, alert, ended) = (Level::Unknown, None, Vec::new());
            self.effects.push(Effect::Site(SiteRecord { site: id, level, since: now, alert, ended }));
        }
        for site in fleet.sites.keys() {
            self.sites.entry(site.clone()).or_insert_with(|| WatchedSite::new(now));
        }
        self.touched = fleet.cameras.keys().cloned().collect();
        self.stale = fleet.sites.keys().cloned().collect();
        self.next_sweep = now;
        self.plan_digest(now);
        self.sweep(now);
    }

    fn add_up(&mut self) {
        self.coverage = coverage::total(self.sites.values().map(|site| site.status.views.as_slice()));
        let mut hamlets: BTreeMap<String, Vec<&[ViewStatus]>> = BTreeMap::new();
        let mut areas: BTreeMap<&AreaId, Vec<&[ViewStatus]>> =
            self.fleet.areas.keys().map(|area| (area, Vec::new())).collect();
        for (id, site) in &self.sites {
            let Some(plan) = self.fleet.sites.get(id) else { continue };
            hamlets.entry(plan.hamlet.clone()).or_default().push(&site.status.views);
            for area in self.fleet.areas_up_from(plan.area.as_ref()) {
                areas.entry(area).or_default().push(&site.status.views);
            }
        }
        self.areas = Arc::new(areas.into_iter().map(|(area, views)| (area.clone(), coverage::total(views))).collect());
        self.hamlets = Arc::new(hamlets.into_iter().map(|(hamlet, views)| (hamlet, coverage::total(views))).collect());
    }
}

/// Whether nobody was there at all, as far as the network tells: who refuses is there.
fn is_silent(kind: Option<FailureKind>) -> bool {
    matches!(kind, Some(FailureKind::Timeout | FailureKind::Unreachable))
}

impl WatchedSite {
    fn new(now: Timestamp) -> Self {
        Self::with(alert::Watch::default(), Level::Unknown, now)
    }

    fn restored(record: SiteRecord) -> Self {
        Self::with(alert::Watch::restored(record.alert, record.ended), record.level, record.since)
    }

    /// When a delay runs out, if the site stays as it is.
    fn deadline(&self, now: Timestamp, plan: &Site) -> Option<Timestamp> {
        self.watch.deadline(now, plan).into_iter().chain(self.doubt.deadline()).min()
    }

    fn with(watch: alert::Watch, level: Level, since: Timestamp) -> Self {
        Self {
            watch,
            doubt: alert::Doubt::default(),
            status: Arc::new(SiteStatus { level, since, views: Vec::new(), incident: None, recovering: None }),
        }
    }
}

#[cfg(test)]
mod area_tests;
#[cfg(test)]
mod cause_tests;
#[cfg(test)]
mod tests;
