//! The uptime report: each second of each camera, site and link is up, down or excluded (IEC 60050-192).
//!
//! Pure functions of the fleet, the journal's history and a span of time. The states are a closed set, exactly one of
//! which holds in each second, so the seconds of a thing always add up to the span. What was not seen, was in
//! maintenance, lay in its owner's hours or passed while the monitor was down is shown and never counted as up.

mod account;
mod answers;
mod clock;
mod contract;
mod lines;
mod past;
mod recorder;
mod report;
mod settings;
mod span;
mod spell;
mod strip;
mod tally;
mod terms;
mod timeline;
mod usual;

pub use account::{Account, Class, Seconds};
pub use answers::{Answers, Spread};
pub use clock::{Clock, Clocks, Deadline, IncidentClocks, Reckoned, ReckonedPiece, Reckoning, Stand, bearing, clocks};
pub use contract::{Contract, Term};
pub use lines::{CauseLine, DayLine, IncidentLine, Line, Report, Trend, Verdict};
pub use recorder::Recorder;
pub use report::{of_month, reach};
pub use settings::Settings;
pub use span::{Month, Period};
pub use spell::{Spell, Stands};
pub use strip::{Of, Piece, Range, Strip, Together, together};
pub use terms::{Kept, TermLine, Terms};
pub use usual::Usual;

#[cfg(test)]
mod tests;

#[cfg(test)]
mod clock_tests;
#[cfg(test)]
mod strip_tests;
