//! When a camera's looks are due after what the last one found, and what each may cost.

use super::{Settings, bucket::Bucket};
use crate::model::{ByCheck, Camera, Check, FailureKind, Held, LinkId, Weight, elapsed, later};
use jiff::Timestamp;
use std::{sync::Arc, time::Duration};

/// Failed looks that are repeated quickly; after them the camera is taken for down.
const CONFIRMATIONS: u32 = 4;
/// Failed looks after which a camera that works again has come back, rather than missed a look.
const CONFIRMED: u32 = 3;
/// First looks after a start are spread over this time, or over what workers need for those of a large fleet.
const START_SPREAD: Duration = Duration::from_secs(15);
/// What a look at a stream takes, with some room for what comes between.
const OF_A_LOOK: Duration = Duration::from_millis(1250);
/// The first long look comes within this time after the first looks, since a short one does not see a stream that ends
/// after a second.
const FIRST_SURVEY: Duration = Duration::from_secs(60);
/// A stale session holds a camera's slot for about a minute (live555's default): no new try inside it.
const SESSION_HELD: Duration = Duration::from_secs(65);
/// A camera that is down is tried at intervals of this part of the time for which it has been down.
const PATIENCE: u32 = 20;

/// A camera in the plan.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) camera: Arc<Camera>,
    /// The links that it hangs on, from the nearest up.
    pub(super) links: Arc<[LinkId]>,
    pub(super) in_flight: bool,
    /// Failed looks in a row.
    pub(super) failures: u32,
    pub(super) bytes: Bucket,
    pub(super) looks: Bucket,
    /// What held it back when it was last considered.
    pub(super) held: Option<Held>,
    due: ByCheck<Timestamp>,
    /// The last look failed on a rung that `OPTIONS` climbs, so that cheap looks suffice until it answers.
    out_of_reach: bool,
    failing_since: Option<Timestamp>,
    /// A long look saw media end: until one sees it go on, short looks would prove nothing, and are long.
    ends: bool,
}

impl Entry {
    pub(super) fn new(
        camera: Arc<Camera>,
        links: Arc<[LinkId]>,
        due: ByCheck<Timestamp>,
        in_flight: bool,
        (bytes, looks): (Bucket, Bucket),
    ) -> Self {
        Self {
            camera,
            links,
            in_flight,
            failures: 0,
            bytes,
            looks,
            held: None,
            due,
            out_of_reach: false,
            failing_since: None,
            ends: false,
        }
    }

    /// Makes a look at whether it answers due now.
    pub(super) fn hasten(&mut self, now: Timestamp) {
        if let Some(due) = self.due.get_mut(&Check::Liveness) {
            *due = (*due).min(now);
        }
    }

    /// Whether short looks would prove nothing of it, so that all are long.
    pub(super) fn only_long_looks(&self) -> bool {
        self.ends
    }

    /// When a look is due, if one is planned at all: while nobody answers, a deeper look would only wait for the same
    /// silence, and a long one learns nothing of a stream that fails.
    pub(super) fn due_at(&self, check: Check) -> Option<Timestamp> {
        match check {
            Check::Liveness => {}
            _ if self.out_of_reach => return None,
            Check::Stream if self.ends => return None,
            Check::Survey if self.ends => return self.due.get(&Check::Stream).copied(),
            Check::Survey if self.failures > 0 => return None,
            _ => {}
        }
        self.due.get(&check).copied()
    }
}

/// Bytes that a look may move at most, and that must be left for it to begin.
pub(super) fn cost(check: Check) -> (u64, u64) {
    const KIB: u64 = 1024;
    match check {
        // One answer's head, of which 16 KiB are read at most.
        Check::Liveness => (20 * KIB, KIB),
        // Ten frames of a main stream with a large keyframe; of a substream it is 40 KiB.
        Check::Stream => (1024 * KIB, 96 * KIB),
        // Seven seconds of a main stream at 4 Mbit/s; of a substream it is 250 KiB.
        Check::Survey => (4 * 1024 * KIB, 320 * KIB),
        // A dozen SOAP answers.
        Check::Device => (512 * KIB, 96 * KIB),
    }
}

/// The first looks at a camera.
pub(super) fn first_looks(
    camera: &Camera,
    settings: &Settings,
    fleet: usize,
    now: Timestamp,
    mut random: impl FnMut() -> f64,
) -> ByCheck<Timestamp> {
    let cadence = settings.cadence(camera.kind);
    let at_once = u32::try_from(fleet / settings.places.max(1)).unwrap_or(u32::MAX);
    let spread = START_SPREAD.max(OF_A_LOOK.saturating_mul(at_once));
    let stream = later(now, spread.min(cadence.stream).mul_f64(random()));
    let mut due = ByCheck::from([(Check::Stream, stream)]);
    due.insert(Check::Liveness, later(stream, cadence.liveness));
    // Each camera is seen once before any is watched for long.
    due.insert(Check::Survey, later(now, spread + cadence.survey.min(FIRST_SURVEY).mul_f64(random())));
    if camera.onvif.is_some() {
        due.insert(Check::Device, later(stream, cadence.device.min(4 * START_SPREAD).mul_f64(random())));
    }
    due
}

/// Settles when the next looks are due.
pub(super) fn after(
    now: Timestamp,
    entry: &mut Entry,
    check: Check,
    failure: Option<FailureKind>,
    settings: &Settings,
    mut random: impl FnMut() -> f64,
) {
    // Somewhat less than the interval, so that looks drift apart and none comes late.
    let mut jittered = |interval: Duration| interval.mul_f64(1.0 - settings.jitter.clamp(0.0, 1.0) * random());
    let cadence = settings.cadence(entry.camera.kind).clone();
    if check == Check::Device {
        entry.due.insert(Check::Device, later(now, jittered(cadence.device)));
        return;
    }
    if check == Check::Survey {
        // As `health::Machine` has it: only a long look that sees media go on refutes one that saw it end. A camera that
        // was silent or full in between is not refuted by that.
        entry.ends = match failure {
            Some(kind) if kind.shows_late() => true,
            Some(kind) if kind.weight() != Weight::Degrades => entry.ends,
            _ => false,
        };
        entry.due.insert(Check::Survey, later(now, jittered(cadence.survey)));
    }
    let fails = failure.filter(|kind| kind.weight() == Weight::Fails);
    let failures = entry.failures;
    let was_failing = failures > 0;
    let was_out_of_reach = entry.out_of_reach;
    entry.out_of_reach = fails.is_some_and(FailureKind::out_of_reach);
    if fails.is_some() {
        entry.failures = entry.failures.saturating_add(1);
        entry.failing_since.get_or_insert(now);
    }
    let confirming = entry.failures < CONFIRMATIONS;
    let dead = entry.failing_since.map_or(Duration::ZERO, |since| elapsed(now, since)) / PATIENCE;
    let dead = dead.clamp(settings.down_every, settings.dead_every.max(settings.down_every));
    let liveness = match fails {
        Some(_) if confirming => settings.confirm_every,
        Some(_) => dead,
        // A recovery is confirmed as quickly as a failure.
        None if was_failing && check.sees_media() => settings.confirm_every,
        None => cadence.liveness,
    };
    entry.due.insert(Check::Liveness, later(now, jittered(liveness)));
    if check.sees_media() && fails.is_none() {
        entry.failures = 0;
        entry.failing_since = None;
    }
    // Long looks wait until a camera that came back, or is full, has settled; but not long, since some come back for a
    // second only.
    let full = failure == Some(FailureKind::SessionLimit);
    let came_back = failures >= CONFIRMED && entry.failures == 0;
    let settled = later(now, if full { SESSION_HELD } else { cadence.survey.min(FIRST_SURVEY) });
    if let Some(survey) = entry.due.get_mut(&Check::Survey) {
        if check == Check::Stream && came_back {
            // The one that was planned before it failed may be a day away.
            *survey = settled;
        } else if was_failing || full {
            *survey = (*survey).max(settled);
        }
    }
    let stream = match (fails, failure) {
        (Some(kind), _) if kind.out_of_reach() => later(now, cadence.stream.max(dead)),
        (Some(_), _) if check == Check::Liveness => return,
        (Some(_), _) if confirming => later(now, settings.confirm_every),
        (Some(_), _) => later(now, cadence.stream.max(dead)),
        (None, Some(FailureKind::SessionLimit)) => later(now, cadence.stream.max(SESSION_HELD)),
        // It answers again: see at once whether media comes too.
        (None, _) if check == Check::Liveness && was_out_of_reach => now,
        (None, _) if check == Check::Liveness => return,
        (None, _) => later(now, jittered(cadence.stream)),
    };
    entry.due.insert(Check::Stream, stream);
}
