//! The fleet: events in, effects out. The only module that joins health, coverage, topology and alert.
//!
//! [`Monitor::handle`] cannot fail and cannot wait: it knows no socket, clock, file or randomness. The same events at
//! the same times give the same effects. An event changes single things; [`Monitor::conclude`] then works out, in one
//! place and order, what follows for cameras, sites, incidents and people.

mod asked;
mod camera;
mod conclude;
mod deadlines;
mod event;
mod exercises;
mod notices;
mod passing;
mod shown;
mod sightings;
mod standing;
mod turns;

pub use event::{Effect, Event, Settings};

use crate::{
    alert, health,
    model::{
        Branch, CameraId, FailureKind, Fleet, Level, LinkStatus, Memory, OnCall, Restored, SharedOutlooks, Site,
        SiteId, SiteRecord, SiteStatus, Snapshot, State, Window, packed,
    },
    topology::{self, Topology},
};
use camera::WatchedCamera;
use deadlines::Deadlines;
use jiff::Timestamp;
use passing::Passing;
use shown::Shown;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

/// How often sites are looked at whose alarm waits for a verdict on a link, beside when that comes.
const HELD_EVERY: Duration = Duration::from_secs(1);

/// What is known of the fleet.
///
/// ```
/// use camhealth::model::{Camera, Check, Commune, DailyHours, Detail, Failure, FailureKind, Fleet, Language, Observation, Sighting, State};
/// use camhealth::monitor::{Effect, Event, Monitor, Settings};
/// use jiff::{Timestamp, tz::TimeZone};
/// use std::sync::Arc;
///
/// let (name, timezone) = ("Hải Bình".to_owned(), TimeZone::fixed(jiff::tz::offset(7)));
/// let mut fleet = Fleet::empty(Commune { name, language: Language::Vi, timezone, night: DailyHours::NIGHT });
/// let camera = Camera::new("cho-01", "rtsp://10.20.1.7/sub".parse().expect("an address"));
/// fleet.cameras.insert(camera.id.clone(), Arc::new(camera));
///
/// let second = |second: i64| Timestamp::from_second(1_790_000_000 + second).expect("a time in this century");
/// let (mut monitor, _) = Monitor::new(Arc::new(fleet), Settings::default(), Default::default(), second(0));
/// let mut fell = Vec::new();
/// for look in 1..=3 {
///     let at = second(10 * look);
///     let failure = Some(Failure::new(FailureKind::Refused, Detail::plain("the port is closed")));
///     let observation = Observation { failure, ..Observation::new(Check::Liveness, at) };
///     for effect in monitor.handle(at, Event::Seen(Sighting::own("cho-01".into(), Box::new(observation)))) {
///         if let Effect::Camera(transition) = effect {
///             fell.push((look, transition.to));
///         }
///     }
/// }
/// assert_eq!(fell, [(3, State::Down)], "three looks confirm it, and the shell is told to remember it once");
/// ```
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
    cut_off: Option<Timestamp>,
    night: bool,
    /// What only time changes.
    passing: Passing,
    next_digest: Option<Timestamp>,
    /// What was told of shifts.
    shifts: turns::Shifts,
    exercises: exercises::Exercises,
    /// Cameras, and sites, that the event at hand may have changed.
    touched: BTreeSet<CameraId>,
    stale: BTreeSet<SiteId>,
    /// When each site is to be looked at again, if nothing happens before.
    deadlines: Deadlines<SiteId>,
    /// Sites whose alarm waits for a verdict, by the link that it is awaited of.
    held: BTreeMap<Branch, BTreeSet<SiteId>>,
    /// What the last snapshot showed, and the cameras and sites that the next one shows anew.
    shown: Shown,
    cameras_to_show: BTreeSet<CameraId>,
    sites_to_show: BTreeSet<SiteId>,
    effects: Vec<Effect>,
}

#[derive(Debug)]
struct WatchedSite {
    damper: alert::Damper,
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
            cut_off: None,
            night: false,
            passing: Passing::new(now),
            next_digest: None,
            shifts: turns::Shifts::default(),
            exercises: exercises::Exercises { last: restored.drilled, next: None },
            touched: BTreeSet::new(),
            stale: BTreeSet::new(),
            deadlines: Deadlines::default(),
            held: BTreeMap::new(),
            shown: Shown::default(),
            cameras_to_show: BTreeSet::new(),
            sites_to_show: BTreeSet::new(),
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
        self.follow(now);
        match event {
            Event::Seen(sighting) => self.saw(now, sighting),
            Event::ObserverLost(link, heard) => self.observer_lost(now, link, heard),
            Event::Heard(voice, answers) => self.topology.heard(now, &voice, answers),
            Event::Acknowledge { incident, ack } => {
                self.book.acknowledge(&incident, ack, &self.settings.alert);
            }
            Event::Respond { incident, ack } => self.book.respond(&incident, &ack),
            Event::Overdue(incident, overdue) => self.book.overdue(now, &incident, &overdue),
            Event::PassOn { incident, step } => self.book.pass_on(now, &incident, step, &self.settings.alert),
            Event::Drill(site) => self.drill(now, site),
            Event::Silence(window) => self.silence(now, window),
            Event::Unsilence(id) => self.unsilence(now, &id),
            Event::ChannelFailing { channel, error } => self.channel_failing(now, channel, error),
            Event::Note { id, note, to } => self.note(now, id, note, to),
            Event::Tick => {}
            Event::Replanned(fleet, settings) => self.replan(now, fleet, *settings),
        }
        self.pass(now);
        self.conclude(now)
    }

    /// When [`Event::Tick`] is due if nothing else happens.
    pub fn next_deadline(&self) -> Timestamp {
        let topology = self.topology.deadline(&self.settings.topology);
        let planned = [self.next_digest, self.shifts.next, self.exercises.next];
        let all = [topology, self.book.deadline(), self.deadlines.first()].into_iter().chain(planned);
        all.flatten().fold(self.passing.deadline(), Timestamp::min)
    }

    /// The fleet as it stands. Costs what changed since the last snapshot, whatever the fleet.
    pub fn snapshot(&mut self, now: Timestamp) -> Snapshot {
        for id in std::mem::take(&mut self.cameras_to_show) {
            if let (Some(camera), Some(plan)) = (self.cameras.get_mut(&id), self.fleet.cameras.get(&id)) {
                self.shown.camera(&self.fleet, plan, &mut camera.status, camera.base);
            }
        }
        for id in std::mem::take(&mut self.sites_to_show) {
            if let (Some(site), Some(plan)) = (self.sites.get_mut(&id), self.fleet.sites.get(&id)) {
                self.shown.site(&self.fleet, plan, &mut site.status);
            }
        }
        self.show_links();
        if self.book.take_changed() {
            let mut incidents: Vec<_> = self.book.incidents().cloned().collect();
            incidents.sort_by_key(|incident| std::cmp::Reverse((incident.opened, incident.number)));
            self.shown.incidents = Arc::new(incidents);
        }
        self.show_on_call(now);
        Snapshot {
            at: now,
            fleet: self.fleet.clone(),
            cameras: self.shown.cameras.clone(),
            sites: self.shown.sites.clone(),
            counts: self.shown.counts,
            coverage: self.shown.coverage(),
            hamlets: self.shown.hamlets.clone(),
            areas: self.shown.areas.clone(),
            links: self.shown.links.clone(),
            agents: imbl::OrdMap::new(),
            cut_off: self.cut_off,
            anchors: self.topology.anchors_answer(),
            incidents: self.shown.incidents.clone(),
            windows: self.windows.clone(),
            on_call: self.shown.on_call.clone(),
            outlooks: SharedOutlooks::default(),
        }
    }

    /// Shows the links that turned, or of which other cameras are out of reach.
    fn show_links(&mut self) {
        let turned = self.topology.take_changed().into_iter().filter_map(|branch| match branch {
            Branch::Link(link) => Some(link),
            Branch::Commune => None,
        });
        for id in turned.chain(self.shown.take_counted()).collect::<BTreeSet<_>>() {
            let Some(link) = self.fleet.links.get(&id) else { continue };
            let Some((state, since, beacon)) = self.topology.status(&Branch::Link(id.clone())) else { continue };
            let (cameras, unreachable) = self.shown.below(&id);
            let status = LinkStatus { state, since, beacon, probe: link.probe.clone(), cameras, unreachable };
            self.shown.links.insert(id, status);
        }
    }

    /// Shows who is on call, as long as that holds.
    fn show_on_call(&mut self, now: Timestamp) {
        if self.shown.on_call_holds.is_some_and(|(from, until)| from <= now && now < until) {
            return;
        }
        let (settings, zone) = (&self.settings.alert, &self.fleet.commune.timezone);
        let shift = |rotation: &alert::Rotation| {
            let shift = alert::roster::shifts(settings, rotation, now, zone, 1).pop()?;
            let name = settings.people.get(&shift.person).map_or_else(|| shift.person.to_string(), |p| p.name.clone());
            Some(OnCall { rotation: rotation.id.clone(), name, until: shift.until })
        };
        let on_call: Vec<OnCall> = settings.rotations.iter().filter_map(shift).collect();
        let until = on_call.iter().map(|shift| shift.until).min().unwrap_or(Timestamp::MAX);
        (self.shown.on_call, self.shown.on_call_holds) = (Arc::new(on_call), Some((now, until)));
    }

    /// Takes in what became of links.
    fn take_turns(&mut self, change: topology::Change) {
        for key in &change.cleared {
            self.stale.extend(self.held.remove(key).into_iter().flatten());
        }
        for key in &change.turned {
            self.link_turned(key);
        }
        if !change.ask.is_empty() {
            self.effects.push(Effect::Ask(change.ask));
        }
    }

    fn link_turned(&mut self, key: &Branch) {
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
        packed(&mut self.cameras);
        self.topology.replan(&fleet, now);
        // An alert on a site that is gone is closed in the journal, so that it does not come back with the name.
        let gone: Vec<SiteId> = self.sites.keys().filter(|id| !fleet.sites.contains_key(*id)).cloned().collect();
        for id in gone {
            self.sites.remove(&id);
            let cut = alert::Cut { cause: crate::model::Cause::Site(id.clone()), since: now };
            self.book.site_turned(now, &id, &alert::Change::Restored, cut);
            self.book.site_doubted(now, &id, alert::Doubted::NoMore);
            let (level, alert, ended) = (Level::Unknown, None, Vec::new());
            self.effects.push(Effect::Site(SiteRecord { site: id, level, since: now, alert, ended }));
        }
        for site in fleet.sites.keys() {
            self.sites.entry(site.clone()).or_insert_with(|| WatchedSite::new(now));
        }
        self.touched = fleet.cameras.keys().cloned().collect();
        self.stale = fleet.sites.keys().cloned().collect();
        self.deadlines.clear();
        self.held.clear();
        self.shown = Shown::new(&self.fleet, &self.shown);
        self.plan_digest(now);
        self.shifts.next = None;
        self.pass_anew(now);
    }
}

/// Whether nobody was there at all, as far as the network tells: who refuses is there.
fn is_silent(kind: Option<FailureKind>) -> bool {
    matches!(kind, Some(FailureKind::Timeout | FailureKind::Unreachable))
}

impl WatchedSite {
    fn new(now: Timestamp) -> Self {
        Self::with(alert::Damper::default(), Level::Unknown, now)
    }

    fn restored(record: SiteRecord) -> Self {
        Self::with(alert::Damper::restored(record.alert, record.ended), record.level, record.since)
    }

    /// When a delay runs out, if the site stays as it is.
    fn deadline(&self, plan: &Site) -> Option<Timestamp> {
        self.damper.deadline(plan).into_iter().chain(self.doubt.deadline()).min()
    }

    fn with(damper: alert::Damper, level: Level, since: Timestamp) -> Self {
        Self {
            damper,
            doubt: alert::Doubt::default(),
            status: Arc::new(SiteStatus {
                revision: 0,
                level,
                since,
                views: Vec::new(),
                incident: None,
                recovering: None,
            }),
        }
    }
}

#[cfg(test)]
mod area_tests;
#[cfg(test)]
mod cause_tests;
#[cfg(test)]
mod passing_tests;
#[cfg(test)]
mod sightings_tests;
#[cfg(test)]
mod tests;
