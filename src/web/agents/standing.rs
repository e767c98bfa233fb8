//! What pages and the line know of agents.

use crate::model::{AgentMessage, AgentPlan, LinkId};
use jiff::Timestamp;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// The plan of an agent.
pub type PlanFn = Arc<dyn Fn(&LinkId) -> Option<Arc<AgentPlan>> + Send + Sync>;

/// Takes note of an agent's message.
pub type HeardFn = Arc<dyn Fn(&LinkId, &AgentMessage) + Send + Sync>;

/// What pages and the line know of agents.
#[derive(Clone)]
pub struct Agents {
    /// What an agent is to do now.
    pub plan: PlanFn,
    /// An agent was heard of.
    pub heard: HeardFn,
    /// How all of them stand.
    pub standing: Arc<dyn Fn() -> Vec<AgentStanding> + Send + Sync>,
}

/// How an agent stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AgentStanding {
    /// The link that it is.
    pub link: String,
    /// When it was last heard of since the daemon runs.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub heard: Option<Timestamp>,
    /// Its program's version.
    pub version: String,
    /// Looks that wait with it.
    pub backlog: u64,
    /// Looks that it had to give up.
    pub dropped: u64,
    /// Cameras that it looks at.
    pub cameras: usize,
}
