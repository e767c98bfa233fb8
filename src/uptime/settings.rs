//! What was agreed: the targets, and which links are the contractor's.

use super::contract::Contract;
use crate::{health, model::LinkKind};

/// The agreement that the report is held against.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Availability agreed for cameras, 0 to 1; held against the contractor's share.
    pub camera_target: f64,
    /// Availability agreed for sites, 0 to 1.
    pub site_target: f64,
    /// Share of the time in question that must have been measured for a verdict, 0 to 1.
    pub measured_at_least: f64,
    /// Links that the contractor answers for; an outage of another one is not theirs.
    pub contractors_links: Vec<LinkKind>,
    /// What was agreed on repairs.
    pub contract: Option<Contract>,
    /// How what agents told later is judged: as it would have been at once.
    pub health: health::Settings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            // Public buyers ask for 98 to 99 %.
            camera_target: 0.98,
            site_target: 0.99,
            measured_at_least: 0.95,
            contractors_links: vec![LinkKind::Switch],
            contract: None,
            health: health::Settings::default(),
        }
    }
}
