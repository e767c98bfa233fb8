//! The machine itself: runs of bad and good looks, and what they confirm.

use super::Settings;
use crate::model::{
    CameraId, Check, Failure, FailureKind, Kind, Observation, Reasoning, State, Transition, Weight, elapsed, later,
};
use jiff::Timestamp;
use std::time::Duration;

/// Where a camera stands and why: what survives a restart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Its state.
    pub state: State,
    /// Why, unless it is well or was never seen.
    pub cause: Option<FailureKind>,
    /// For people.
    pub detail: String,
    /// Since when.
    pub since: Timestamp,
}

/// One camera's memory of its last looks.
#[derive(Debug, Clone)]
pub struct Machine {
    camera: CameraId,
    kind: Kind,
    standing: Standing,
    /// Looks in a row that failed.
    bad: Run,
    /// Looks in a row that were good enough to see by.
    good: Run,
    /// Good looks in a row that had the same opinion on being degraded.
    shade: Run,
    /// The reason of the last look that was not well; it explains staleness.
    last_failure: Option<Failure>,
    /// When the camera last proved that it works.
    proven: Timestamp,
    /// When it was last looked at with any result at all.
    looked: Timestamp,
}

/// Looks in a row that agree.
#[derive(Debug, Clone, Copy, Default)]
struct Run {
    length: u32,
    kind: Option<FailureKind>,
    since: Option<Timestamp>,
}

impl Run {
    fn extend(&mut self, at: Timestamp, kind: Option<FailureKind>) {
        self.length = self.length.saturating_add(1);
        self.kind = kind;
        self.since.get_or_insert(at);
    }
}

impl Machine {
    /// A camera that was never looked at.
    pub fn new(camera: CameraId, kind: Kind, now: Timestamp) -> Self {
        let standing = Standing { state: State::Unknown, cause: None, detail: String::new(), since: now };
        Self::restored(camera, kind, standing, now)
    }

    /// A camera as an earlier run of the daemon left it. It is believed until it is stale, counted from `now`,
    /// so that a restart neither repeats nor hides anything.
    pub fn restored(camera: CameraId, kind: Kind, standing: Standing, now: Timestamp) -> Self {
        Self {
            camera,
            kind,
            standing,
            bad: Run::default(),
            good: Run::default(),
            shade: Run::default(),
            last_failure: None,
            proven: now,
            looked: now,
        }
    }

    /// Where the camera stands.
    pub fn standing(&self) -> &Standing {
        &self.standing
    }

    /// Takes in one look, of which `failure` is what [`super::judge`] made of it.
    pub fn observe(
        &mut self,
        now: Timestamp,
        observation: &Observation,
        failure: Option<&Failure>,
        settings: &Settings,
    ) -> Option<Transition> {
        if self.standing.state == State::Off {
            // A look that was under way when the owner's hours began.
            return None;
        }
        self.looked = now;
        let at = observation.started.min(now);
        if let Some(failure) = failure.filter(|_| observation.check != Check::Device) {
            self.last_failure = Some(failure.clone());
        }
        match (observation.check, failure.map(|failure| (failure, failure.kind.weight()))) {
            (_, Some((_, Weight::Inconclusive))) => None,
            // ONVIF is a second witness: what it says of the clock shades a camera, its silence proves nothing.
            (Check::Device, None | Some((_, Weight::Fails))) => None,
            // A login that is refused says nothing about the picture: the contractor's work, nobody's alarm.
            (_, Some((failure, _))) if failure.kind.refuses_login() => self.refused_login(now, at, failure),
            (Check::Device, Some((failure, Weight::Degrades))) => self.shaded(now, at, Some(failure), settings),
            (_, Some((failure, Weight::Fails))) => self.failed(now, at, failure, settings),
            (Check::Stream | Check::Survey, Some((failure, Weight::Degrades))) => {
                // Somebody else's session shows that the camera lives, not that it still sends.
                if failure.kind != FailureKind::SessionLimit {
                    self.proven = now;
                }
                self.works(now, at, Some(failure), settings)
            }
            (Check::Stream | Check::Survey, None) => {
                self.proven = now;
                self.last_failure = None;
                self.works(now, at, None, settings)
            }
            (Check::Liveness, _) => self.answers(now, at, settings),
        }
    }

    /// Lets time pass: what was not proven lately becomes `unknown`.
    pub fn tick(&mut self, now: Timestamp, settings: &Settings) -> Option<Transition> {
        let limit = self.stale_after(settings);
        let stale = match self.standing.state {
            State::Up | State::Degraded => elapsed(now, self.proven) > limit,
            State::Down => elapsed(now, self.looked) > limit,
            _ => false,
        };
        if !stale {
            return None;
        }
        self.forget();
        let failure = self.last_failure.clone();
        let detail = failure.as_ref().map_or_else(String::new, |failure| failure.detail.clone());
        self.go(now, now, State::Unknown, failure.map(|failure| failure.kind), detail)
    }

    /// Begins or ends the hours in which the owner wants no contact.
    pub fn set_off(&mut self, now: Timestamp, off: bool) -> Option<Transition> {
        if off == (self.standing.state == State::Off) {
            return None;
        }
        self.forget();
        self.last_failure = None;
        let state = if off { State::Off } else { State::Unknown };
        self.go(now, now, state, None, String::new())
    }

    /// What is counted so far, and what it needs: the reasons for the state as it is.
    pub fn reasoning(&self, settings: &Settings) -> Reasoning {
        Reasoning {
            bad: self.bad.length,
            bad_kind: self.bad.kind,
            bad_needed: settings.bad_to_down,
            good: self.good.length,
            good_needed: settings.good_to_up,
            shade: (self.shade.length > 0).then_some((self.shade.kind, self.shade.length)),
            proven: self.proven,
            stale_after: self.stale_after(settings),
        }
    }

    fn forget(&mut self) {
        self.bad = Run::default();
        self.good = Run::default();
        self.shade = Run::default();
    }

    fn stale_after(&self, settings: &Settings) -> Duration {
        match self.kind {
            Kind::Public => settings.stale_after_public,
            Kind::Household => settings.stale_after_household,
        }
    }

    /// When [`Self::tick`] may have something to say, if nothing else happens.
    pub fn stale_at(&self, settings: &Settings) -> Option<Timestamp> {
        let from = match self.standing.state {
            State::Up | State::Degraded => self.proven,
            State::Down => self.looked,
            _ => return None,
        };
        Some(later(from, self.stale_after(settings)))
    }

    fn refused_login(&mut self, now: Timestamp, at: Timestamp, failure: &Failure) -> Option<Transition> {
        self.bad = Run::default();
        self.good = Run::default();
        match self.standing.state {
            // It worked with this login before: the refusal may be a full camera. Staleness will tell.
            State::Up | State::Degraded => None,
            _ => self.go(now, at, State::Unknown, Some(failure.kind), failure.detail.clone()),
        }
    }

    fn failed(&mut self, now: Timestamp, at: Timestamp, failure: &Failure, settings: &Settings) -> Option<Transition> {
        self.good = Run::default();
        self.shade = Run::default();
        let repeated = self.bad.kind == Some(failure.kind);
        self.bad.extend(at, Some(failure.kind));
        if self.standing.state == State::Down {
            // A new reason is believed when it is seen twice, so that a mixed fault does not fill the journal.
            let new_reason = repeated && self.standing.cause != Some(failure.kind);
            let since = self.standing.since;
            return if new_reason {
                self.go(now, since, State::Down, Some(failure.kind), failure.detail.clone())
            } else {
                None
            };
        }
        if self.bad.length < settings.bad_to_down {
            return None;
        }
        let since = self.bad.since.unwrap_or(at);
        self.go(now, since, State::Down, Some(failure.kind), failure.detail.clone())
    }

    fn works(
        &mut self,
        now: Timestamp,
        at: Timestamp,
        failure: Option<&Failure>,
        settings: &Settings,
    ) -> Option<Transition> {
        self.bad = Run::default();
        self.good.extend(at, None);
        match self.standing.state {
            State::Down if self.good.length < settings.good_to_up => {
                self.shade = Run { length: 1, kind: failure.map(|failure| failure.kind), since: Some(at) };
                None
            }
            State::Up | State::Degraded => self.shaded(now, at, failure, settings),
            _ => {
                let since = self.good.since.unwrap_or(at);
                self.become_shade(now, since, failure)
            }
        }
    }

    /// Moves between `up` and `degraded` when looks agree often enough.
    fn shaded(
        &mut self,
        now: Timestamp,
        at: Timestamp,
        failure: Option<&Failure>,
        settings: &Settings,
    ) -> Option<Transition> {
        if !self.standing.state.sees() {
            return None;
        }
        let kind = failure.map(|failure| failure.kind);
        if self.standing.cause == kind {
            self.shade = Run::default();
            return None;
        }
        if self.shade.kind != kind || self.shade.length == 0 {
            self.shade = Run::default();
        }
        self.shade.extend(at, kind);
        if self.shade.length < settings.good_to_up {
            return None;
        }
        let since = self.shade.since.unwrap_or(at);
        self.become_shade(now, since, failure)
    }

    fn become_shade(&mut self, now: Timestamp, since: Timestamp, failure: Option<&Failure>) -> Option<Transition> {
        self.shade = Run::default();
        let state = if failure.is_some() { State::Degraded } else { State::Up };
        let detail = failure.map_or_else(String::new, |failure| failure.detail.clone());
        self.go(now, since, state, failure.map(|failure| failure.kind), detail)
    }

    /// The RTSP server answered, without proof of media.
    fn answers(&mut self, now: Timestamp, at: Timestamp, settings: &Settings) -> Option<Transition> {
        if self.bad.kind.is_some_and(FailureKind::out_of_reach) {
            self.bad = Run::default();
        }
        // It confirms a recovery that media began, but never begins one.
        if self.standing.state == State::Down && self.good.length > 0 {
            let failure = self.shade.kind.and(self.last_failure.clone());
            return self.works(now, at, failure.as_ref(), settings);
        }
        None
    }

    fn go(
        &mut self,
        now: Timestamp,
        since: Timestamp,
        to: State,
        cause: Option<FailureKind>,
        detail: String,
    ) -> Option<Transition> {
        let from = self.standing.state;
        if from == to && self.standing.cause == cause {
            return None;
        }
        self.standing = Standing { state: to, cause, detail: detail.clone(), since };
        Some(Transition { camera: self.camera.clone(), from, to, cause, detail, since, decided: now })
    }
}

#[cfg(test)]
#[path = "machine_tests.rs"]
mod tests;
