//! A budget as a token bucket: never more than its limit in any window, and what is spent comes back evenly.

use crate::model::{Budget, elapsed, later};
use jiff::Timestamp;
use std::time::Duration;

/// The part of a budget that may be spent at once; the rest comes back over the window.
const BURST: f64 = 0.125;

/// A token bucket. A look reserves what it may cost at most and gives back what it did not use.
#[derive(Debug, Clone)]
pub(super) struct Bucket {
    limit: f64,
    capacity: f64,
    /// Tokens a second.
    rate: f64,
    level: f64,
    at: Timestamp,
}

impl Bucket {
    /// A full bucket: at most `limit` is spent in any `window`.
    pub(super) fn new(limit: u64, window: Duration, now: Timestamp) -> Self {
        let limit = limit as f64;
        let capacity = limit * BURST;
        let rate = (limit - capacity) / window.as_secs_f64().max(1.0);
        Self { limit, capacity, rate, level: capacity, at: now }
    }

    /// A bucket that lets `rate` a second pass, and `burst` at once.
    pub(super) fn paced(rate: f64, burst: f64, now: Timestamp) -> Self {
        Self { limit: rate, capacity: burst, rate, level: burst, at: now }
    }

    /// Takes in a new limit; what is spent stays spent.
    pub(super) fn resize(&mut self, other: Self, now: Timestamp) {
        let spent = self.capacity - self.level_at(now);
        *self = Self { level: other.capacity - spent, at: now, ..other };
    }

    /// What could be spent now.
    pub(super) fn level_at(&self, now: Timestamp) -> f64 {
        (self.level + elapsed(now, self.at).as_secs_f64() * self.rate).min(self.capacity)
    }

    /// When `amount`, or a full bucket if that is less, can be spent; now at the earliest.
    pub(super) fn ready_at(&self, now: Timestamp, amount: f64) -> Timestamp {
        let missing = amount.min(self.capacity) - self.level_at(now);
        // Levels are sums of fractions: a thousandth of a token is none.
        if missing <= 1e-3 || self.rate <= 0.0 {
            return now;
        }
        later(now, Duration::from_secs_f64((missing / self.rate).min(1e9)))
    }

    /// Spends, down below nothing if need be.
    pub(super) fn spend(&mut self, now: Timestamp, amount: f64) {
        self.level = self.level_at(now) - amount;
        // A clock that was set back must not give the same time twice.
        self.at = self.at.max(now);
    }

    /// Gives back what a look reserved and did not use.
    pub(super) fn give_back(&mut self, now: Timestamp, amount: f64) {
        self.level = (self.level_at(now) + amount).min(self.capacity);
        self.at = self.at.max(now);
    }

    /// For people.
    pub(super) fn budget(&self, now: Timestamp) -> Budget {
        Budget { limit: self.limit as u64, left: self.level_at(now).max(0.0) as u64 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DAY: Duration = Duration::from_secs(86_400);

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a small time")
    }

    #[test]
    fn what_is_spent_comes_back() {
        let mut bucket = Bucket::new(8000, DAY, at(0));
        bucket.spend(at(0), 1000.0);
        let ready = bucket.ready_at(at(0), 700.0);
        assert!((ready.as_second() - 8640).abs() <= 1, "{ready}");
        bucket.give_back(at(0), 700.0);
        assert_eq!(bucket.ready_at(at(0), 700.0), at(0));
    }

    #[test]
    fn more_than_a_full_bucket_waits_for_a_full_one() {
        let bucket = Bucket::new(8000, DAY, at(0));
        assert_eq!(bucket.ready_at(at(0), 50_000.0), at(0));
    }

    #[test]
    fn a_new_limit_forgives_nothing() {
        let mut bucket = Bucket::new(8000, DAY, at(0));
        bucket.spend(at(0), 900.0);
        bucket.resize(Bucket::new(16_000, DAY, at(0)), at(0));
        assert!((bucket.level_at(at(0)) - 1100.0).abs() < 1e-6);
    }

    proptest! {
        /// Spending whenever it is allowed stays within the limit in every window.
        #[test]
        fn no_window_holds_more_than_the_limit(steps in proptest::collection::vec((1i64..20_000, 1.0f64..900.0), 1..200)) {
            let mut bucket = Bucket::new(8000, DAY, at(0));
            let mut now = 0;
            let mut spent: Vec<(i64, f64)> = Vec::new();
            for (wait, amount) in steps {
                now += wait;
                if bucket.ready_at(at(now), amount) <= at(now) {
                    bucket.spend(at(now), amount);
                    spent.push((now, amount));
                }
                let window: f64 = spent.iter().filter(|(when, _)| *when > now - 86_400).map(|(_, amount)| amount).sum();
                prop_assert!(window <= 8001.0, "{window}");
            }
        }
    }
}
