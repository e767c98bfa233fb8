//! Spans of each day, in a commune's time: nights, owners' hours, maintenance.

use super::later;
use jiff::{
    Timestamp,
    civil::{Date, Time},
    tz::TimeZone,
};
use serde::{Deserialize, Serialize};
use std::{str::FromStr, time::Duration};
use utoipa::ToSchema;

/// A span of each day, over midnight where `to` is not after `from`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema, Deserialize)]
pub struct DailyHours {
    /// First minute.
    #[schema(value_type = String, pattern = r"^\d\d:\d\d:\d\d$")]
    pub from: Time,
    /// First minute after.
    #[schema(value_type = String, pattern = r"^\d\d:\d\d:\d\d$")]
    pub to: Time,
}

impl DailyHours {
    /// Six in the evening to six in the morning: Vietnam's nights hardly change over the year.
    pub const NIGHT: Self = Self { from: Time::constant(18, 0, 0, 0), to: Time::constant(6, 0, 0, 0) };

    /// The next end of the span, from a moment within it.
    pub fn ends_after(self, now: Timestamp, zone: &TimeZone) -> Timestamp {
        let local = now.to_zoned_datetime(zone.clone());
        let day = if local.time() < self.to { local.date() } else { local.date().tomorrow().unwrap_or(local.date()) };
        day.to_datetime(self.to).to_zoned_datetime(zone.clone()).map_or(now, |end| end.timestamp())
    }

    /// When it may begin or end next, and after an hour at the latest: clocks may be put forward or back in between.
    pub fn turns_after(self, now: Timestamp, zone: &TimeZone) -> Timestamp {
        let today = now.to_zoned_datetime(zone.clone()).date();
        let days = [Some(today), today.tomorrow().ok()].into_iter().flatten();
        let moment = |day: Date, time| Some(day.to_datetime(time).to_zoned_datetime(zone.clone()).ok()?.timestamp());
        let moments = days.flat_map(|day| [self.from, self.to].map(|time| moment(day, time))).flatten();
        moments.filter(|at| *at > now).fold(later(now, Duration::from_secs(3600)), Timestamp::min)
    }

    /// Whether a time of day lies in the span.
    pub fn contain(self, time: Time) -> bool {
        if self.from < self.to { self.from <= time && time < self.to } else { time >= self.from || time < self.to }
    }
}

impl FromStr for DailyHours {
    type Err = ();

    /// Reads `22:00-05:30`.
    fn from_str(text: &str) -> Result<Self, ()> {
        let (from, to) = text.split_once('-').ok_or(())?;
        let time = |text: &str| {
            let (hour, minute) = text.trim().split_once(':')?;
            Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()
        };
        Ok(Self { from: time(from).ok_or(())?, to: time(to).ok_or(())? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_may_span_midnight() {
        let hours: DailyHours = "22:00-05:30".parse().expect("a span");
        let at = |hour, minute| hours.contain(Time::new(hour, minute, 0, 0).expect("a time"));
        assert_eq!((at(21, 59), at(22, 0), at(0, 0), at(5, 29), at(5, 30)), (false, true, true, true, false));
        assert!("22:00".parse::<DailyHours>().is_err() && "25:00-03:00".parse::<DailyHours>().is_err());
    }
}
