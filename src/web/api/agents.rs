//! Agents: when each was last heard of, and what waits with it.

use super::{Json, Seen};
use crate::web::agents::{AgentStanding, all};

/// All agents, by the link that each is.
#[utoipa::path(get, path = "/api/v1/agents", tag = "agents", responses((status = 200, body = Vec<AgentStanding>)))]
pub(super) async fn list(Seen(shared): Seen) -> Json<Vec<AgentStanding>> {
    Json(all(&shared.snapshot()))
}
