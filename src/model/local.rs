//! Times as people read them where they live. What machines read, such as RFC 3339 in JSON and the names of files, is
//! written where it is made.

use jiff::{
    Timestamp, ZonedDateTime,
    civil::{Date, Time},
    tz::TimeZone,
};

/// A zone, and the moment at which somebody reads: the day is told only where it is another.
#[derive(Debug, Clone, Copy)]
pub struct Local<'a> {
    zone: &'a TimeZone,
    now: Timestamp,
}

impl<'a> Local<'a> {
    /// Times as they are read in `zone` at `now`.
    pub fn new(zone: &'a TimeZone, now: Timestamp) -> Self {
        Self { zone, now }
    }

    /// The time of day to the second; of another day to the minute, with its date.
    pub fn time(self, at: Timestamp) -> String {
        if self.is_today(at) { self.said("%H:%M:%S", at) } else { self.full(at) }
    }

    /// The time of day to the second, with the date where it is another: for what is read later, and elsewhere.
    pub fn exact(self, at: Timestamp) -> String {
        self.said(if self.is_today(at) { "%H:%M:%S" } else { "%H:%M:%S %d/%m/%Y" }, at)
    }

    /// As short as it can be told: to the minute, with the day and without the year where it is another.
    pub fn short(self, at: Timestamp) -> String {
        self.said(if self.is_today(at) { "%H:%M" } else { "%H:%M %d/%m" }, at)
    }

    /// The time of day to the minute, and the date, whichever it is.
    pub fn full(self, at: Timestamp) -> String {
        self.said("%H:%M %d/%m/%Y", at)
    }

    /// The same for who plans a week: with the weekday in English, without the year.
    pub fn in_week(self, at: Timestamp) -> String {
        self.said("%a %H:%M %d/%m", at)
    }

    /// The date.
    pub fn date(self, at: Timestamp) -> String {
        self.said("%d/%m/%Y", at)
    }

    /// The month and its year.
    pub fn month(self, at: Timestamp) -> String {
        self.said("%m/%Y", at)
    }

    fn said(self, format: &str, at: Timestamp) -> String {
        self.zoned(at).strftime(format).to_string()
    }

    fn is_today(self, at: Timestamp) -> bool {
        self.zoned(at).date() == self.zoned(self.now).date()
    }

    fn zoned(self, at: Timestamp) -> ZonedDateTime {
        at.to_zoned_datetime(self.zone.clone())
    }
}

/// A day of a year that is told beside it.
pub fn day(date: Date) -> String {
    date.strftime("%d/%m").to_string()
}

/// A day with its year.
pub fn whole_day(date: Date) -> String {
    date.strftime("%d/%m/%Y").to_string()
}

/// A time of each day.
pub fn hour(time: Time) -> String {
    time.strftime("%H:%M").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_is_told_where_it_is_another() {
        let zone = TimeZone::fixed(jiff::tz::offset(7));
        // 14:00:00 in Vietnam, on 22 September 2026.
        let at = Timestamp::from_second(1_790_060_400).expect("a time in this century");
        let today = Local::new(&zone, at + jiff::SignedDuration::from_hours(9));
        assert_eq!([today.time(at), today.exact(at), today.short(at)], ["14:00:00", "14:00:00", "14:00"]);
        let later = Local::new(&zone, at + jiff::SignedDuration::from_hours(10));
        let told = [later.time(at), later.exact(at), later.short(at)];
        assert_eq!(told, ["14:00 22/09/2026", "14:00:00 22/09/2026", "14:00 22/09"]);
        let always = [today.full(at), today.in_week(at), today.date(at), today.month(at)];
        assert_eq!(always, ["14:00 22/09/2026", "Tue 14:00 22/09", "22/09/2026", "09/2026"]);
    }
}
