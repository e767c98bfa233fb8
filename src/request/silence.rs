//! Taking something out of service on purpose, for a time, and ending that early.

use super::{Done, Field, Invalid, Refused, TooMany, Unknown, name};
use crate::model::{Fleet, Scope, Span, Window, elapsed, later};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use utoipa::ToSchema;

/// The longest that something may be silenced at once; longer is for the configuration.
const LONGEST_MINUTES: u64 = 31 * 24 * 60;
/// Windows that people have set and that are not over, at once. A commune has some forty sites; more than this is a
/// flood, and the next real one must find room.
const WINDOWS: usize = 200;
/// Windows that may be set in a day, so that setting and ending them again fills no disk.
const WINDOWS_A_DAY: u32 = 1000;
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// How far ahead a window may begin: longer plans belong into the configuration.
const HORIZON: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// A wish to take something out of service. Its end is given by `minutes` or by `until`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Silence {
    /// What.
    pub scope: Scope,
    /// From when; at once without it.
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// Until when, at most 31 days from its beginning.
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// For how long. JSON has one kind of number: 5.0 is 5.
    #[schema(value_type = Option<u64>, minimum = 1, maximum = 44640)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minutes: Option<f64>,
    /// Who decides it.
    #[schema(min_length = 1, max_length = 80)]
    pub author: String,
    /// Why.
    #[schema(min_length = 1, max_length = 80)]
    pub reason: String,
}

/// How many windows people have set lately.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    since: Timestamp,
    set: u32,
}

impl Quota {
    /// None yet.
    pub fn new(now: Timestamp) -> Self {
        Self { since: now, set: 0 }
    }

    /// Whether one more may be set; it is then counted.
    fn take(&mut self, now: Timestamp) -> Result<(), Refused> {
        // A clock that was set back begins a new day too.
        if elapsed(now, self.since) >= DAY || now < self.since {
            *self = Self::new(now);
        }
        if self.set >= WINDOWS_A_DAY {
            return Err(Refused::TooMany(TooMany::WindowsADay(WINDOWS_A_DAY)));
        }
        self.set += 1;
        Ok(())
    }
}

/// The windows that people have set.
pub struct Windows<'w, F: Fn(&str) -> bool> {
    /// How many are not over.
    pub standing: usize,
    /// How many were set lately.
    pub quota: &'w mut Quota,
    /// The number in the id of the last one that was set.
    pub last: &'w mut i64,
    /// Whether there is one of this id.
    pub is_there: F,
}

/// The window that a wish sets, if it may.
pub fn window<F: Fn(&str) -> bool>(
    now: Timestamp,
    wish: Silence,
    fleet: &Fleet,
    windows: Windows<'_, F>,
) -> Result<Window, Refused> {
    let (author, reason) = (name(&wish.author, Field::Author)?, name(&wish.reason, Field::Reason)?);
    if wish.minutes.is_some_and(|minutes| !is_length(minutes)) {
        return Err(Refused::Invalid(Invalid::Minutes));
    }
    if !wish.scope.is_known(fleet) {
        return Err(Refused::Unknown(Unknown::Scope(wish.scope)));
    }
    let span = span(now, wish.from, wish.until, wish.minutes).map_err(Refused::Invalid)?;
    if windows.standing >= WINDOWS {
        return Err(Refused::TooMany(TooMany::Windows(windows.standing)));
    }
    windows.quota.take(now)?;
    // Several in one millisecond, or after the clock was set back, must not overwrite each other.
    *windows.last = now.as_millisecond().max(windows.last.saturating_add(1));
    while (windows.is_there)(&format!("w{}", windows.last)) {
        *windows.last = windows.last.saturating_add(1);
    }
    Ok(Window { id: format!("w{}", windows.last), scope: wish.scope, span, author, reason })
}

fn is_length(minutes: f64) -> bool {
    minutes.fract() == 0.0 && (1.0..=LONGEST_MINUTES as f64).contains(&minutes)
}

fn span(
    now: Timestamp,
    from: Option<Timestamp>,
    until: Option<Timestamp>,
    minutes: Option<f64>,
) -> Result<Span, Invalid> {
    let begin = from.unwrap_or(now);
    let after = |minutes: u64| later(begin, Duration::from_secs(minutes * 60));
    let until = match (until, minutes) {
        (Some(until), None) => until,
        // It is a whole number within bounds.
        (None, Some(minutes)) => after(minutes as u64),
        _ => return Err(Invalid::End),
    };
    let from = begin.max(now);
    match () {
        () if until > after(LONGEST_MINUTES) => Err(Invalid::Longer),
        () if from >= until => Err(Invalid::Past),
        () if from > later(now, HORIZON) => Err(Invalid::TooFar),
        () => Ok(Span::Once { from, until }),
    }
}

/// Ends a window early, if `is_there`.
pub fn end(window: String, is_there: bool) -> Result<Done, Refused> {
    if is_there { Ok(Done::Unsilenced { window }) } else { Err(Refused::Unknown(Unknown::Window(window))) }
}
