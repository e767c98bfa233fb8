//! One camera's state machine: looks in, confirmed changes of state out.
//!
//! Pure: time comes with each call. State moves on counts of results, never on durations alone, so that a clock
//! that was set cannot invent an outage. The one thing that time decides is staleness: what was not seen lately is
//! `unknown`, which pages nobody.

mod hindsight;
mod judge;
mod machine;
mod settings;

pub use hindsight::hindsight;
pub use judge::{Measure, judge};
pub use machine::{Machine, Standing};
pub use settings::Settings;
