//! The span of time that a report speaks of, and the days in it.

use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};
use std::{fmt, str::FromStr};

/// A calendar month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Month(Date);

impl Month {
    /// The month in which a moment lies, where people live.
    pub fn of(at: Timestamp, zone: &TimeZone) -> Self {
        Self(at.to_zoned_datetime(zone.clone()).date().first_of_month())
    }

    /// The month before; the same one at the beginning of time.
    pub fn before(self) -> Self {
        Self(self.0.checked_sub(1.month()).unwrap_or(self.0))
    }

    /// Whether any of it has passed; of what is to come nothing can be said.
    pub fn has_begun(self, zone: &TimeZone, now: Timestamp) -> bool {
        midnight(self.0, zone) < now.as_second()
    }

    /// Its first second and the first one after it, cut at `now`.
    pub fn period(self, zone: &TimeZone, now: Timestamp) -> Period {
        let end = self.0.checked_add(1.month()).unwrap_or(self.0);
        let (from, end) = (midnight(self.0, zone), midnight(end, zone));
        Period { from, until: end.min(now.as_second()).max(from), end, zone: zone.clone() }
    }
}

impl FromStr for Month {
    type Err = String;

    /// Reads `2026-10`.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no month; write it as 2026-10");
        let (year, month) = text.split_once('-').ok_or_else(wrong)?;
        if (year.len(), month.len()) != (4, 2) {
            return Err(wrong());
        }
        let (year, month) = (year.parse().map_err(|_| wrong())?, month.parse().map_err(|_| wrong())?);
        // Years outside of these are no months of any camera, and have no time zone to speak of.
        let date = Date::new(year, month, 1).ok().filter(|_| (1970..=9000).contains(&year));
        date.map(Self).ok_or_else(wrong)
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.0.year(), self.0.month())
    }
}

/// Whole seconds from `from` up to `until`, where people live.
#[derive(Debug, Clone, PartialEq)]
pub struct Period {
    /// First second, as Unix time.
    pub from: i64,
    /// First second after what can be reported: not after now.
    pub until: i64,
    /// First second after the whole span; later than `until` while it is not over.
    pub end: i64,
    /// Where people live.
    pub zone: TimeZone,
}

impl Period {
    /// Each day of it that has begun, with its last second cut at `until`.
    pub(super) fn days(&self) -> Vec<(Date, i64)> {
        let mut days = Vec::new();
        let Ok(first) = Timestamp::from_second(self.from) else { return days };
        let mut date = first.to_zoned_datetime(self.zone.clone()).date();
        loop {
            let next = date.tomorrow().unwrap_or(date);
            let end = midnight(next, &self.zone).min(self.until);
            days.push((date, end));
            if end >= self.until || next == date {
                return days;
            }
            date = next;
        }
    }
}

/// A second as a moment.
pub(super) fn second(at: i64) -> Timestamp {
    Timestamp::from_second(at).unwrap_or(Timestamp::UNIX_EPOCH)
}

fn midnight(date: Date, zone: &TimeZone) -> i64 {
    let midnight = date.at(0, 0, 0, 0).to_zoned_datetime(zone.clone());
    midnight.map_or(0, |midnight| midnight.timestamp().as_second())
}
