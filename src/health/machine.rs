//! The machine itself: runs of bad and good looks, and what they confirm.
//!
//! One thing always holds: a camera that is `up` or `degraded` has proven by media that it sees, no longer ago than its
//! limit. [`Machine::go`] is the only way to either state and asks for that proof, [`Machine::tick`] takes the state
//! away when the proof grows old, and a proof is made by a look at media alone; or, of a camera that the configuration
//! believes by a weaker one, by what a source claims.

use super::Settings;
use crate::model::{
    CameraId, Check, Detail, Failure, FailureKind, Kind, Observation, Reasoning, State, Transition, Weight, elapsed,
    later,
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
    pub detail: Detail,
    /// Since when.
    pub since: Timestamp,
}

/// One camera's memory of its last looks.
///
/// Time comes with each call, so anything can be tried out in made-up time. Three bad looks in a row make it `down`:
///
/// ```
/// use camhealth::health::{Machine, Settings};
/// use camhealth::model::{Check, Detail, Failure, FailureKind, Kind, Observation, State};
/// use jiff::Timestamp;
///
/// let second = |second: i64| Timestamp::from_second(1_790_000_000 + second).expect("a time in this century");
/// let mut machine = Machine::new("cho-01".into(), Kind::Public, second(0));
/// let silence = Failure::new(FailureKind::Timeout, Detail::plain("nobody answered"));
/// for look in 1..=3 {
///     let at = second(10 * look);
///     machine.observe(at, &Observation::new(Check::Liveness, at), Some(&silence), &Settings::default());
///     assert_eq!(machine.standing().state == State::Down, look == 3);
/// }
/// assert_eq!(machine.standing().since, second(10), "it has been so since the first of them");
/// ```
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
    /// When the camera last proved by media that it sees.
    proven: Option<Timestamp>,
    /// Looks in a row that could not see whether it does.
    vague: u32,
    /// A long look saw media end: until one sees it go on, short looks prove nothing.
    ends: bool,
    /// When it was last looked at with any result at all.
    looked: Timestamp,
    /// The latest time that was shown.
    clock: Timestamp,
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
        let standing = Standing { state: State::Unknown, cause: None, detail: Detail::default(), since: now };
        Self::restored(camera, kind, standing, None, now)
    }

    /// A camera as an earlier run of the daemon left it, with its last proof. It is believed as long as that proof
    /// lasts, so that a restart neither repeats nor hides anything; one of a time that has not come proves nothing.
    pub fn restored(
        camera: CameraId,
        kind: Kind,
        standing: Standing,
        proven: Option<Timestamp>,
        now: Timestamp,
    ) -> Self {
        Self {
            camera,
            kind,
            standing,
            bad: Run::default(),
            good: Run::default(),
            shade: Run::default(),
            last_failure: None,
            proven: proven.filter(|proven| *proven <= now),
            vague: 0,
            ends: false,
            looked: now,
            clock: now,
        }
    }

    /// When the camera last proved by media that it sees.
    pub fn proven(&self) -> Option<Timestamp> {
        self.proven
    }

    /// Where the camera stands.
    pub fn standing(&self) -> &Standing {
        &self.standing
    }

    /// Takes in one look of our own, of which `failure` is what [`super::judge()`] made of it.
    pub fn observe(
        &mut self,
        now: Timestamp,
        observation: &Observation,
        failure: Option<&Failure>,
        settings: &Settings,
    ) -> Option<Transition> {
        self.observe_seen((now, now), observation, failure, settings)
    }

    /// The same of a look that ended before it was told: what it proves is as old as it is.
    pub fn observe_seen(
        &mut self,
        (now, seen): (Timestamp, Timestamp),
        observation: &Observation,
        failure: Option<&Failure>,
        settings: &Settings,
    ) -> Option<Transition> {
        self.follow(now);
        if self.standing.state == State::Off {
            // A look that was under way when the owner's hours began.
            return None;
        }
        self.looked = now;
        let at = observation.started.min(now);
        if let Some(failure) = failure.filter(|_| observation.check != Check::Device) {
            self.last_failure = Some(failure.clone());
        }
        let survey = observation.check == Check::Survey;
        if survey && failure.is_some_and(|failure| failure.kind.shows_late()) {
            self.ends = true;
        }
        match (observation.check, failure.map(|failure| (failure, failure.kind.weight()))) {
            (_, Some((_, Weight::Inconclusive))) => None,
            // ONVIF is a second witness: what it says of the clock shades a camera, its silence proves nothing.
            (Check::Device, None | Some((_, Weight::Fails | Weight::Unproven))) => None,
            (Check::Device, Some((failure, Weight::Degrades))) => self.shaded(now, at, Some(failure), settings),
            (_, Some((failure, Weight::Unproven))) => self.cannot_tell(now, at, failure, settings),
            (_, Some((failure, Weight::Fails))) => self.failed(now, at, failure, settings),
            (Check::Liveness, _) => self.answers(now, at, settings),
            (Check::Stream | Check::Survey, None | Some((_, Weight::Degrades))) => {
                self.ends &= !(survey && observation.proves());
                if self.ends || !observation.proves() {
                    return None;
                }
                if failure.is_none() {
                    self.last_failure = None;
                }
                self.proves(now, (at, seen), failure, settings)
            }
        }
    }

    /// Takes in what somebody else says of a camera that nobody of ours looks at, and that is believed by so weak a proof:
    /// that it works, or why it does not.
    pub fn claimed(
        &mut self,
        (now, seen): (Timestamp, Timestamp),
        failure: Option<&Failure>,
        settings: &Settings,
    ) -> Option<Transition> {
        self.follow(now);
        if self.standing.state == State::Off {
            return None;
        }
        self.looked = now;
        let at = seen.min(now);
        self.last_failure = failure.cloned();
        match failure {
            Some(failure) => self.failed(now, at, failure, settings),
            None => self.proves(now, (at, at), None, settings),
        }
    }

    /// Takes the camera as seen at `seen`, by a look that began at `at`.
    fn proves(
        &mut self,
        now: Timestamp,
        (at, seen): (Timestamp, Timestamp),
        failure: Option<&Failure>,
        settings: &Settings,
    ) -> Option<Transition> {
        if !self.is_proven(at, settings) {
            // Good looks that lie further apart than a proof lasts say nothing of the time between them.
            self.good.since = None;
        }
        self.proven = self.proven.max(Some(seen.min(now)));
        self.works(now, at, failure, settings)
    }

    /// Takes in the time. Ages stay true when the clock is set back: what happened so long ago still did.
    pub fn follow(&mut self, now: Timestamp) {
        let back = elapsed(self.clock, now);
        self.clock = now;
        if !back.is_zero() {
            let earlier = |at: Timestamp| at.checked_sub(back).unwrap_or(Timestamp::MIN);
            self.proven = self.proven.map(earlier);
            self.looked = earlier(self.looked);
        }
    }

    /// Whether its last proof is young enough.
    fn is_proven(&self, now: Timestamp, settings: &Settings) -> bool {
        self.proven.is_some_and(|proven| elapsed(now, proven) <= self.stale_after(settings))
    }

    /// Lets time pass: what was not proven lately becomes `unknown`.
    pub fn tick(&mut self, now: Timestamp, settings: &Settings) -> Option<Transition> {
        self.follow(now);
        let stale = match self.standing.state {
            State::Up | State::Degraded => !self.is_proven(now, settings),
            State::Down => elapsed(now, self.looked) > self.stale_after(settings),
            _ => false,
        };
        if !stale {
            return None;
        }
        self.forget();
        let failure = self.last_failure.clone();
        let detail = failure.as_ref().map_or_else(Detail::default, |failure| failure.detail.clone());
        self.go(now, now, State::Unknown, failure.map(|failure| failure.kind), detail, settings)
    }

    /// When [`Self::tick`] changes something, if nothing is seen before.
    pub fn deadline(&self, settings: &Settings) -> Option<Timestamp> {
        let from = match self.standing.state {
            // What was never proven is not believed for a moment.
            State::Up | State::Degraded => self.proven.unwrap_or(Timestamp::MIN),
            State::Down => self.looked,
            _ => return None,
        };
        Some(later(from, self.stale_after(settings) + Duration::from_nanos(1)))
    }

    /// Begins or ends a time in which its owner wants no contact; why, where it is not the hour.
    pub fn set_off(&mut self, now: Timestamp, off: Option<Detail>, settings: &Settings) -> Option<Transition> {
        self.follow(now);
        match (off, self.standing.state == State::Off) {
            (Some(why), true) => {
                self.standing.detail = why;
                None
            }
            (None, false) => None,
            (off, _) => {
                self.forget();
                self.last_failure = None;
                let state = if off.is_some() { State::Off } else { State::Unknown };
                self.go(now, now, state, None, off.unwrap_or_default(), settings)
            }
        }
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
        self.vague = 0;
    }

    fn stale_after(&self, settings: &Settings) -> Duration {
        match self.kind {
            Kind::Public => settings.stale_after_public,
            Kind::Household => settings.stale_after_household,
        }
    }

    /// Somebody answers, and whether media would come cannot be seen: a login that is refused, a camera that serves
    /// somebody else.
    fn cannot_tell(
        &mut self,
        now: Timestamp,
        at: Timestamp,
        failure: &Failure,
        settings: &Settings,
    ) -> Option<Transition> {
        self.bad = Run::default();
        self.good = Run::default();
        self.vague = self.vague.saturating_add(1);
        match self.standing.state {
            // It was seen to work, and may be full for a moment. The age of its proof will tell.
            State::Up | State::Degraded => None,
            // Our own sessions that it has not yet given up may fill it: once says nothing.
            State::Down if failure.kind == FailureKind::SessionLimit && self.vague < settings.good_to_up => None,
            _ => self.go(now, at, State::Unknown, Some(failure.kind), failure.detail.clone(), settings),
        }
    }

    fn failed(&mut self, now: Timestamp, at: Timestamp, failure: &Failure, settings: &Settings) -> Option<Transition> {
        self.good = Run::default();
        self.shade = Run::default();
        self.vague = 0;
        let repeated = self.bad.kind == Some(failure.kind);
        self.bad.extend(at, Some(failure.kind));
        if self.standing.state == State::Down {
            // A new reason is believed when it is seen twice, so that a mixed fault does not fill the journal.
            let new_reason = repeated && self.standing.cause != Some(failure.kind);
            let since = self.standing.since;
            return if new_reason {
                self.go(now, since, State::Down, Some(failure.kind), failure.detail.clone(), settings)
            } else {
                None
            };
        }
        if self.bad.length < settings.bad_to_down {
            return None;
        }
        let since = self.bad.since.unwrap_or(at);
        self.go(now, since, State::Down, Some(failure.kind), failure.detail.clone(), settings)
    }

    fn works(
        &mut self,
        now: Timestamp,
        at: Timestamp,
        failure: Option<&Failure>,
        settings: &Settings,
    ) -> Option<Transition> {
        self.bad = Run::default();
        self.vague = 0;
        self.good.extend(at, None);
        match self.standing.state {
            State::Down if self.good.length < settings.good_to_up => {
                self.shade = Run { length: 1, kind: failure.map(|failure| failure.kind), since: Some(at) };
                None
            }
            State::Up | State::Degraded => self.shaded(now, at, failure, settings),
            _ => {
                let since = self.good.since.unwrap_or(at);
                self.become_shade(now, since, failure, settings)
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
        self.become_shade(now, since, failure, settings)
    }

    fn become_shade(
        &mut self,
        now: Timestamp,
        since: Timestamp,
        failure: Option<&Failure>,
        settings: &Settings,
    ) -> Option<Transition> {
        self.shade = Run::default();
        let state = if failure.is_some() { State::Degraded } else { State::Up };
        let detail = failure.map_or_else(Detail::default, |failure| failure.detail.clone());
        self.go(now, since, state, failure.map(|failure| failure.kind), detail, settings)
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
        detail: Detail,
        settings: &Settings,
    ) -> Option<Transition> {
        let from = self.standing.state;
        let unproven = to.sees() && !self.is_proven(now, settings);
        if (from == to && self.standing.cause == cause) || unproven {
            return None;
        }
        self.standing = Standing { state: to, cause, detail: detail.clone(), since };
        Some(Transition { camera: self.camera.clone(), from, to, cause, detail, since, decided: now })
    }
}

#[cfg(test)]
#[path = "machine_tests.rs"]
mod tests;
