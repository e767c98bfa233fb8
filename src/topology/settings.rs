//! When silence below a link becomes a verdict.

use std::time::Duration;

/// The policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Devices that must be silent together; fewer where a link has fewer.
    pub witnesses: usize,
    /// How long nothing below a link must answer, from the end of the first silent look on.
    pub confirm_after: Duration,
    /// How long alarms wait at most for a verdict on the links above.
    pub hold: Duration,
    /// After a link is back, cameras below it may take so long to be seen again.
    pub settle: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            witnesses: 3,
            confirm_after: Duration::from_secs(10),
            hold: Duration::from_secs(30),
            settle: Duration::from_secs(180),
        }
    }
}
