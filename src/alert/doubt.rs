//! Whether it can be said of one site at all how it is covered: for how long a view hangs on cameras that answer and
//! prove nothing.
//!
//! Such a camera is neither up nor down, so no level of its site is bad and nobody is called. But a doubt that lasts is
//! told, since the site depends on somebody mending it; and it is taken back when it has been gone for as long.

use crate::model::{elapsed, later};
use jiff::Timestamp;
use std::time::Duration;

/// How long a doubt must last before it is told, and must be gone before that is taken back.
const LASTING: Duration = Duration::from_secs(5 * 60);

/// The doubt about one site.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Doubt {
    told: bool,
    /// Since when it is the other way round.
    turned: Option<Timestamp>,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubted {
    /// It has lasted, since then.
    Since(Timestamp),
    /// It is gone.
    NoMore,
}

impl Doubt {
    /// The doubt as an earlier run told it.
    pub fn restored(told: bool) -> Self {
        Self { told, turned: None }
    }

    /// Takes in whether there is one; `None` where that cannot be said now, because the site is surely lost or the
    /// monitor sees nothing.
    pub fn consider(&mut self, now: Timestamp, doubtful: Option<bool>) -> Option<Doubted> {
        if doubtful.is_none_or(|doubtful| doubtful == self.told) {
            self.turned = None;
            return None;
        }
        let since = *self.turned.get_or_insert(now);
        if elapsed(now, since) < LASTING {
            return None;
        }
        self.turned = None;
        self.told = !self.told;
        Some(if self.told { Doubted::Since(since) } else { Doubted::NoMore })
    }

    /// Since when a doubt that was told is gone, while that must still last.
    pub fn recovering(&self) -> Option<Timestamp> {
        self.turned.filter(|_| self.told)
    }

    /// When it is to be considered again, if nothing happens before.
    pub fn deadline(&self) -> Option<Timestamp> {
        self.turned.map(|since| later(since, LASTING))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a small time")
    }

    #[test]
    fn a_doubt_is_told_when_it_lasts_and_taken_back_when_it_is_gone() {
        let mut doubt = Doubt::default();
        assert_eq!(doubt.consider(at(0), Some(false)), None);
        assert_eq!(doubt.consider(at(10), Some(true)), None);
        assert_eq!(doubt.deadline(), Some(at(310)));
        assert_eq!(doubt.consider(at(309), Some(true)), None);
        assert_eq!(doubt.consider(at(310), Some(true)), Some(Doubted::Since(at(10))));
        assert_eq!(doubt.consider(at(400), Some(false)), None);
        assert_eq!(doubt.consider(at(500), Some(true)), None, "it is back before it was taken back");
        assert_eq!(doubt.consider(at(600), Some(false)), None);
        assert_eq!(doubt.consider(at(900), Some(false)), Some(Doubted::NoMore));
    }

    #[test]
    fn a_short_doubt_and_one_of_which_nothing_can_be_said_are_not_told() {
        let mut doubt = Doubt::default();
        for n in 0..100 {
            assert_eq!(doubt.consider(at(100 * n), Some(n % 3 == 0)), None);
        }
        let mut lost = Doubt::restored(true);
        (0..100).for_each(|n| assert_eq!(lost.consider(at(100 * n), None), None));
        assert_eq!(lost.deadline(), None);
    }
}
