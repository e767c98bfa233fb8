//! The checked configuration: each module's own settings side by side, and the fleet.

use crate::{deliver, health, journal, model::Fleet, probe, schedule, web};
use std::sync::Arc;

/// A configuration in which every name that is used exists and every value is in range.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The inventory.
    pub fleet: Arc<Fleet>,
    /// The state machine's policy.
    pub health: health::Settings,
    /// Cadence and limits.
    pub schedule: schedule::Settings,
    /// Time limits of a probe.
    pub probe: probe::Settings,
    /// The journal.
    pub journal: journal::Settings,
    /// Channels and the roster.
    pub deliver: deliver::Settings,
    /// The listener.
    pub web: web::Settings,
}
