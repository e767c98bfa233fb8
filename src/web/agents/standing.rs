//! What pages and the line know of agents.

use crate::model::{AgentMessage, AgentPlan, Fits, LinkId, Snapshot};
use jiff::Timestamp;
use serde::Serialize;
use std::{collections::BTreeMap, sync::Arc};
use utoipa::ToSchema;

/// The plan of an agent.
pub type PlanFn = Arc<dyn Fn(&LinkId) -> Option<Arc<AgentPlan>> + Send + Sync>;

/// Takes note of an agent's message; how its version fits the daemon's.
pub type HeardFn = Arc<dyn Fn(&LinkId, &AgentMessage) -> Fits + Send + Sync>;

/// Counts a message that was refused, by why.
pub type DoubtFn = Arc<dyn Fn(&'static str) + Send + Sync>;

/// Makes a code of what is good once; nothing where it is not known where agents reach the daemon.
pub type CodeFn = Arc<dyn Fn() -> Option<Box<dyn Fn(&str) -> String + Send>> + Send + Sync>;

/// What the line knows of agents.
#[derive(Clone)]
pub struct Agents {
    /// What an agent is to do now.
    pub plan: PlanFn,
    /// An agent was heard of.
    pub heard: HeardFn,
    /// A message was refused.
    pub doubted: DoubtFn,
    /// What codes are made by.
    pub code: CodeFn,
}

/// How an agent stands.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(in crate::web) struct AgentStanding {
    /// The link that it is.
    pub(in crate::web) link: String,
    /// When it was last heard of since the daemon runs.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(in crate::web) heard: Option<Timestamp>,
    /// Its program's version.
    pub(in crate::web) version: String,
    /// How its version fits the daemon's; nothing before it was heard of.
    pub(in crate::web) fits: Option<Fits>,
    /// Looks that wait with it.
    pub(in crate::web) backlog: u64,
    /// Looks that it had to give up.
    pub(in crate::web) dropped: u64,
    /// Alarms that it told by a channel of its own.
    pub(in crate::web) alarms: u64,
    /// Its clock minus the daemon's, with the way of its message.
    pub(in crate::web) clock_offset_seconds: Option<f64>,
    /// Cameras that it looks at.
    pub(in crate::web) cameras: usize,
}

/// How all agents stand.
pub(in crate::web) fn all(snapshot: &Snapshot) -> Vec<AgentStanding> {
    let fleet = &snapshot.fleet;
    // Most fleets have none, and some have thousands of cameras.
    if fleet.agents().next().is_none() {
        return Vec::new();
    }
    let mut cameras: BTreeMap<LinkId, usize> = BTreeMap::new();
    for agent in fleet.cameras.values().filter_map(|camera| fleet.agent_of(camera)) {
        *cameras.entry(agent).or_default() += 1;
    }
    fleet.agents().map(|(id, _)| standing(snapshot, id, cameras.get(id).copied().unwrap_or_default())).collect()
}

fn standing(snapshot: &Snapshot, id: &LinkId, cameras: usize) -> AgentStanding {
    let contact = snapshot.agents.get(id);
    AgentStanding {
        link: id.to_string(),
        heard: contact.and_then(|contact| contact.heard),
        version: contact.map(|contact| contact.version.clone()).unwrap_or_default(),
        fits: contact.map(|contact| contact.fits),
        backlog: contact.map_or(0, |contact| contact.backlog),
        dropped: contact.map_or(0, |contact| contact.dropped),
        alarms: contact.map_or(0, |contact| contact.alarms),
        clock_offset_seconds: contact.and_then(|contact| contact.clock_offset_seconds),
        cameras,
    }
}
