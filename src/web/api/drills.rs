//! Exercises: beginning one.

use super::{Done, Json, Problem, Refusal, Seen, incidents::described, refusal::Body};
use crate::{
    request::{Drill, Request},
    web::{origin::OwnPage, visitor::Visitor},
};

/// Begins an exercise: all goes as if the site had gone blind, from the decision to the key that somebody presses, and says that
/// it is one. It is over when somebody takes it on, or ten minutes after the last step of the escalation.
#[utoipa::path(post, path = "/api/v1/drills", tag = "incidents", request_body = Drill,
    responses((status = 200, body = Done), (status = 400, body = Problem), (status = 404, body = Problem),
        (status = 422, body = Problem), (status = 503, body = Problem)))]
pub(super) async fn begin(
    Seen(shared): Seen,
    visitor: Visitor,
    _: OwnPage,
    Body(wish): Body<Drill>,
) -> Result<Json<Done>, Refusal> {
    described(&wish.by, "by")?;
    Ok(Json(shared.ask(&visitor.by, Request::Drill(wish)).await?.into()))
}
