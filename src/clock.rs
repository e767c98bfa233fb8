//! The only reader of the wall clock, so that tests can hold time in their hands.

use jiff::Timestamp;
use std::time::Duration;
use tokio::time::Instant;

/// How often the clock is compared with the time that really passed.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Being set back by less only makes what is planned so much later.
const TOLERATED: Duration = Duration::from_secs(5);

/// Tells the time. A simulated clock moves with tokio's (pausable) time.
#[derive(Debug, Clone)]
pub struct Clock(Source);

#[derive(Debug, Clone)]
enum Source {
    System,
    Simulated { start: Timestamp, since: Instant },
}

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that shows `start` now and moves with tokio's time from here.
    pub fn simulated(start: Timestamp) -> Self {
        Self(Source::Simulated { start, since: Instant::now() })
    }

    /// The time now.
    pub fn now(&self) -> Timestamp {
        match self.0 {
            Source::System => Timestamp::now(),
            Source::Simulated { start, since } => start.checked_add(since.elapsed()).unwrap_or(Timestamp::MAX),
        }
    }

    /// Watches for the clock being set.
    pub fn steps(&self) -> Steps {
        Steps { clock: self.clone(), last: (self.now(), Instant::now()) }
    }

    /// Sleeps until the clock shows `at`. Waits at most a minute at a time, so that a wall clock that is set while
    /// we sleep is noticed; callers look at the time again in any case.
    pub async fn sleep_until(&self, at: Timestamp) {
        let wait = crate::model::elapsed(at, self.now());
        tokio::time::sleep(wait.min(Duration::from_secs(60))).await;
    }
}

/// Watches for the clock being set.
#[derive(Debug)]
pub struct Steps {
    clock: Clock,
    last: (Timestamp, Instant),
}

impl Steps {
    /// Waits until the clock is set back by more than a network's time service does in passing; by how much. A step
    /// forward is no trouble: what is due then is due.
    pub async fn set_back(&mut self) -> Duration {
        loop {
            let (wall, instant) = self.last;
            tokio::time::sleep(LOOK_EVERY).await;
            let now = self.clock.now();
            let expected = crate::model::later(wall, instant.elapsed());
            self.last = (now, Instant::now());
            let by = crate::model::elapsed(expected, now);
            if by > TOLERATED {
                return by;
            }
        }
    }
}
