//! One camera as the monitor keeps it: its machine, what it was seen to do, and what was learned.

use crate::{
    health,
    model::{
        CameraId, CameraStatus, Check, Claim, Failure, LastCheck, Memory, Observation, Seen, State, Transition, elapsed,
    },
};
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use std::{cmp::Ordering, sync::Arc, time::Duration};

/// How often what is learned of a camera is remembered, unless it matters at once.
const LEARN_EVERY: Duration = Duration::from_secs(30 * 60);
/// Looks that are kept in a line each.
const RECENT: usize = 12;

/// Sixteen bits of a hash over a stream's address: enough to notice that a camera was moved while no run was alive, too
/// few to find out a password by that some makes carry in it.
pub(super) fn place(rtsp: &url::Url) -> u16 {
    let hash = Sha256::digest(rtsp.as_str());
    u16::from_be_bytes([hash[0], hash[1]])
}

/// A camera.
#[derive(Debug)]
pub(super) struct WatchedCamera {
    pub(super) machine: health::Machine,
    pub(super) status: Arc<CameraStatus>,
    /// Where it would stand if nothing were out of service on purpose: what coverage goes by.
    pub(super) base: State,
    learned_at: Timestamp,
    /// Since when it is this camera, at this address: looks that began before were at another.
    pub(super) known_since: Timestamp,
    /// What a source's counter last stood at, and since when it has been compared with that.
    counter: Option<(u64, Timestamp)>,
}

/// What follows from what a source says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Claimed {
    /// It works.
    Works,
    /// It does not.
    Dead,
    /// Its counter stands still.
    Stands(u64),
    /// Nothing yet.
    Nothing,
}

/// A counter that is told more often than this may stand still in between.
const COUNTED_EVERY: Duration = Duration::from_secs(5);

impl WatchedCamera {
    pub(super) fn new(machine: health::Machine, now: Timestamp) -> Self {
        let standing = machine.standing().clone();
        let unseen = CameraStatus::unseen(standing.state, standing.since);
        let status = Arc::new(CameraStatus { cause: standing.cause, detail: standing.detail, ..unseen });
        Self { machine, status, base: standing.state, learned_at: now, known_since: now, counter: None }
    }

    /// Takes in what a source says, and says what follows. A counter says something by its change alone: the first value
    /// is only what the next is compared with, and one that went back has begun anew.
    pub(super) fn claim(&mut self, now: Timestamp, claim: Claim) -> Claimed {
        Arc::make_mut(&mut self.status).claim = Some((now, claim));
        let count = match claim {
            Claim::Works(works) => return if works { Claimed::Works } else { Claimed::Dead },
            Claim::Counter(count) => count,
        };
        let (before, since) = *self.counter.get_or_insert((count, now));
        if count == before && elapsed(now, since) < COUNTED_EVERY {
            return Claimed::Nothing;
        }
        self.counter = Some((count, now));
        match count.cmp(&before) {
            Ordering::Greater => Claimed::Works,
            Ordering::Equal => Claimed::Stands(count),
            Ordering::Less => Claimed::Nothing,
        }
    }

    /// Takes in what was learned, and gives it back when it is to be remembered now: what restarts must not forget at
    /// once, averages now and then.
    pub(super) fn learn(&mut self, now: Timestamp, memory: Memory) -> Option<Arc<Memory>> {
        let before = &self.status.memory;
        if **before == memory {
            return None;
        }
        let matters = before.login_good != memory.login_good
            || before.login_scheme != memory.login_scheme
            || before.device != memory.device
            || before.stream != memory.stream
            || before.boots != memory.boots
            || before.place != memory.place;
        let memory = Arc::new(memory);
        Arc::make_mut(&mut self.status).memory = memory.clone();
        if !matters && elapsed(now, self.learned_at) < LEARN_EVERY {
            return None;
        }
        self.learned_at = now;
        Some(memory)
    }

    pub(super) fn take_in(&mut self, now: Timestamp, observation: Observation, failure: Option<Failure>) {
        let status = Arc::make_mut(&mut self.status);
        let kind = failure.as_ref().map(|failure| failure.kind);
        status.recent.truncate(RECENT - 1);
        // Of a large fleet this is much of what a camera takes: no more room than is used.
        status.recent.reserve_exact(RECENT - status.recent.len());
        status.recent.push_front(Seen::new(&observation, failure));
        status.last_probe = Some(now);
        status.bytes = status.bytes.saturating_add(observation.bytes);
        *status.probes.entry((observation.check, kind)).or_default() += 1;
        if let Some(mut stream) = observation.stream {
            if stream.frames > 0 {
                status.last_media = Some(now);
            }
            if observation.check == Check::Survey {
                status.surveyed = Some(now);
            }
            // What only a long look can measure stays until the next one does.
            if let Some(before) = status.stream.take().filter(|before| before.codec == stream.codec) {
                stream.keyframe_interval_seconds =
                    stream.keyframe_interval_seconds.or(before.keyframe_interval_seconds);
                stream.media_speed = stream.media_speed.or(before.media_speed);
            }
            status.stream = Some(stream);
        }
        if observation.device.is_some() {
            status.device = observation.device.map(Arc::new);
        }
        if observation.clock_offset_seconds.is_some() {
            status.clock_offset_seconds = observation.clock_offset_seconds;
            status.clock_measured = Some(now);
        }
        let last = LastCheck {
            started: observation.started,
            took: observation.took,
            failure: kind,
            rungs: observation.rungs.into(),
        };
        status.last.insert(observation.check, last);
    }

    /// Lets it stand where it stands now; the transition, if that is somewhere else.
    pub(super) fn stand(
        &mut self,
        now: Timestamp,
        camera: &CameraId,
        standing: health::Standing,
    ) -> Option<Transition> {
        if self.status.state == standing.state && self.status.cause == standing.cause {
            return None;
        }
        let status = Arc::make_mut(&mut self.status);
        let from = std::mem::replace(&mut status.state, standing.state);
        status.cause = standing.cause;
        status.detail.clone_from(&standing.detail);
        status.since = standing.since;
        status.transitions += 1;
        let health::Standing { state: to, cause, detail, since } = standing;
        Some(Transition { camera: camera.clone(), from, to, cause, detail, since, decided: now })
    }
}
