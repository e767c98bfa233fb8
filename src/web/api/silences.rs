//! What is out of service on purpose: listing, beginning and ending it.

use super::{
    Done, Json, Problem, Refusal, Shared, State, ToSchema,
    incidents::named,
    refusal::{Body, Name},
};
use crate::{
    model::{Scope, Window, later},
    web::{command::Command, incident::LONGEST_MINUTES, router::OwnPage},
};
use axum::http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// All windows that are not over, those of the configuration first.
#[utoipa::path(get, path = "/api/v1/silences", tag = "silences", responses((status = 200, body = Vec<Window>)))]
pub(super) async fn list(State(shared): State<Shared>) -> Json<Vec<Window>> {
    Json(shared.state.snapshots.borrow().windows.to_vec())
}

/// A wish to take something out of service. Its end is given by `minutes` or by `until`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Silence {
    /// What.
    scope: Scope,
    /// From when; at once without it.
    #[schema(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// Until when, at most 31 days from its beginning.
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
    /// For how long. JSON has one kind of number: 5.0 is 5.
    #[schema(value_type = Option<u64>, minimum = 1, maximum = 44640)]
    minutes: Option<f64>,
    /// Who decides it.
    #[schema(min_length = 1, max_length = 80)]
    author: String,
    /// Why.
    #[schema(min_length = 1, max_length = 80)]
    reason: String,
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
    State(shared): State<Shared>,
    _: OwnPage,
    Body(wish): Body<Silence>,
) -> Result<(StatusCode, Json<Created>), Refusal> {
    let (author, reason) = (named(&wish.author, "author")?, named(&wish.reason, "reason")?);
    let whole = |minutes: f64| minutes.fract() == 0.0 && (1.0..=LONGEST_MINUTES as f64).contains(&minutes);
    if wish.minutes.is_some_and(|minutes| !whole(minutes)) {
        return Err(Refusal::malformed("minutes: a whole number, at least 1, at most 44640 (31 days)"));
    }
    let snapshot = shared.state.snapshots.borrow().clone();
    if !wish.scope.is_known(&snapshot.fleet) {
        return Err(Refusal::not_found(&format!("there is no such {}", wish.scope.kind())));
    }
    let begin = wish.from.unwrap_or(snapshot.at);
    let after = |minutes: u64| later(begin, Duration::from_secs(minutes * 60));
    let until = match (wish.until, wish.minutes) {
        (Some(until), None) => until,
        (None, Some(minutes)) => after(minutes as u64),
        _ => return Err(Refusal::unprocessable("give either until or minutes")),
    };
    if until > after(LONGEST_MINUTES) {
        return Err(Refusal::unprocessable("at most 31 days; longer maintenance belongs into the configuration"));
    }
    let id = shared.ask(Command::Silence { scope: wish.scope, from: wish.from, until, author, reason }).await?;
    Ok((StatusCode::CREATED, Json(Created { id })))
}

/// Ends a window early that somebody set; those of the configuration are ended there.
#[utoipa::path(delete, path = "/api/v1/silences/{id}", tag = "silences", params(("id" = String, Path)),
    responses((status = 200, body = Done), (status = 404, body = Problem), (status = 503, body = Problem)))]
pub(super) async fn unsilence(State(shared): State<Shared>, Name(id): Name, _: OwnPage) -> Result<Json<Done>, Refusal> {
    match shared.ask(Command::Unsilence(id)).await {
        Ok(done) => Ok(Json(Done { done })),
        Err((StatusCode::BAD_REQUEST, error)) => Err(Refusal::not_found(&error)),
        Err(refused) => Err(refused.into()),
    }
}
