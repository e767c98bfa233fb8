//! What the journal remembers of a span of time: the raw material of the uptime report.

use super::{
    CameraId, DeviceFacts, Incident, IncidentId, LateLook, Level, LinkId, LinkRecord, SiteId, Transition, Window,
};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// All that bears on a span of time, each list in the order in which it was written.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct History {
    /// When the monitor ran.
    pub runs: Vec<Run>,
    /// Since when anything is remembered, in whatever span; `None` where that is not known.
    pub begins: Option<Timestamp>,
    /// Until when it was forgotten, in whatever span; `None` if nothing is yet.
    pub forgotten: Option<Timestamp>,
    /// Changes of cameras: those decided since the span began, and the last of each camera before it.
    pub transitions: Vec<Transition>,
    /// Looks of agents that came too late for the present, by camera and time.
    pub late: Vec<LateLook>,
    /// Changes of sites, in the same way.
    pub levels: Vec<LevelChange>,
    /// Changes of links, in the same way.
    pub links: Vec<LinkRecord>,
    /// Incidents that were open at some time of the span.
    pub incidents: Vec<Incident>,
    /// When incidents were first told and taken on, as far as that was within the span.
    pub first: BTreeMap<IncidentId, First>,
    /// Windows that people set and that were not over when the span began.
    pub windows: Vec<Window>,
    /// What devices said last of themselves.
    pub devices: BTreeMap<CameraId, DeviceFacts>,
}

/// When an incident was first told to anybody, and first taken on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct First {
    /// When a channel first took a message of it.
    pub sent: Option<Timestamp>,
    /// When somebody first took it on.
    pub taken_on: Option<Timestamp>,
}

/// A run of the monitor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// When it began.
    pub from: Timestamp,
    /// When it was last known to run.
    pub until: Timestamp,
}

/// A site's change of level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LevelChange {
    /// Which site.
    pub site: SiteId,
    /// Its level from then on.
    pub level: Level,
    /// Since when.
    pub since: Timestamp,
}

/// Whose changes bear on something.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bearing {
    /// Cameras.
    pub cameras: Vec<CameraId>,
    /// Sites.
    pub sites: Vec<SiteId>,
    /// Links.
    pub links: Vec<LinkId>,
}
