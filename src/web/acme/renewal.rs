//! When a certificate is ordered: at once where there is none, when a third of its time is left, and after a failure with
//! pauses that grow, since authorities count failures.

use crate::model::later;
use jiff::Timestamp;
use std::time::Duration;

/// Let's Encrypt allows five failed proofs of a name an hour.
const FIRST_PAUSE: Duration = Duration::from_secs(15 * 60);
const LONGEST_PAUSE: Duration = Duration::from_secs(12 * 3600);

/// What lies in the certificate's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// From when on it is good.
    pub begins: Timestamp,
    /// Until when.
    pub ends: Timestamp,
    /// Whether an authority gave it, for the names that are wanted; else it stands in until one does.
    pub good: bool,
}

/// How ordering has gone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Renewal {
    failures: u32,
    not_before: Option<Timestamp>,
}

impl Renewal {
    /// When the next one is ordered.
    pub fn due(&self, standing: &Standing) -> Timestamp {
        let wanted = match standing.good {
            true => {
                let length = (standing.ends.as_second() - standing.begins.as_second()).max(0).unsigned_abs();
                later(standing.begins, Duration::from_secs(length / 3 * 2))
            }
            false => Timestamp::MIN,
        };
        self.not_before.map_or(wanted, |pause| wanted.max(pause))
    }

    /// One was given.
    pub fn given(&mut self) {
        *self = Self::default();
    }

    /// None was given.
    pub fn failed(&mut self, now: Timestamp) {
        let pause = FIRST_PAUSE.saturating_mul(1 << self.failures.min(10)).min(LONGEST_PAUSE);
        self.failures = self.failures.saturating_add(1);
        self.not_before = Some(later(now, pause));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + second).expect("a time in this century")
    }

    const DAY: i64 = 24 * 3600;

    #[test]
    fn a_third_of_its_time_is_left_whatever_that_is() {
        let renewal = Renewal::default();
        let good = |days: i64| Standing { begins: at(0), ends: at(days * DAY), good: true };
        assert_eq!(renewal.due(&good(90)), at(60 * DAY));
        assert_eq!(renewal.due(&good(6)), at(4 * DAY));
        assert_eq!(renewal.due(&Standing { good: false, ..good(90) }), Timestamp::MIN);
        let strange = Standing { begins: at(DAY), ends: at(0), good: true };
        assert_eq!(renewal.due(&strange), at(DAY));
    }

    #[test]
    fn failures_are_few_an_hour_and_a_success_forgets_them() {
        let mut renewal = Renewal::default();
        let none = Standing { begins: at(0), ends: at(1), good: false };
        let (mut now, mut tries) = (at(0), Vec::new());
        while now < at(3 * DAY) {
            tries.push(now);
            renewal.failed(now);
            now = renewal.due(&none);
        }
        let within_an_hour = |from: Timestamp| {
            tries.iter().filter(|at| **at >= from && at.as_second() < from.as_second() + 3600).count()
        };
        assert!(tries.iter().all(|from| within_an_hour(*from) <= 3), "{tries:?}");
        let last = tries.len();
        assert!(
            tries[last - 1].as_second() - tries[last - 2].as_second() == LONGEST_PAUSE.as_secs() as i64,
            "{tries:?}"
        );
        renewal.given();
        assert_eq!(renewal, Renewal::default());
    }
}
