//! The only reader of the wall clock, so that tests can hold time in their hands.

use jiff::Timestamp;
use std::time::Duration;
use tokio::time::Instant;

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

    /// Sleeps until the clock shows `at`. Waits at most a minute at a time, so that a wall clock that is set while
    /// we sleep is noticed; callers look at the time again in any case.
    pub async fn sleep_until(&self, at: Timestamp) {
        let wait = crate::model::elapsed(at, self.now());
        tokio::time::sleep(wait.min(Duration::from_secs(60))).await;
    }
}
