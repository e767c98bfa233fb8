//! The plan: which look is due next, after what the last ones found.
//!
//! Pure. One look at a time on a camera, as many on a recorder as it serves; a failure is confirmed quickly, a camera
//! that is long dead is tried seldom, and a login that was rejected is tried once more after the usual lockout has
//! passed, then not again until the configuration changes.

use super::Settings;
use crate::model::{Camera, CameraId, Check, DeviceId, FailureKind, Fleet, Weight, elapsed, later};
use jiff::Timestamp;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

/// Failed looks that are repeated quickly; after them the camera is taken for down.
const CONFIRMATIONS: u32 = 4;
/// First looks after a start are spread over this time.
const START_SPREAD: Duration = Duration::from_secs(15);
/// A stale session holds a camera's slot for about a minute (live555's default): no new try inside it.
const SESSION_HELD: Duration = Duration::from_secs(65);

/// What is due when.
#[derive(Debug)]
pub struct Plan {
    settings: Settings,
    entries: BTreeMap<CameraId, Entry>,
    devices: BTreeMap<DeviceId, DeviceEntry>,
    /// Cameras that are not being looked at, by their next due time.
    queue: BTreeSet<(Timestamp, CameraId)>,
    in_flight: usize,
    random: u64,
}

#[derive(Debug)]
struct Entry {
    camera: Arc<Camera>,
    due: BTreeMap<Check, Timestamp>,
    in_flight: bool,
    /// Failed looks in a row.
    failures: u32,
    /// The last look failed on a rung that `OPTIONS` climbs, so that cheap looks suffice until it answers.
    out_of_reach: bool,
}

#[derive(Debug)]
struct DeviceEntry {
    sessions: usize,
    in_flight: usize,
    /// Of the login over RTSP. While it is open ONVIF is not tried either, since makes count failures by address.
    rtsp: Breaker,
    /// Of the login over ONVIF alone: many makes keep its users apart, so RTSP may be well when it is not.
    onvif: Breaker,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Breaker {
    Closed,
    /// Rejected once.
    OpenUntil(Timestamp),
    /// Rejected twice: only a change of the configuration helps.
    Open,
}

impl Plan {
    /// A plan for `fleet` from `now` on; `seed` spreads the looks.
    pub fn new(settings: Settings, fleet: &Fleet, now: Timestamp, seed: u64) -> Self {
        let mut plan = Self {
            settings: settings.clone(),
            entries: BTreeMap::new(),
            devices: BTreeMap::new(),
            queue: BTreeSet::new(),
            in_flight: 0,
            random: seed,
        };
        plan.replan(settings, fleet, now);
        plan
    }

    /// Takes in a new configuration. What did not change keeps its due times and its breaker.
    pub fn replan(&mut self, settings: Settings, fleet: &Fleet, now: Timestamp) {
        let cadence_changed = self.settings != settings;
        self.settings = settings;
        self.entries.retain(|id, _| fleet.cameras.contains_key(id));
        self.devices.retain(|id, _| fleet.devices.contains_key(id));
        for (id, device) in &fleet.devices {
            let entry = self.devices.entry(id.clone());
            let entry = entry.or_insert(DeviceEntry {
                sessions: device.sessions,
                in_flight: 0,
                rtsp: Breaker::Closed,
                onvif: Breaker::Closed,
            });
            entry.sessions = device.sessions;
        }
        for (id, camera) in &fleet.cameras {
            let known = self.entries.get(id);
            if known.is_some_and(|entry| entry.camera == *camera) && !cadence_changed {
                continue;
            }
            if known.is_none_or(|entry| entry.camera.login != camera.login || entry.camera.rtsp != camera.rtsp)
                && let Some(device) = self.devices.get_mut(&camera.device)
            {
                device.rtsp = Breaker::Closed;
                device.onvif = Breaker::Closed;
            }
            let in_flight = known.is_some_and(|entry| entry.in_flight);
            let entry = self.first_looks(camera.clone(), in_flight, now);
            self.entries.insert(id.clone(), entry);
        }
        self.queue = (self.entries.iter())
            .filter(|(_, entry)| !entry.in_flight)
            .filter_map(|(id, entry)| Some((self.due(entry)?, id.clone())))
            .collect();
    }

    /// Takes the next look that is due and allowed, and counts it as under way.
    pub fn take(&mut self, now: Timestamp) -> Option<(Arc<Camera>, Check)> {
        while self.in_flight < self.settings.concurrency {
            let due = self.queue.iter().take_while(|(due, _)| *due <= now);
            let free = |(_, id): &&(Timestamp, CameraId)| {
                self.device_of(id).is_some_and(|device| device.in_flight < device.sessions)
            };
            let key = due.into_iter().find(free)?.clone();
            self.queue.remove(&key);
            let id = key.1;
            if let Some(check) = self.deepest_due(&id, now) {
                return self.hand_out(&id, check);
            }
            // Another channel of its recorder had the login rejected meanwhile: it is due later than it was queued for.
            if let Some(due) = self.entries.get(&id).and_then(|entry| self.due(entry)) {
                self.queue.insert((due, id));
            }
        }
        None
    }

    fn hand_out(&mut self, id: &CameraId, check: Check) -> Option<(Arc<Camera>, Check)> {
        let entry = self.entries.get_mut(id)?;
        entry.in_flight = true;
        self.in_flight += 1;
        let camera = entry.camera.clone();
        if let Some(device) = self.devices.get_mut(&camera.device) {
            device.in_flight += 1;
        }
        Some((camera, check))
    }

    /// When to ask again with [`Self::take`]. Looks that wait for another to finish have no time of their own.
    pub fn wake_at(&self, now: Timestamp) -> Option<Timestamp> {
        let later = self.queue.iter().map(|(due, _)| *due).find(|due| *due > now);
        later.filter(|_| self.in_flight < self.settings.concurrency)
    }

    /// How late the most overdue look is.
    pub fn lag(&self, now: Timestamp) -> Duration {
        self.queue.first().map_or(Duration::ZERO, |(due, _)| elapsed(now, *due))
    }

    /// Takes in what a look found. `camera` is what was handed out: a reload may have replaced it meanwhile.
    pub fn finished(&mut self, now: Timestamp, camera: &Camera, check: Check, failure: Option<FailureKind>) {
        self.in_flight = self.in_flight.saturating_sub(1);
        if let Some(device) = self.devices.get_mut(&camera.device) {
            device.in_flight = device.in_flight.saturating_sub(1);
        }
        let Some(mut entry) = self.entries.remove(&camera.id) else { return };
        entry.in_flight = false;
        if *entry.camera == *camera {
            self.judge_login(now, camera, check, failure);
            self.set_due(now, &mut entry, check, failure);
        }
        if let Some(due) = self.due(&entry) {
            self.queue.insert((due, camera.id.clone()));
        }
        self.entries.insert(camera.id.clone(), entry);
    }

    fn judge_login(&mut self, now: Timestamp, camera: &Camera, check: Check, failure: Option<FailureKind>) {
        let retry_after = self.settings.auth_retry_after;
        let Some(device) = self.devices.get_mut(&camera.device) else { return };
        let breaker = match check {
            Check::Liveness => return,
            Check::Stream => &mut device.rtsp,
            Check::Device => &mut device.onvif,
        };
        if failure == Some(FailureKind::Auth) {
            *breaker = match breaker {
                Breaker::Closed => Breaker::OpenUntil(later(now, retry_after)),
                _ => Breaker::Open,
            };
        } else if failure.is_none() {
            *breaker = Breaker::Closed;
        }
    }

    fn set_due(&mut self, now: Timestamp, entry: &mut Entry, check: Check, failure: Option<FailureKind>) {
        let cadence = self.settings.cadence(entry.camera.kind).clone();
        if check == Check::Device {
            let due = later(now, self.jittered(cadence.device));
            entry.due.insert(Check::Device, due);
            return;
        }
        let fails = failure.filter(|kind| kind.weight() == Weight::Fails && *kind != FailureKind::Auth);
        let was_failing = entry.failures > 0;
        let was_out_of_reach = entry.out_of_reach;
        entry.out_of_reach = fails.is_some_and(FailureKind::out_of_reach);
        entry.failures = if fails.is_some() { entry.failures.saturating_add(1) } else { entry.failures };
        let confirming = entry.failures < CONFIRMATIONS;
        let liveness = match fails {
            Some(_) if confirming => self.settings.confirm_every,
            Some(_) => self.settings.down_every,
            // A recovery is confirmed as quickly as a failure.
            None if was_failing && check == Check::Stream => self.settings.confirm_every,
            None => cadence.liveness,
        };
        let liveness = later(now, self.jittered(liveness));
        entry.due.insert(Check::Liveness, liveness);
        if check == Check::Stream && fails.is_none() {
            entry.failures = 0;
        }
        let stream = match (fails, failure) {
            (Some(kind), _) if kind.out_of_reach() => later(now, cadence.stream.max(self.settings.down_every)),
            (Some(_), _) if check == Check::Liveness => return,
            (Some(_), _) if confirming => later(now, self.settings.confirm_every),
            (Some(_), _) => later(now, cadence.stream.max(self.settings.down_every)),
            (None, Some(FailureKind::SessionLimit)) => later(now, cadence.stream.max(SESSION_HELD)),
            // It answers again: see at once whether media comes too.
            (None, _) if check == Check::Liveness && was_out_of_reach => now,
            (None, _) if check == Check::Liveness => return,
            (None, _) => later(now, self.jittered(cadence.stream)),
        };
        entry.due.insert(Check::Stream, stream);
    }

    fn first_looks(&mut self, camera: Arc<Camera>, in_flight: bool, now: Timestamp) -> Entry {
        let stream = later(now, self.spread(START_SPREAD));
        let mut due = BTreeMap::from([(Check::Stream, stream)]);
        let liveness = self.settings.cadence(camera.kind).liveness;
        due.insert(Check::Liveness, later(stream, liveness));
        if camera.onvif.is_some() {
            let device = self.settings.cadence(camera.kind).device.min(4 * START_SPREAD);
            due.insert(Check::Device, later(stream, self.spread(device)));
        }
        Entry { camera, due, in_flight, failures: 0, out_of_reach: false }
    }

    /// When the entry's next look is due. Looks that need a login wait for its breaker.
    fn due(&self, entry: &Entry) -> Option<Timestamp> {
        entry.due.iter().filter_map(|(check, due)| self.allowed_at(entry, *check, *due)).min()
    }

    fn allowed_at(&self, entry: &Entry, check: Check, due: Timestamp) -> Option<Timestamp> {
        let device = self.devices.get(&entry.camera.device)?;
        let after = |breaker: Breaker, due: Timestamp| match breaker {
            Breaker::Closed => Some(due),
            Breaker::OpenUntil(until) => Some(due.max(until)),
            Breaker::Open => None,
        };
        match check {
            Check::Liveness => Some(due),
            // While nobody answers, a deeper look would only wait for the same silence.
            _ if entry.out_of_reach => None,
            Check::Stream => after(device.rtsp, due),
            Check::Device => after(device.onvif, after(device.rtsp, due)?),
        }
    }

    /// A look at the stream climbs the rungs of liveness too, so it stands for both.
    fn deepest_due(&self, id: &CameraId, now: Timestamp) -> Option<Check> {
        let entry = self.entries.get(id)?;
        let due = |check: &Check| {
            let due = entry.due.get(check).and_then(|due| self.allowed_at(entry, *check, *due));
            due.is_some_and(|due| due <= now)
        };
        [Check::Stream, Check::Liveness, Check::Device].into_iter().find(due)
    }

    fn device_of(&self, id: &CameraId) -> Option<&DeviceEntry> {
        self.devices.get(&self.entries.get(id)?.camera.device)
    }

    /// Somewhat less than `interval`, so that looks drift apart and none comes late.
    fn jittered(&mut self, interval: Duration) -> Duration {
        let shortened = self.settings.jitter.clamp(0.0, 1.0) * self.unit();
        interval.mul_f64(1.0 - shortened)
    }

    fn spread(&mut self, over: Duration) -> Duration {
        over.mul_f64(self.unit())
    }

    /// A number from 0 to 1 (SplitMix64, by Steele, Lea and Flood).
    fn unit(&mut self) -> f64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
