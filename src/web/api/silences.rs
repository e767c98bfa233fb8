//! What is out of service on purpose: listing, beginning and ending it.

use super::{
    Done, Json, Problem, Refusal, Seen, ToSchema,
    incidents::described,
    refusal::{Body, Name},
};
use crate::{
    model::Window,
    request::{Request, Silence},
    web::{origin::OwnPage, visitor::Visitor},
};
use axum::http::StatusCode;
use serde::Serialize;

/// All windows that are not over, those of the configuration first.
#[utoipa::path(get, path = "/api/v1/silences", tag = "silences", responses((status = 200, body = Vec<Window>)))]
pub(super) async fn list(Seen(shared): Seen) -> Json<Vec<Window>> {
    Json(shared.snapshot().windows.to_vec())
}

/// The window that was set.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Created {
    /// By which it is ended early.
    id: String,
}

/// Takes something out of service on purpose: its alerts are kept back until the end.
#[utoipa::path(post, path = "/api/v1/silences", tag = "silences", request_body = Silence,
    responses((status = 201, body = Created), (status = 400, body = Problem), (status = 404, body = Problem),
        (status = 422, body = Problem), (status = 503, body = Problem)))]
pub(super) async fn silence(
    Seen(shared): Seen,
    visitor: Visitor,
    _: OwnPage,
    Body(wish): Body<Silence>,
) -> Result<(StatusCode, Json<Created>), Refusal> {
    described(&wish.author, "author")?;
    described(&wish.reason, "reason")?;
    let id = shared.ask(&visitor.by, Request::Silence(wish)).await?.to_string();
    Ok((StatusCode::CREATED, Json(Created { id })))
}

/// Ends a window early that somebody set; those of the configuration are ended there.
#[utoipa::path(delete, path = "/api/v1/silences/{id}", tag = "silences", params(("id" = String, Path)),
    responses((status = 200, body = Done), (status = 404, body = Problem), (status = 503, body = Problem)))]
pub(super) async fn unsilence(
    Seen(shared): Seen,
    visitor: Visitor,
    Name(id): Name,
    _: OwnPage,
) -> Result<Json<Done>, Refusal> {
    Ok(Json(shared.ask(&visitor.by, Request::Unsilence { window: id }).await?.into()))
}
