//! What is open under the contract, and the contractor's answer.

use super::{
    Done, Json, Problem, Refusal, Seen, ToSchema,
    incidents::in_name,
    refusal::{Body, Name},
};
use crate::{
    model::{Ack, Level},
    request::{Request, TakeOn},
    uptime::Clock,
    web::{origin::OwnPage, visitor::Visitor},
};
use jiff::Timestamp;
use serde::Serialize;

/// Pieces of a clock that are told, the latest.
const PIECES: usize = 100;

/// What is open under the contract.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Open {
    /// When it was worked out; about every half minute.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Who is bound by it; `null` where there is no contract.
    contractor: Option<String>,
    /// Open incidents that are under any term, by their numbers.
    incidents: Vec<Under>,
}

/// An open incident under the contract.
#[derive(Debug, Serialize, ToSchema)]
struct Under {
    /// Its id.
    id: String,
    /// The number by which people know it.
    number: u32,
    /// The name for people of what failed.
    place: String,
    /// The worst level that was told.
    level: Level,
    /// When it was decided.
    #[schema(value_type = String, format = DateTime)]
    opened: Timestamp,
    /// Who answered first for the contractor.
    responded: Option<Ack>,
    /// Who has taken it on.
    acknowledged: Option<Ack>,
    /// How it stands under each of its terms, that of the worst level first; of what its seconds count as the last 100 pieces.
    clocks: Vec<Clock>,
}

/// Open incidents under the contract: what is left of each term, and what each second counts as.
#[utoipa::path(get, path = "/api/v1/contract", tag = "incidents", responses((status = 200, body = Open)))]
pub(super) async fn open(Seen(shared): Seen) -> Json<Open> {
    let (snapshot, clocks, bound) =
        (shared.snapshot(), shared.cache.incidents().clocks(), shared.cache.incidents().is_bound());
    let seen = |clock: &Clock| {
        let left_out = clock.pieces.len().saturating_sub(PIECES);
        Clock { pieces: clock.pieces[left_out..].to_vec(), ..clock.clone() }
    };
    let under = |incident: &std::sync::Arc<crate::model::Incident>| Under {
        id: incident.id.to_string(),
        number: incident.number,
        place: snapshot.place(&incident.cause),
        level: incident.told,
        opened: incident.opened,
        responded: incident.responded.clone(),
        acknowledged: incident.ack.clone(),
        clocks: clocks.of_seen(incident, bound).iter().map(seen).collect(),
    };
    let mut incidents: Vec<Under> = snapshot.open_incidents().map(under).filter(|one| !one.clocks.is_empty()).collect();
    incidents.sort_by_key(|incident| incident.number);
    Json(Open { at: clocks.at, contractor: clocks.contractor.clone(), incidents })
}

/// Answers for the contractor that they see to an incident. The first answer counts; its escalation goes on.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/respond", tag = "incidents", params(("id" = String, Path)),
    request_body = TakeOn,
    responses((status = 200, body = Done), (status = 400, body = Problem), (status = 404, body = Problem),
        (status = 422, body = Problem), (status = 503, body = Problem)))]
pub(super) async fn respond(
    Seen(shared): Seen,
    visitor: Visitor,
    Name(id): Name,
    _: OwnPage,
    Body(body): Body<TakeOn>,
) -> Result<Json<Done>, Refusal> {
    in_name(&shared, &visitor, body, |by| Request::Respond { incident: id, by, via: "command".into() }).await
}
