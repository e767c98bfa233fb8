//! The uptime report: each second of each camera, site and link is up, down or excluded (IEC 60050-192).
//!
//! Pure functions of the fleet, the journal's history and a span of time. The states are a closed set, exactly one of
//! which holds in each second, so the seconds of a thing always add up to the span. What was not seen, was in
//! maintenance, lay in its owner's hours or passed while the monitor was down is shown and never counted as up.

mod account;
mod lines;
mod report;
mod settings;
mod span;
mod tally;
mod timeline;

pub use account::{Account, Class, Seconds};
pub use lines::{CauseLine, DayLine, IncidentLine, Line, Report, Trend, Verdict};
pub use report::{of_month, reach};
pub use settings::Settings;
pub use span::{Month, Period};

#[cfg(test)]
mod tests;
