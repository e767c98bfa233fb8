//! When the month's exercise begins by itself: once in each month, in office hours, when people are there to learn from it.
//!
//! Pure. The first day on which it may is the first Tuesday: not in the week of the month's accounts, nor on a Monday, when
//! people catch up. Where it cannot begin then, as something is really lost, it begins on one of the next working days.

use jiff::{
    Timestamp, ToSpan, ZonedDateTime,
    civil::{Date, Time, Weekday, time},
    tz::TimeZone,
};

/// From when on, and until when, it may begin.
const FROM: Time = time(10, 0, 0, 0);
const UNTIL: Time = time(16, 0, 0, 0);

/// The first moment from `now` on at which an exercise may begin, if the last one began at `last`.
pub fn next(now: Timestamp, last: Option<Timestamp>, zone: &TimeZone) -> Option<Timestamp> {
    let local = |at: Timestamp| at.to_zoned_datetime(zone.clone());
    let month = |at: &ZonedDateTime| (at.year(), at.month());
    let mut at = local(now);
    if last.is_some_and(|last| month(&local(last)) >= month(&at)) {
        let first = at.date().first_of_month().checked_add(1.month()).ok()?;
        at = first.to_datetime(Time::midnight()).to_zoned_datetime(zone.clone()).ok()?;
    }
    // A weekend is the longest time in which none may begin, but for the first days of a month.
    for _ in 0..16 {
        let day = at.date();
        // Whoever wishes for exercises is not called that very moment.
        let until = if last.is_none() { FROM.saturating_add(1.second()) } else { UNTIL };
        if may(day)? && at.time() < until {
            let from = day.to_datetime(FROM).to_zoned_datetime(zone.clone()).ok()?;
            return Some(from.max(at).timestamp());
        }
        at = day.tomorrow().ok()?.to_datetime(Time::midnight()).to_zoned_datetime(zone.clone()).ok()?;
    }
    None
}

/// Whether one may begin on a day.
fn may(day: Date) -> Option<bool> {
    let first = day.first_of_month().nth_weekday_of_month(1, Weekday::Tuesday).ok()?;
    Some(day >= first && !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn zone() -> TimeZone {
        TimeZone::fixed(jiff::tz::offset(7))
    }

    fn at(local: &str) -> Timestamp {
        format!("{local}+07:00").parse().expect("a time")
    }

    #[test]
    fn it_is_the_first_tuesday_or_the_next_working_day_once_a_month() {
        for (what, now, last, expected) in [
            ("a month that begins", "2026-11-01T00:00:00", None, "2026-11-03T10:00:00"),
            ("within the hours", "2026-11-03T12:30:00", Some("2026-10-06T10:00:00"), "2026-11-03T12:30:00"),
            ("there never was one", "2026-11-03T12:30:00", None, "2026-11-04T10:00:00"),
            ("too late on that day", "2026-11-03T16:00:00", None, "2026-11-04T10:00:00"),
            ("a weekend", "2026-11-06T17:00:00", None, "2026-11-09T10:00:00"),
            ("it was this month", "2026-11-20T12:00:00", Some("2026-11-03T10:00:00"), "2026-12-01T10:00:00"),
            ("it was last month", "2026-12-01T09:00:00", Some("2026-11-30T15:00:00"), "2026-12-01T10:00:00"),
            ("the year ends", "2026-12-30T09:00:00", Some("2026-12-01T10:00:00"), "2027-01-05T10:00:00"),
            ("the clock was set back", "2026-11-20T12:00:00", Some("2026-12-01T10:00:00"), "2026-12-01T10:00:00"),
        ] {
            assert_eq!(next(at(now), last.map(at), &zone()), Some(at(expected)), "{what}");
        }
    }

    proptest! {
        #[test]
        fn each_month_has_one_whenever_it_is_looked_at(start in 0..400_i64, steps in prop::collection::vec(1..60_i64, 400)) {
            let mut now = at("2026-01-01T03:00:00") + jiff::SignedDuration::from_hours(start);
            let mut last: Option<Timestamp> = None;
            let mut began = Vec::new();
            let end = at("2027-06-01T00:00:00");
            for step in steps.iter().cycle() {
                if now >= end {
                    break;
                }
                let due = next(now, last, &zone()).expect("there is one");
                prop_assert!(due >= now);
                if due == now {
                    let local = now.to_zoned_datetime(zone());
                    prop_assert!(local.time() >= FROM && local.time() < UNTIL && may(local.date()) == Some(true));
                    began.push((local.year(), local.month()));
                    last = Some(now);
                }
                // Somebody looks now and then, and when it is said to be due.
                let later = now + jiff::SignedDuration::from_hours(*step);
                now = if due > now { due.min(later) } else { later };
            }
            let mut months = began.clone();
            months.dedup();
            prop_assert_eq!(&months, &began, "never two in a month");
            prop_assert!(began.windows(2).all(|two| (two[1].0 - two[0].0) * 12 + i16::from(two[1].1) - i16::from(two[0].1) == 1), "and none without");
        }
    }
}
