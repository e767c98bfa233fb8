//! The checked configuration: each module's own settings side by side, and the fleet.

use super::{files::Files, owners::Owners};
use crate::{
    alert, deliver, edits::Sheet, health, journal, metrics, model::Fleet, probe, schedule, topology, uptime, web,
};
use std::sync::Arc;

/// A configuration in which every name that is used exists and every value is in range.
#[derive(Debug, Clone)]
pub struct Config {
    /// The inventory.
    pub fleet: Arc<Fleet>,
    /// When looks become a verdict.
    pub health: health::Settings,
    /// When silence below a link becomes one.
    pub topology: topology::Settings,
    /// Who is told, and when.
    pub alert: alert::Settings,
    /// Cadence and limits.
    pub schedule: schedule::Settings,
    /// Time limits of a probe.
    pub probe: probe::Settings,
    /// The journal.
    pub journal: journal::Settings,
    /// Channels.
    pub deliver: deliver::Settings,
    /// What was agreed on availability.
    pub uptime: uptime::Settings,
    /// How much is told of each camera.
    pub metrics: metrics::Detail,
    /// The listener.
    pub web: web::Settings,
    /// Who lends which camera; only where that is written.
    pub owners: Option<Owners>,
    /// The files that say so, over which edits are laid.
    pub files: Files,
    /// What can be edited, and what comes from where.
    pub sheet: Arc<Sheet>,
}
