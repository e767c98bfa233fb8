//! Maintenance windows: when something is out of service on purpose, by whom and why.

use super::{AreaId, CameraId, DailyHours, LinkId, SiteId, UnknownName};
use jiff::{
    Timestamp, ToSpan,
    civil::{Date, Weekday},
    tz::TimeZone,
};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use utoipa::ToSchema;

/// Something is out of service on purpose: alerts on it are kept back and its time counts as maintenance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema, Deserialize)]
pub struct Window {
    /// Its name, unique among all windows.
    pub id: String,
    /// What is out of service.
    pub scope: Scope,
    /// When.
    pub span: Span,
    /// Who decided it.
    pub author: String,
    /// Why.
    pub reason: String,
}

/// What a window covers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema, Deserialize)]
#[serde(tag = "kind", content = "id", rename_all = "snake_case")]
pub enum Scope {
    /// The whole commune.
    All,
    /// All that lies in an area, and in those that are parts of it.
    Area(AreaId),
    /// All sites of a hamlet.
    Hamlet(String),
    /// All cameras of a site.
    Site(SiteId),
    /// All cameras below a link.
    Link(LinkId),
    /// One camera.
    Camera(CameraId),
}

impl Scope {
    /// Name of its kind in metric labels and JSON.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Area(_) => "area",
            Self::Hamlet(_) => "hamlet",
            Self::Site(_) => "site",
            Self::Link(_) => "link",
            Self::Camera(_) => "camera",
        }
    }

    /// The id of what is covered, or its name where it has none.
    pub fn subject(&self) -> &str {
        match self {
            Self::All => "commune",
            Self::Area(id) => id.as_str(),
            Self::Hamlet(hamlet) => hamlet,
            Self::Site(id) => id.as_str(),
            Self::Link(id) => id.as_str(),
            Self::Camera(id) => id.as_str(),
        }
    }
}

/// `site:cho`, as forms have it; the whole commune is `all`.
impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str(self.kind()),
            some => write!(f, "{}:{}", some.kind(), some.subject()),
        }
    }
}

impl FromStr for Scope {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        let (kind, id) = text.split_once(':').unwrap_or((text, ""));
        match kind {
            "all" => Ok(Self::All),
            "area" => Ok(Self::Area(id.into())),
            "hamlet" => Ok(Self::Hamlet(id.to_owned())),
            "site" => Ok(Self::Site(id.into())),
            "link" => Ok(Self::Link(id.into())),
            "camera" => Ok(Self::Camera(id.into())),
            _ => Err(UnknownName),
        }
    }
}

/// When a window is open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Span {
    /// Once.
    Once {
        /// First moment.
        #[schema(value_type = String, format = DateTime)]
        from: Timestamp,
        /// First moment after.
        #[schema(value_type = String, format = DateTime)]
        until: Timestamp,
    },
    /// Each week, in the commune's time.
    Weekly {
        /// Days on which it begins, 1 (Monday) to 7; each day when empty.
        days: Vec<i8>,
        /// Hours; over midnight they belong to the day on which they begin.
        hours: DailyHours,
    },
}

impl Span {
    /// Whether it holds at `now`.
    pub fn is_open(&self, now: Timestamp, zone: &TimeZone) -> bool {
        match self {
            Self::Once { from, until } => *from <= now && now < *until,
            Self::Weekly { days, hours } => {
                let local = now.to_zoned_datetime(zone.clone());
                let on = |day: Weekday| days.is_empty() || days.contains(&day.to_monday_one_offset());
                let time = local.time();
                if !hours.contain(time) {
                    return false;
                }
                let began_yesterday = hours.from >= hours.to && time < hours.to;
                on(if began_yesterday { local.weekday().previous() } else { local.weekday() })
            }
        }
    }

    /// All moments of a span at which it may begin or end.
    pub fn turns(&self, from: Timestamp, until: Timestamp, zone: &TimeZone) -> Vec<Timestamp> {
        let (days, hours) = match self {
            Self::Once { from, until } => return vec![*from, *until],
            Self::Weekly { hours, .. } => {
                let first = from.to_zoned_datetime(zone.clone()).date();
                let last = until.to_zoned_datetime(zone.clone()).date();
                (first.series(1.day()).take_while(move |day| *day <= last), hours)
            }
        };
        let at = |day: Date, time| Some(day.to_datetime(time).to_zoned_datetime(zone.clone()).ok()?.timestamp());
        days.flat_map(|day| [hours.from, hours.to].map(|time| at(day, time))).flatten().collect()
    }

    /// When it may begin or end next, and after an hour at the latest.
    pub fn turns_after(&self, now: Timestamp, zone: &TimeZone) -> Timestamp {
        match self {
            Self::Once { from, until } => {
                [*from, *until].into_iter().filter(|at| *at > now).min().unwrap_or(Timestamp::MAX)
            }
            Self::Weekly { hours, .. } => hours.turns_after(now, zone),
        }
    }
}

impl Window {
    /// Whether it is open at `now`.
    pub fn is_open(&self, now: Timestamp, zone: &TimeZone) -> bool {
        self.span.is_open(now, zone)
    }

    /// All moments of a span at which it may open or close.
    pub fn turns(&self, from: Timestamp, until: Timestamp, zone: &TimeZone) -> Vec<Timestamp> {
        self.span.turns(from, until, zone)
    }

    /// When it may open or close next, and after an hour at the latest.
    pub fn turns_after(&self, now: Timestamp, zone: &TimeZone) -> Timestamp {
        self.span.turns_after(now, zone)
    }

    /// Whether it will never be open again.
    pub fn is_over(&self, now: Timestamp) -> bool {
        matches!(self.span, Span::Once { until, .. } if until <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weekly_hours_over_midnight_belong_to_the_day_on_which_they_begin() {
        let zone = TimeZone::fixed(jiff::tz::offset(7));
        let hours = "22:00-02:00".parse().expect("a span");
        // Sundays.
        let span = Span::Weekly { days: vec![7], hours };
        let (author, reason) = (String::new(), String::new());
        let window = Window { id: "w".into(), scope: Scope::All, span, author, reason };
        let at = |text: &str| window.is_open(format!("{text}+07:00").parse().expect("a time"), &zone);
        assert!(at("2026-11-22T22:00:00") && at("2026-11-23T01:59:59"), "Sunday night");
        assert!(!at("2026-11-22T01:00:00") && !at("2026-11-23T02:00:00") && !at("2026-11-23T22:30:00"));
    }
}
