//! A family's consent to having its camera looked at: from a day, for something, and to an end.

use super::{Detail, later, local::whole_day, told};
use jiff::{
    Timestamp,
    civil::{Date, Time},
    tz::TimeZone,
};
use std::time::Duration;

/// How long before its end a consent is asked for again.
const NOTICE: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// What a family agreed to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consent {
    /// The day on which they agreed in writing: it is good from its first moment on.
    pub given: Date,
    /// What for, in their words; nothing where the file says a day only.
    pub scope: Option<String>,
    /// The last day on which it is good; without an end where there is none.
    pub until: Option<Date>,
}

impl Consent {
    /// One without a scope and an end.
    pub fn since(given: Date) -> Self {
        Self { given, scope: None, until: None }
    }

    /// The moment in which it begins to be good.
    pub fn begins(&self, zone: &TimeZone) -> Timestamp {
        first_moment(self.given, zone).unwrap_or(Timestamp::MAX)
    }

    /// The moment from which on it is good no more.
    pub fn ends(&self, zone: &TimeZone) -> Option<Timestamp> {
        let after = self.until?.tomorrow().ok()?;
        // An end that no calendar has must not be none.
        Some(first_moment(after, zone).unwrap_or(Timestamp::MIN))
    }

    /// Whether it is good.
    pub fn holds(&self, now: Timestamp, zone: &TimeZone) -> bool {
        self.begins(zone) <= now && self.ends(zone).is_none_or(|end| now < end)
    }

    /// Why it is not good, if it is not.
    pub fn lacks(&self, now: Timestamp, zone: &TimeZone) -> Option<Detail> {
        match self.ends(zone) {
            _ if now < self.begins(zone) => Some(told!(ConsentNotYet, whole_day(self.given))),
            Some(end) if end <= now => Some(told!(ConsentEnded, whole_day(self.until.unwrap_or(self.given)))),
            _ => None,
        }
    }

    /// Whether it ends within thirty days, so that somebody can ask in time.
    pub fn ends_soon(&self, now: Timestamp, zone: &TimeZone) -> bool {
        self.holds(now, zone) && self.ends(zone).is_some_and(|end| end <= later(now, NOTICE))
    }

    /// When it next begins or ends.
    pub fn turns_after(&self, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        [Some(self.begins(zone)), self.ends(zone)].into_iter().flatten().filter(|at| *at > now).min()
    }
}

fn first_moment(day: Date, zone: &TimeZone) -> Option<Timestamp> {
    Some(day.to_datetime(Time::midnight()).to_zoned_datetime(zone.clone()).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_good_from_its_first_day_to_the_end_of_its_last() {
        let zone = TimeZone::fixed(jiff::tz::offset(7));
        let at = |local: &str| format!("{local}+07:00").parse::<Timestamp>().expect("a time");
        let day = |text: &str| text.parse::<Date>().expect("a day");
        let consent = Consent { until: Some(day("2026-11-30")), ..Consent::since(day("2026-03-01")) };
        for (moment, holds, turns) in [
            ("2026-02-28T23:59:59", false, Some("2026-03-01T00:00")),
            ("2026-03-01T00:00", true, Some("2026-12-01T00:00")),
            ("2026-11-30T23:59:59", true, Some("2026-12-01T00:00")),
            ("2026-12-01T00:00", false, None),
        ] {
            assert_eq!(consent.holds(at(moment), &zone), holds, "{moment}");
            assert_eq!(consent.lacks(at(moment), &zone).is_none(), holds, "{moment}");
            assert_eq!(consent.turns_after(at(moment), &zone), turns.map(at), "{moment}");
        }
        assert!(Consent::since(day("2026-03-01")).holds(Timestamp::MAX, &zone), "it has no end");
    }
}
