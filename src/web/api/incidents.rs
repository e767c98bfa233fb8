//! Incidents: what is open or ended lately, what is past, what happened to one, and taking one on.

use super::{
    Done, Json, Problem, Refusal, Seen, ToSchema,
    refusal::{Ask, Body, Name},
};
use crate::{
    model::{Ack, Cause, Happening, Incident, Language, Level, PersonId, Snapshot},
    request::{Request, TakeOn},
    web::{
        incidents::{Asked, Search, Told},
        origin::OwnPage,
        state::Shared,
        visitor::Visitor,
    },
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
    /// Who answered first for the contractor.
    responded: Option<Ack>,
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
        responded: incident.responded.clone(),
        merged: incident.merged.clone(),
        episode: incident.episode,
    }
}

/// Incidents that a search gives at once.
const FOUND: usize = 100;

/// Incidents that are open, or ended within the last hours; newest first. With anything to search by: all that match, open
/// and past, at most 100 at once; the next ones are those before the lowest number.
#[utoipa::path(get, path = "/api/v1/incidents", tag = "incidents", params(Asked),
    responses((status = 200, body = Vec<Shown>), (status = 400, body = Problem), (status = 503, body = Problem)))]
pub(super) async fn list(Seen(shared): Seen, Ask(asked): Ask<Asked>) -> Result<Json<Vec<Shown>>, Refusal> {
    let snapshot = shared.snapshot();
    if asked.is_empty() {
        return Ok(Json(snapshot.incidents.iter().map(|incident| shown(&snapshot, incident)).collect()));
    }
    let search = Search::whole(&asked).map_err(Refusal::malformed)?;
    let sought = search.sought(&snapshot.fleet, &shared.cache.index(&snapshot.fleet), snapshot.at, FOUND);
    let found = shared.cache.incidents().read_list(sought).await.map_err(Refusal::unavailable)?;
    Ok(Json(found.incidents.iter().map(|incident| now(&snapshot, incident)).collect()))
}

/// An incident as it is now, if the snapshot has it, or as it was written.
fn now(snapshot: &Snapshot, read: &Incident) -> Shown {
    shown(snapshot, snapshot.incident(read.id.as_str()).map_or(read, |now| now))
}

/// One incident, open or past, by its id or number.
#[utoipa::path(get, path = "/api/v1/incidents/{id}", tag = "incidents", params(("id" = String, Path)),
    responses((status = 200, body = Shown), (status = 404, body = Problem), (status = 503, body = Problem)))]
pub(super) async fn one(Seen(shared): Seen, Name(id): Name) -> Result<Json<Shown>, Refusal> {
    let snapshot = shared.snapshot();
    if let Some(incident) = snapshot.incident(&id) {
        return Ok(Json(shown(&snapshot, incident)));
    }
    Ok(Json(now(&snapshot, &known(&shared, &id).await?.incident)))
}

async fn known(shared: &Shared, id: &str) -> Result<std::sync::Arc<Told>, Refusal> {
    let told = shared.cache.incidents().read_one(id).await.map_err(Refusal::unavailable)?;
    told.ok_or_else(Refusal::no_incident)
}

/// What happened to an incident and to its messages.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Timeline {
    /// The number by which people know it.
    number: u32,
    /// The name for people of what failed.
    place: String,
    /// In the order of time.
    entries: Vec<TimelineEntry>,
    /// Who did not answer within some step of the escalation.
    silent: Vec<TimelinePerson>,
}

/// One thing that happened.
#[derive(Debug, Serialize, ToSchema)]
struct TimelineEntry {
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    what: Happening,
    /// The incident's notice that it belongs to, from 1.
    step: u32,
    /// Who is told.
    person: Option<TimelinePerson>,
    /// Over which channel they are told, or answered.
    channel: Option<String>,
    /// How bad it is, where that is the news.
    level: Option<Level>,
    /// Until when, where something lasts.
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
    /// Why, by whom, or of what, in English.
    detail: String,
    /// Where a step was taken: who had been told by then, and did not answer.
    silent: Vec<TimelinePerson>,
    /// Who was to be told by then, and no channel had taken it.
    unreached: Vec<TimelinePerson>,
}

/// Somebody of the roster.
#[derive(Debug, Serialize, ToSchema)]
struct TimelinePerson {
    id: String,
    /// What they are called; their id where the roster has them no more.
    name: String,
}

/// What happened to an incident, open or past: who was told what, when and over which channel, who took it on, and who did
/// not answer within a step.
#[utoipa::path(get, path = "/api/v1/incidents/{id}/timeline", tag = "incidents", params(("id" = String, Path)),
    responses((status = 200, body = Timeline), (status = 404, body = Problem), (status = 503, body = Problem)))]
pub(super) async fn timeline(Seen(shared): Seen, Name(id): Name) -> Result<Json<Timeline>, Refusal> {
    let told = known(&shared, &id).await?;
    let names = shared.cache.incidents().names();
    let person = |id: &PersonId| TimelinePerson { id: id.to_string(), name: names(id) };
    let entry = |line: &crate::model::TimelineLine| TimelineEntry {
        at: line.entry.at,
        what: line.entry.what,
        step: line.entry.step,
        person: line.entry.person.as_ref().map(person),
        channel: line.entry.channel.as_ref().map(ToString::to_string),
        level: line.entry.level,
        until: line.entry.until,
        detail: line.entry.detail.text(Language::OF_PROGRAMS),
        silent: line.silent.iter().map(person).collect(),
        unreached: line.unreached.iter().map(person).collect(),
    };
    Ok(Json(Timeline {
        number: told.incident.number,
        place: shared.snapshot().place(&told.incident.cause),
        entries: told.timeline.lines.iter().map(entry).collect(),
        silent: told.timeline.silent().into_iter().map(person).collect(),
    }))
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
    in_name(&shared, &visitor, body, |by| Request::TakeOn { incident: id, by, via: "command".into() }).await
}

/// Asks for what somebody does under the name that they give.
pub(super) async fn in_name(
    shared: &Shared,
    visitor: &Visitor,
    body: TakeOn,
    request: impl FnOnce(String) -> Request,
) -> Result<Json<Done>, Refusal> {
    described(&body.by, "by")?;
    Ok(Json(shared.ask(&visitor.by, request(body.by)).await?.into()))
}

/// Whether a name or a reason is as long as it is described to be.
pub(super) fn described(text: &str, key: &str) -> Result<(), Refusal> {
    if text.is_empty() || text.chars().count() > 80 {
        return Err(Refusal::malformed(format!("{key} has no letter, or more than 80")));
    }
    Ok(())
}
