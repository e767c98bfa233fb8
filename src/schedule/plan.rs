//! The plan: which look is due next, after what the last ones found, and what holds it back.
//!
//! Pure. One look at a time on a camera, as many on a recorder as it serves; a failure is confirmed quickly, a camera
//! that is long dead is tried seldom. A look that is due waits for its owner's hours to end, for its login's gate, for
//! its budgets, and for its turn on each link above it.

mod outlooks;
mod queue;

use super::{
    Settings,
    bucket::Bucket,
    cadence::{self, Entry},
    gate::{Gates, Pass, fingerprint},
};
use crate::model::{
    Camera, CameraId, Check, DeviceId, FailureKind, Fleet, Held, LinkId, LoginRecord, elapsed, later, packed,
};
use jiff::{Timestamp, tz::TimeZone};
use queue::Queue;
use std::{collections::BTreeMap, sync::Arc, time::Duration};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const HOUR: Duration = Duration::from_secs(60 * 60);
/// How soon it is asked again whether an owner's hours or another login have ended.
const ASK_AGAIN: Duration = Duration::from_secs(5);
/// How soon it is asked again whether a worker has a place: each look at a stream takes about as long.
const PLACE: Duration = Duration::from_secs(1);
/// Looks at streams that may begin on a link at once, after a quiet time.
const LINK_BURST: f64 = 10.0;
/// What stays free of a reservation for the requests around the media.
const OVERHEAD: u64 = 16 * 1024;

/// What is due when.
///
/// Whoever performs it takes orders as long as there are any, and hands back how each went:
///
/// ```
/// use camhealth::model::{Camera, Commune, DailyHours, Device, FailureKind, Fleet, Language};
/// use camhealth::schedule::{Plan, Settings};
/// use jiff::{Timestamp, tz::TimeZone};
/// use std::sync::Arc;
///
/// let (name, timezone) = ("Hải Bình".to_owned(), TimeZone::fixed(jiff::tz::offset(7)));
/// let mut fleet = Fleet::empty(Commune { name, language: Language::Vi, timezone, night: DailyHours::NIGHT });
/// let camera = Camera::new("cho-01", "rtsp://10.20.1.7/sub".parse().expect("an address"));
/// fleet.devices.insert(camera.device.clone(), Device { sessions: 1, notes: None });
/// fleet.cameras.insert(camera.id.clone(), Arc::new(camera));
///
/// let second = |second: i64| Timestamp::from_second(1_790_000_000 + second).expect("a time in this century");
/// let mut plan = Plan::new(Settings::default(), &fleet, &[], second(0), 1);
/// let looks = (0..600).filter(|now| {
///     let Some(order) = plan.take(second(*now)) else { return false };
///     plan.finished(second(*now), &order, Some(FailureKind::Timeout), 300);
///     true
/// });
/// assert!(looks.count() < 30, "who is down is asked seldom");
/// ```
#[derive(Debug)]
pub struct Plan {
    settings: Settings,
    zone: TimeZone,
    entries: BTreeMap<CameraId, Entry>,
    devices: BTreeMap<DeviceId, DeviceEntry>,
    links: BTreeMap<LinkId, LinkEntry>,
    /// Cameras that are not being looked at, by the time at which to consider them next.
    queue: Queue,
    /// What was last told of each, and of which it is to be told anew.
    told: outlooks::Told,
    in_flight: usize,
    /// How many of them are long, and how many take a worker.
    long: usize,
    deep: usize,
    held: BTreeMap<Held, u64>,
    random: u64,
}

#[derive(Debug)]
struct DeviceEntry {
    sessions: usize,
    in_flight: usize,
    gates: Gates,
    cameras: Vec<CameraId>,
}

#[derive(Debug)]
struct LinkEntry {
    bytes: Option<Bucket>,
    pace: Bucket,
}

/// A look to perform.
#[derive(Debug, Clone)]
pub struct Order {
    /// Which camera.
    pub camera: Arc<Camera>,
    /// How deep.
    pub check: Check,
    /// Bytes of media after which it must end.
    pub byte_limit: u64,
    /// How much later it begins than it might have.
    pub delay: Duration,
    /// What it holds of the budgets.
    reserved: u64,
    /// Of these links', beside the camera's own.
    links: Arc<[LinkId]>,
}

impl Plan {
    /// A plan for `fleet` from `now` on; `logins` is how an earlier run left them, `seed` spreads the looks.
    pub fn new(settings: Settings, fleet: &Fleet, logins: &[LoginRecord], now: Timestamp, seed: u64) -> Self {
        let mut plan = Self {
            settings: settings.clone(),
            zone: fleet.commune.timezone.clone(),
            entries: BTreeMap::new(),
            devices: BTreeMap::new(),
            links: BTreeMap::new(),
            queue: Queue::default(),
            told: outlooks::Told::default(),
            in_flight: 0,
            long: 0,
            deep: 0,
            held: BTreeMap::new(),
            random: seed,
        };
        plan.replan(settings, fleet, now);
        for record in logins {
            if let Some(device) = plan.devices.get_mut(&record.device) {
                device.gates.restore(record);
            }
        }
        plan
    }

    /// Takes in a new configuration. What did not change keeps its due times, its budgets and its gates.
    pub fn replan(&mut self, settings: Settings, fleet: &Fleet, now: Timestamp) {
        let cadence_changed = self.settings != settings;
        self.settings = settings;
        self.zone = fleet.commune.timezone.clone();
        self.entries.retain(|id, _| fleet.cameras.contains_key(id));
        self.devices.retain(|id, _| fleet.devices.contains_key(id));
        self.links.retain(|id, _| fleet.links.contains_key(id));
        let mut cameras: BTreeMap<&DeviceId, Vec<&Camera>> = BTreeMap::new();
        for camera in fleet.cameras.values() {
            cameras.entry(&camera.device).or_default().push(camera);
        }
        for (id, device) in &fleet.devices {
            let cameras = cameras.remove(id).unwrap_or_default();
            let print = fingerprint(cameras.iter().copied());
            let entry = self.devices.entry(id.clone());
            let entry = entry.or_insert_with(|| DeviceEntry {
                sessions: device.sessions,
                in_flight: 0,
                gates: Gates::new(id.clone(), print),
                cameras: Vec::new(),
            });
            entry.sessions = device.sessions;
            entry.cameras = cameras.into_iter().map(|camera| camera.id.clone()).collect();
            entry.gates.configure(print);
        }
        for (id, link) in &fleet.links {
            let pace = Bucket::paced(link.looks_per_second, LINK_BURST.max(link.looks_per_second), now);
            let bytes = link.bytes_per_day.map(|limit| Bucket::new(limit, DAY, now));
            let entry = self.links.entry(id.clone());
            let entry = entry.or_insert_with(|| LinkEntry { bytes: bytes.clone(), pace: pace.clone() });
            entry.pace.resize(pace, now);
            match (&mut entry.bytes, bytes) {
                (Some(old), Some(new)) => old.resize(new, now),
                (old, new) => *old = new,
            }
        }
        for (id, camera) in &fleet.cameras {
            if let Some(entry) = self.entries.get_mut(id) {
                // A link may hang on another now.
                entry.links = fleet.links_above(camera).into();
            }
            let known = self.entries.get_mut(id);
            if let Some(entry) = known.filter(|entry| entry.camera == *camera || entry.camera.is_looked_at_like(camera))
                && !cadence_changed
            {
                entry.camera = camera.clone();
                continue;
            }
            let known = self.entries.get(id);
            let in_flight = known.is_some_and(|entry| entry.in_flight);
            let cadence = self.settings.cadence(camera.kind);
            let bytes = Bucket::new(camera.bytes_per_day.unwrap_or(cadence.bytes_per_day), DAY, now);
            let looks = Bucket::new(cadence.looks_per_hour, HOUR, now);
            let (mut old_bytes, mut old_looks) = (bytes.clone(), looks.clone());
            if let Some(known) = known {
                (old_bytes, old_looks) = (known.bytes.clone(), known.looks.clone());
                old_bytes.resize(bytes, now);
                old_looks.resize(looks, now);
            }
            let due = cadence::first_looks(camera, &self.settings, fleet.cameras.len(), now, || self.random.unit());
            let links = fleet.links_above(camera).into();
            let entry = Entry::new(camera.clone(), links, due, in_flight, (old_bytes, old_looks));
            self.entries.insert(id.clone(), entry);
        }
        packed(&mut self.devices);
        packed(&mut self.entries);
        self.queue = Queue::default();
        let idle = self.entries.iter().filter(|(_, entry)| !entry.in_flight);
        for (id, entry) in idle {
            self.queue.set(id, self.due(entry, now));
        }
        self.told = outlooks::Told::of(self.entries.keys());
    }

    /// Takes the next look that is due and allowed, and counts it as under way.
    pub fn take(&mut self, now: Timestamp) -> Option<Order> {
        while self.in_flight < self.settings.concurrency {
            let (due, id) = self.queue.due(now)?;
            if self.device_of(&id).is_none_or(|device| device.in_flight >= device.sessions) {
                // It is considered again when the device has answered somebody else.
                self.queue.park(&id);
                continue;
            }
            if let Some(check) = self.deepest_due(&id, now) {
                self.queue.set(&id, None);
                return self.hand_out(&id, check, (now, due));
            }
            // Something holds back what was due; it is considered again when that may have ended.
            let Some(entry) = self.entries.get(&id) else { continue };
            let (held, due) = (self.holds(entry, now), self.due(entry, now));
            self.queue.set(&id, due.map(|due| due.max(later(now, Duration::from_millis(1)))));
            self.told.changed(&id);
            let Some(entry) = self.entries.get_mut(&id) else { continue };
            let before = std::mem::replace(&mut entry.held, held);
            if let Some(held) = held.filter(|held| before != Some(*held)) {
                *self.held.entry(held).or_default() += 1;
            }
        }
        None
    }

    fn hand_out(&mut self, id: &CameraId, check: Check, (now, due): (Timestamp, Timestamp)) -> Option<Order> {
        let (most, _) = cadence::cost(check);
        let entry = self.entries.get(id)?;
        let links = entry.links.clone();
        let left = |bucket: &Bucket| bucket.level_at(now).max(0.0) as u64;
        let of_links = links.iter().filter_map(|link| self.links.get(link)?.bytes.as_ref().map(left));
        let reserved = of_links.chain([left(&entry.bytes), most]).min().unwrap_or(most);
        let entry = self.entries.get_mut(id)?;
        entry.in_flight = true;
        entry.held = None;
        entry.bytes.spend(now, reserved as f64);
        entry.looks.spend(now, 1.0);
        let camera = entry.camera.clone();
        for link in links.iter() {
            let Some(link) = self.links.get_mut(link) else { continue };
            if let Some(bytes) = &mut link.bytes {
                bytes.spend(now, reserved as f64);
            }
            if check != Check::Liveness {
                link.pace.spend(now, 1.0);
            }
        }
        self.in_flight += 1;
        self.long += usize::from(check == Check::Survey);
        self.deep += usize::from(check != Check::Liveness);
        if let Some(device) = self.devices.get_mut(&camera.device) {
            device.in_flight += 1;
            device.gates.begin(check);
        }
        self.told.changed(id);
        let delay = elapsed(now, due);
        Some(Order { camera, check, byte_limit: reserved.saturating_sub(OVERHEAD), delay, reserved, links })
    }

    /// Makes a cheap look at each of these cameras due now, for its word on the network. Budgets, gates and links hold
    /// it back as they do any other.
    pub fn hasten(&mut self, cameras: &[CameraId], now: Timestamp) {
        for id in cameras {
            let Some(entry) = self.entries.get_mut(id) else { continue };
            entry.hasten(now);
            let Some(entry) = self.entries.get(id).filter(|entry| !entry.in_flight) else { continue };
            self.queue.set(id, self.due(entry, now));
            self.told.changed(id);
        }
    }

    /// When to ask again with [`Self::take`]. Looks that wait for another to finish have no time of their own.
    pub fn wake_at(&self, now: Timestamp) -> Option<Timestamp> {
        self.queue.next(now).filter(|_| self.in_flight < self.settings.concurrency)
    }

    /// How late the most overdue look is.
    pub fn lag(&self, now: Timestamp) -> Duration {
        self.queue.first().map_or(Duration::ZERO, |due| elapsed(now, due))
    }

    /// Takes in what a look found and how many bytes it moved; what is to be remembered of the login. The order may
    /// be of a configuration that a reload has replaced meanwhile.
    pub fn finished(
        &mut self,
        now: Timestamp,
        order: &Order,
        failure: Option<FailureKind>,
        bytes: u64,
    ) -> Option<LoginRecord> {
        let Order { camera, check, reserved, links, .. } = order;
        self.in_flight = self.in_flight.saturating_sub(1);
        self.long = self.long.saturating_sub(usize::from(*check == Check::Survey));
        self.deep = self.deep.saturating_sub(usize::from(*check != Check::Liveness));
        let unused = *reserved as f64 - bytes as f64;
        for link in links.iter() {
            if let Some(bucket) = self.links.get_mut(link).and_then(|link| link.bytes.as_mut()) {
                bucket.give_back(now, unused);
            }
        }
        let known = self.entries.get(&camera.id).is_some_and(|entry| entry.camera.is_looked_at_like(camera));
        let mut remember = None;
        if let Some(device) = self.devices.get_mut(&camera.device) {
            device.in_flight = device.in_flight.saturating_sub(1);
            // Where the configuration names no login, none was rejected.
            let tried = camera.login.is_some() || !failure.is_some_and(FailureKind::refuses_login);
            let retry_after = self.settings.auth_retry_after;
            remember = device.gates.finished(now, *check, failure, retry_after, known && tried);
            for channel in &device.cameras {
                self.queue.unpark(channel);
                self.told.changed(channel);
            }
        }
        let Some(entry) = self.entries.get_mut(&camera.id) else { return remember };
        entry.in_flight = false;
        entry.bytes.give_back(now, unused);
        if known {
            let random = &mut self.random;
            cadence::after(now, entry, *check, failure, &self.settings, || random.unit());
        }
        if let Some(entry) = self.entries.get(&camera.id) {
            self.queue.set(&camera.id, self.due(entry, now));
        }
        self.told.changed(&camera.id);
        remember
    }

    /// When the entry is to be considered next.
    fn due(&self, entry: &Entry, now: Timestamp) -> Option<Timestamp> {
        let times = Check::ALL.into_iter().filter_map(|check| match self.allowed_at(entry, check, now) {
            Ok(at) => Some(at),
            Err(Some((at, _))) => Some(at),
            Err(None) => None,
        });
        times.min()
    }

    /// What holds back the deepest look that is due, if anything does.
    fn holds(&self, entry: &Entry, now: Timestamp) -> Option<Held> {
        let due = [Check::Survey, Check::Stream, Check::Device, Check::Liveness];
        let due = due.into_iter().filter(|check| entry.due_at(*check).is_some_and(|at| at <= now));
        due.filter_map(|check| self.held_by(entry, check, now)).map(|(_, held)| held).next()
    }

    /// When a look may begin: at its time; or later, or never (`Err(None)`), as long as something holds it back.
    fn allowed_at(&self, entry: &Entry, check: Check, now: Timestamp) -> Result<Timestamp, Option<(Timestamp, Held)>> {
        let due = entry.due_at(check).ok_or(None)?;
        match self.held_by(entry, check, now.max(due)) {
            None => Ok(due),
            Some((Some(at), held)) if at > due => Err(Some((at, held))),
            Some((Some(_), _)) => Ok(due),
            Some((None, _)) => Err(None),
        }
    }

    /// What would hold a look back at `at`, and until when at least.
    fn held_by(&self, entry: &Entry, check: Check, at: Timestamp) -> Option<(Option<Timestamp>, Held)> {
        let camera = &entry.camera;
        if let Some(consent) = camera.consent.as_ref().filter(|consent| !consent.holds(at, &self.zone)) {
            // One that has ended is given anew by a new configuration.
            let begins = Some(consent.begins(&self.zone)).filter(|begins| *begins > at);
            return Some((begins, Held::NoConsent));
        }
        if camera.in_off_hours(at, &self.zone) {
            return Some((Some(later(at, ASK_AGAIN)), Held::OwnerHours));
        }
        // Where short looks would prove nothing, a long one stands for them and waits for nobody.
        if check == Check::Survey && self.long >= self.settings.long_looks() && !entry.only_long_looks() {
            return Some((Some(later(at, ASK_AGAIN)), Held::LongLooks));
        }
        if check != Check::Liveness && self.deep >= self.settings.places.max(1) {
            return Some((Some(later(at, PLACE)), Held::Workers));
        }
        match self.devices.get(&camera.device)?.gates.pass(check, at) {
            Pass::Now => {}
            Pass::At(until) => return Some((Some(until), Held::LoginRejected)),
            Pass::Busy => return Some((Some(later(at, Duration::from_millis(200))), Held::LoginUnproven)),
            Pass::Never => return Some((None, Held::LoginRejected)),
        }
        let (_, least) = cadence::cost(check);
        let late = |bucket: &Bucket, amount: f64, held: Held| {
            let ready = bucket.ready_at(at, amount);
            (ready > at).then_some((Some(ready), held))
        };
        late(&entry.looks, 1.0, Held::CameraLooks)
            .or_else(|| late(&entry.bytes, least as f64, Held::CameraBytes))
            .or_else(|| {
                entry.links.iter().filter_map(|link| self.links.get(link)).find_map(|link| {
                    let bytes = link.bytes.as_ref().and_then(|bytes| late(bytes, least as f64, Held::LinkBytes));
                    bytes.or_else(|| (check != Check::Liveness).then(|| late(&link.pace, 1.0, Held::LinkRate))?)
                })
            })
    }

    /// A look at the stream climbs the rungs of liveness too, so it stands for both.
    fn deepest_due(&self, id: &CameraId, now: Timestamp) -> Option<Check> {
        let entry = self.entries.get(id)?;
        let due = |check: &Check| self.allowed_at(entry, *check, now).is_ok_and(|at| at <= now);
        [Check::Survey, Check::Stream, Check::Liveness, Check::Device].into_iter().find(due)
    }

    fn device_of(&self, id: &CameraId) -> Option<&DeviceEntry> {
        self.devices.get(&self.entries.get(id)?.camera.device)
    }
}

/// Numbers that look random and follow from a seed.
trait Unit {
    /// The next number from 0 to 1.
    fn unit(&mut self) -> f64;
}

impl Unit for u64 {
    /// SplitMix64, by Steele, Lea and Flood.
    fn unit(&mut self) -> f64 {
        *self = self.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = *self;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
