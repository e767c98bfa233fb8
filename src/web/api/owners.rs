//! That somebody at this machine reads who lends a camera is put into the audit trail. The answer says nothing of them: the
//! command reads the file itself, when the trail has it.

use super::{Done, Json, Problem, Refusal, Seen, ToSchema, incidents::described, refusal::Body};
use crate::{
    model::CameraId,
    request,
    web::{origin::OwnPage, visitor::Visitor},
};
use serde::Deserialize;

/// Somebody is about to read who lends a camera.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct Reading {
    /// Which camera.
    camera: String,
    /// What for.
    #[schema(min_length = 1, max_length = 200)]
    reason: String,
}

/// Puts into the audit trail that somebody at this machine reads who lends a camera. For people there is a page; programs
/// with a token are refused, and nobody is answered with a household's name.
#[utoipa::path(post, path = "/api/v1/owner-readings", tag = "settings", request_body = Reading, responses(
    (status = 200, body = Done), (status = 400, body = Problem), (status = 404, body = Problem),
    (status = 422, body = Problem), (status = 503, body = Problem)))]
pub(super) async fn note(
    Seen(shared): Seen,
    visitor: Visitor,
    _: OwnPage,
    Body(body): Body<Reading>,
) -> Result<Json<Done>, Refusal> {
    described(&body.reason, "reason")?;
    let fleet = shared.snapshot().fleet.clone();
    let request = request::read_owner(&CameraId::from(body.camera.as_str()), &body.reason, &fleet)?;
    Ok(Json(shared.ask(&visitor.by, request).await?.into()))
}
