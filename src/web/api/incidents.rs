//! Incidents: what is open or ended lately, and taking one on.

use super::{
    Done, Json, Problem, Refusal, Seen, ToSchema,
    refusal::{Body, Name},
};
use crate::{
    model::{Ack, Cause, Incident, Level, Snapshot},
    request::{Request, TakeOn},
    web::{origin::OwnPage, visitor::Visitor},
};
use jiff::Timestamp;
use serde::Serialize;

/// An incident with names. Who is told over what stays inside.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Shown {
    /// By what machines tell repetitions.
    id: String,
    /// The number by which people know it: #42.
    number: u32,
    /// What failed.
    cause: Cause,
    /// The name for people of what failed.
    place: String,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    /// When it was decided.
    #[schema(value_type = String, format = DateTime)]
    opened: Timestamp,
    /// When it ended.
    #[schema(value_type = Option<String>, format = DateTime)]
    closed: Option<Timestamp>,
    /// The worst level that was told.
    level: Level,
    /// The worst level of its sites now; `level` where it has none, `full` where it recovers or ended.
    level_now: Level,
    /// Since when all its sites are well enough again, while that must still last before it ends.
    #[schema(value_type = Option<String>, format = DateTime)]
    recovering_since: Option<Timestamp>,
    /// Sites that it keeps below their threshold.
    sites: Vec<String>,
    /// Who has taken it on.
    acknowledged: Option<Ack>,
    /// Numbers of the incidents that turned out to be part of it.
    merged: Vec<u32>,
    /// Which one of its cause within hours it is, from 1.
    episode: u32,
}

fn shown(snapshot: &Snapshot, incident: &Incident) -> Shown {
    Shown {
        id: incident.id.to_string(),
        number: incident.number,
        cause: incident.cause.clone(),
        place: snapshot.place(&incident.cause),
        since: incident.since,
        opened: incident.opened,
        closed: incident.closed,
        level: incident.told,
        level_now: snapshot.course(incident).level(),
        recovering_since: snapshot.course(incident).recovering(),
        sites: incident.sites.keys().map(ToString::to_string).collect(),
        acknowledged: incident.ack.clone(),
        merged: incident.merged.clone(),
        episode: incident.episode,
    }
}

/// Incidents that are open, or ended within the last hours; newest first.
#[utoipa::path(get, path = "/api/v1/incidents", tag = "incidents", responses((status = 200, body = Vec<Shown>)))]
pub(super) async fn list(Seen(shared): Seen) -> Json<Vec<Shown>> {
    let snapshot = shared.snapshot();
    Json(snapshot.incidents.iter().map(|incident| shown(&snapshot, incident)).collect())
}

/// One incident, by its id or number.
#[utoipa::path(get, path = "/api/v1/incidents/{id}", tag = "incidents", params(("id" = String, Path)),
    responses((status = 200, body = Shown), (status = 404, body = Problem)))]
pub(super) async fn one(Seen(shared): Seen, Name(id): Name) -> Result<Json<Shown>, Refusal> {
    let snapshot = shared.snapshot();
    snapshot.incident(&id).map(|incident| Json(shown(&snapshot, incident))).ok_or_else(Refusal::no_incident)
}

/// Takes an incident on: its escalation stops.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/ack", tag = "incidents", params(("id" = String, Path)),
    request_body = TakeOn,
    responses((status = 200, body = Done), (status = 400, body = Problem), (status = 404, body = Problem),
        (status = 422, body = Problem), (status = 503, body = Problem)))]
pub(super) async fn take_on(
    Seen(shared): Seen,
    visitor: Visitor,
    Name(id): Name,
    _: OwnPage,
    Body(body): Body<TakeOn>,
) -> Result<Json<Done>, Refusal> {
    described(&body.by, "by")?;
    let done = shared.ask(&visitor.by, Request::TakeOn { incident: id, by: body.by, via: "command".into() }).await?;
    Ok(Json(done.into()))
}

/// Whether a name or a reason is as long as it is described to be.
pub(super) fn described(text: &str, key: &str) -> Result<(), Refusal> {
    if text.is_empty() || text.chars().count() > 80 {
        return Err(Refusal::malformed(format!("{key} has no letter, or more than 80")));
    }
    Ok(())
}
