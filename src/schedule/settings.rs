//! How often cameras are looked at, and how many at once.

use crate::model::Kind;
use std::time::Duration;

/// Cadence and limits.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// For cameras on the road.
    pub public: Cadence,
    /// For cameras that families lend: seldom, to spare their line.
    pub household: Cadence,
    /// How soon a bad look is repeated, and a recovery confirmed.
    pub confirm_every: Duration,
    /// How often a camera that is confirmed down is tried at first.
    pub down_every: Duration,
    /// How often a camera that is long down is tried.
    pub dead_every: Duration,
    /// Probes under way at once over the whole fleet.
    pub concurrency: usize,
    /// How many of them workers can perform at once: looks at streams and by ONVIF. What is beyond waits here rather than
    /// for a place there, where it would take the turns of those that ask for liveness.
    pub places: usize,
    /// Part of each interval by which a due time moves at random, 0 to 1.
    pub jitter: f64,
    /// Wait after the first rejected login, before the second and last try.
    pub auth_retry_after: Duration,
}

/// How often each depth of look is due while all is well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cadence {
    /// `OPTIONS` without a login.
    pub liveness: Duration,
    /// The whole ladder, up to arriving media.
    pub stream: Duration,
    /// The same, but watched for seconds.
    pub survey: Duration,
    /// ONVIF: clock, device information, stream addresses and events.
    pub device: Duration,
    /// Bytes that looks may move from a camera in any 24 hours.
    pub bytes_per_day: u64,
    /// Looks at a camera in any hour.
    pub looks_per_hour: u64,
}

impl Settings {
    /// How many long looks may go on at once: all cameras want one after a start, and short looks must not wait for that.
    pub(super) fn long_looks(&self) -> usize {
        (self.places * 5 / 8).min(self.concurrency / 2).max(1)
    }

    /// The cadence for a kind of camera.
    pub fn cadence(&self, kind: Kind) -> &Cadence {
        match kind {
            Kind::Public => &self.public,
            Kind::Household => &self.household,
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            public: Cadence {
                liveness: Duration::from_secs(10),
                stream: Duration::from_secs(60),
                survey: Duration::from_secs(30 * 60),
                device: Duration::from_secs(60 * 60),
                bytes_per_day: 500_000_000,
                looks_per_hour: 1200,
            },
            household: Cadence {
                liveness: Duration::from_secs(60),
                stream: Duration::from_secs(15 * 60),
                survey: Duration::from_secs(24 * 60 * 60),
                device: Duration::from_secs(6 * 60 * 60),
                bytes_per_day: 15_000_000,
                looks_per_hour: 240,
            },
            confirm_every: Duration::from_secs(2),
            down_every: Duration::from_secs(30),
            dead_every: Duration::from_secs(2 * 60),
            concurrency: 64,
            places: 32,
            jitter: 0.2,
            auth_retry_after: Duration::from_secs(35 * 60),
        }
    }
}
