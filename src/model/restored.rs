//! What an earlier run of the daemon left: where everything stood, what was learned, and which incidents are open.

use super::{CameraId, Incident, LinkRecord, LoginRecord, Memory, SiteRecord, Transition, Window};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// What an earlier run of the daemon left in the journal.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Restored {
    /// The last transition of each camera.
    pub cameras: Vec<Transition>,
    /// Each site as it stood.
    pub sites: Vec<SiteRecord>,
    /// What was learned of each camera.
    pub memories: Vec<(CameraId, Memory)>,
    /// When each camera last proved that it sees.
    pub proofs: BTreeMap<CameraId, Timestamp>,
    /// How each device's logins fared.
    pub logins: Vec<LoginRecord>,
    /// Where each link stood.
    pub links: Vec<LinkRecord>,
    /// Incidents that are open, or ended lately.
    pub incidents: Vec<Incident>,
    /// The highest number that an incident ever had.
    pub last_number: u32,
    /// When the last exercise began.
    pub drilled: Option<Timestamp>,
    /// Windows that people set and that are not over.
    pub windows: Vec<Window>,
    /// How far each agent's looks are taken in, by its key.
    pub agents: BTreeMap<String, u64>,
}
