//! The time before now in pieces, of one thing, of an area and of the commune: what pages draw as strips.

use super::{
    Json, Problem, Refusal, Seen, Shared, ToSchema,
    refusal::{Ask, Name},
};
use crate::{
    model::FailureKind,
    uptime::{Account, Of, Range, Seconds, Strip},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What of a piece was not well is told so often at most.
const FAULTS: usize = 8;

/// How far back is asked for.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Back {
    /// A day in half hours, a week in pieces of two hours, or thirty days in pieces of eight; a day if nothing is said.
    range: Option<Range>,
}

/// The time before now in pieces of one length.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct StripLine {
    /// How far back it goes.
    range: Range,
    /// First moment.
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    /// The moment up to which it is counted.
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
    /// Seconds in each state; of several sites added up.
    seconds: Seconds,
    /// Up as a share of up and down, 0 to 1; null where neither was.
    service: Option<f64>,
    /// How much of the time in which it was to work was measured, 0 to 1.
    measured: Option<f64>,
    /// In order, at most 90. They begin at whole hours where people live; the last one still runs.
    pieces: Vec<PieceLine>,
}

/// A piece of it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PieceLine {
    /// First moment.
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    /// First moment after it.
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
    /// Seconds in each state.
    seconds: Seconds,
    /// Up as a share of up and down, 0 to 1; null where neither was.
    service: Option<f64>,
    /// What was not well and why, the longest first, at most 8.
    faults: Vec<FaultLine>,
}

/// What was not well in a piece.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FaultLine {
    /// As what it counts.
    account: Account,
    /// Why, where a camera said so; of sites, what most of their cameras said that did not see.
    cause: Option<FailureKind>,
    /// Of sites: whether no view at all was seen.
    blind: bool,
    /// For how long; of several sites added up.
    seconds: i64,
    /// The same as a share of the piece, 0 to 1.
    share: f64,
}

fn line(strip: &Strip) -> StripLine {
    let at = |second: i64| Timestamp::from_second(second).unwrap_or(Timestamp::UNIX_EPOCH);
    let pieces = strip.pieces.iter().map(|piece| {
        let total = piece.seconds.total().max(1) as f64;
        let mut faults: Vec<FaultLine> = (piece.unwell.iter())
            .map(|(stands, seconds)| FaultLine {
                account: stands.account,
                cause: stands.cause,
                blind: stands.blind,
                seconds: *seconds,
                share: *seconds as f64 / total,
            })
            .collect();
        faults.sort_by_key(|fault| std::cmp::Reverse(fault.seconds));
        faults.truncate(FAULTS);
        let (from, until) = (at(piece.from), at(piece.until));
        PieceLine { from, until, seconds: piece.seconds, service: piece.seconds.service(), faults }
    });
    let seconds = strip.seconds();
    StripLine {
        range: strip.range,
        from: at(strip.pieces.first().map_or(0, |piece| piece.from)),
        until: at(strip.pieces.last().map_or(0, |piece| piece.until)),
        seconds,
        service: seconds.service(),
        measured: seconds.measured(),
        pieces: pieces.collect(),
    }
}

fn not_yet() -> Refusal {
    Refusal::unavailable("the journal has not been read yet, or cannot be: try again in some seconds".to_owned())
}

async fn one(shared: &Shared, of: Of, back: &Back) -> Result<Json<StripLine>, Refusal> {
    let fleet = shared.snapshot().fleet.clone();
    if of.bearing(&fleet).is_none() {
        return Err(Refusal::not_found("there is no such thing"));
    }
    let range = back.range.unwrap_or_default();
    let past = shared.cache.past();
    past.ready(Some((of.clone(), range))).await;
    past.one(&of, range).map(|looked| Json(line(&looked.strip))).ok_or_else(not_yet)
}

/// How a camera stood.
#[utoipa::path(get, path = "/api/v1/cameras/{id}/strip", tag = "cameras", params(("id" = String, Path), Back), responses(
    (status = 200, body = StripLine), (status = 400, body = Problem), (status = 404, body = Problem),
    (status = 503, body = Problem)))]
pub(super) async fn camera(
    Seen(shared): Seen,
    Name(id): Name,
    Ask(back): Ask<Back>,
) -> Result<Json<StripLine>, Refusal> {
    one(&shared, Of::Camera(id.as_str().into()), &back).await
}

/// How a site stood.
#[utoipa::path(get, path = "/api/v1/sites/{id}/strip", tag = "sites", params(("id" = String, Path), Back), responses(
    (status = 200, body = StripLine), (status = 400, body = Problem), (status = 404, body = Problem),
    (status = 503, body = Problem)))]
pub(super) async fn site(Seen(shared): Seen, Name(id): Name, Ask(back): Ask<Back>) -> Result<Json<StripLine>, Refusal> {
    one(&shared, Of::Site(id.as_str().into()), &back).await
}

/// How a link stood.
#[utoipa::path(get, path = "/api/v1/links/{id}/strip", tag = "sites", params(("id" = String, Path), Back), responses(
    (status = 200, body = StripLine), (status = 400, body = Problem), (status = 404, body = Problem),
    (status = 503, body = Problem)))]
pub(super) async fn link(Seen(shared): Seen, Name(id): Name, Ask(back): Ask<Back>) -> Result<Json<StripLine>, Refusal> {
    one(&shared, Of::Link(id.as_str().into()), &back).await
}

/// How the sites of an area stood, added up, with those of areas that are a part of it.
#[utoipa::path(get, path = "/api/v1/areas/{id}/strip", tag = "sites", params(("id" = String, Path), Back), responses(
    (status = 200, body = StripLine), (status = 400, body = Problem), (status = 404, body = Problem),
    (status = 503, body = Problem)))]
pub(super) async fn area(Seen(shared): Seen, Name(id): Name, Ask(back): Ask<Back>) -> Result<Json<StripLine>, Refusal> {
    if !shared.snapshot().fleet.areas.contains_key(id.as_str()) {
        return Err(Refusal::not_found("there is no such area; /api/v1/areas lists them"));
    }
    let all = shared.cache.past().all(back.range.unwrap_or_default()).ok_or_else(not_yet)?;
    // Before the next reading an area that a reload brought has none; nor has one without sites.
    all.areas.get(id.as_str()).map(|strip| Json(line(strip))).ok_or_else(not_yet)
}

/// How all sites of the commune stood, added up.
#[utoipa::path(get, path = "/api/v1/strip", tag = "status", params(Back), responses(
    (status = 200, body = StripLine), (status = 400, body = Problem), (status = 503, body = Problem)))]
pub(super) async fn commune(Seen(shared): Seen, Ask(back): Ask<Back>) -> Result<Json<StripLine>, Refusal> {
    let all = shared.cache.past().all(back.range.unwrap_or_default()).ok_or_else(not_yet)?;
    Ok(Json(line(&all.commune)))
}
