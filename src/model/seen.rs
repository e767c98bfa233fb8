//! One look in a line, as a camera's last ones are kept.

use super::{Check, Detail, Failure, Observation, ToldLook};
use jiff::Timestamp;
use std::time::Duration;

/// One look in a line. A province's cameras have a quarter of a million of these, so each is small.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    started: Timestamp,
    check: Check,
    /// In microseconds.
    took: u32,
    bytes: u32,
    failure: Option<Box<Failure>>,
}

impl Seen {
    /// The line of a look, and what was found wrong.
    pub fn new(look: &Observation, failure: Option<Failure>) -> Self {
        Self {
            started: look.started,
            check: look.check,
            took: u32::try_from(look.took.as_micros()).unwrap_or(u32::MAX),
            bytes: u32::try_from(look.bytes).unwrap_or(u32::MAX),
            failure: failure.map(Box::new),
        }
    }

    /// The look with its detail as `tell` has it.
    pub fn told(&self, tell: impl Fn(&Detail) -> String) -> ToldLook {
        ToldLook {
            started: self.started,
            check: self.check,
            took: Duration::from_micros(self.took.into()),
            bytes: self.bytes.into(),
            failure: self.failure.as_ref().map(|failure| failure.told(tell)),
        }
    }
}
