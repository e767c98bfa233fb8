//! Incidents over HTTP: their page, taking one on, and taking something out of service.
//!
//! A signed link in a message needs no login: it is good for one incident and one person. It is opened by `GET`, which
//! changes nothing, since mail programs and chats follow links to show a preview; the button there sends `POST`.

use super::{
    Command,
    page::{self, moment},
    router::{OwnPage, Shared, Wish, html},
    words::{Words, words},
};
use crate::model::{Cause, Incident, Language, Level, Scope, Snapshot, later};
use askama::Template;
use axum::{
    Form, Json, Router,
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
    routing::{delete, get, post},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::{sync::Arc, time::Duration};

/// The longest that something may be silenced at once; longer is for the configuration.
const LONGEST_MINUTES: u64 = 31 * 24 * 60;

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/incidents/{id}", get(show))
        .route("/incidents/{id}/ack", post(take_on_form))
        .route("/incidents/{id}/silence", post(silence_form))
        .route("/ack/{incident}/{person}/{signature}", get(link).post(take_on_link))
        .route("/api/v1/incidents", get(list))
        .route("/api/v1/incidents/{id}", get(one))
        .route("/api/v1/incidents/{id}/ack", post(take_on))
        .route("/api/v1/silences", get(windows).post(silence))
        .route("/api/v1/silences/{id}", delete(unsilence))
}

#[derive(Template)]
#[template(path = "incident.html")]
struct Page<'a> {
    words: &'a Words,
    incident: &'a Incident,
    place: String,
    level: &'static str,
    level_class: &'static str,
    since: String,
    closed: Option<String>,
    ack: Option<(String, String)>,
    sites: Vec<(String, String, &'static str, &'static str)>,
    cause: &'static str,
    /// Where the button of a signed link posts to, and who presses it.
    signed: Option<(String, String)>,
    scopes: Vec<(String, String)>,
}

fn render(snapshot: &Snapshot, incident: &Incident, language: Language, signed: Option<(String, String)>) -> Response {
    let words = words(language);
    // A signed page is not renewed in place: its button would be lost.
    let listens_to = if signed.is_some() { "" } else { incident.id.as_str() };
    let events = format!("/events?lang={}&incident={listens_to}", words.lang);
    let path = format!("/incidents/{}", incident.id);
    let main = main(snapshot, incident, language, signed);
    html(main.and_then(|main| page::whole(&main, snapshot, language, &path, &events)))
}

/// The page's content.
pub(super) fn main(
    snapshot: &Snapshot,
    incident: &Incident,
    language: Language,
    signed: Option<(String, String)>,
) -> askama::Result<String> {
    let words = words(language);
    let ack = incident.ack.as_ref();
    let site = |id: &crate::model::SiteId| {
        let level = snapshot.sites.get(id).map_or(Level::Unknown, |site| site.level);
        (id.to_string(), snapshot.place(&Cause::Site(id.clone())), level.text(language), level.as_str())
    };
    let mut scopes: Vec<(String, String)> =
        (incident.sites.keys()).map(|id| (format!("site:{id}"), snapshot.place(&Cause::Site(id.clone())))).collect();
    if let Cause::Link(link) = &incident.cause {
        scopes.insert(0, (format!("link:{link}"), snapshot.place(&incident.cause)));
    }
    let page = Page {
        words,
        incident,
        place: snapshot.place(&incident.cause),
        level: incident.told.text(language),
        level_class: incident.told.as_str(),
        since: moment(incident.since, snapshot).text,
        closed: incident.closed.map(|at| moment(at, snapshot).text),
        ack: ack.map(|ack| (ack.by.clone(), moment(ack.at, snapshot).text)),
        sites: incident.sites.keys().map(site).collect(),
        cause: cause_text(&incident.cause, language),
        signed,
        scopes,
    };
    page.render()
}

fn cause_text(cause: &Cause, language: Language) -> &'static str {
    match (cause, language) {
        (Cause::Site(_), Language::Vi) => "camera tại chỗ",
        (Cause::Site(_), Language::En) => "cameras on the spot",
        (Cause::Link(_), Language::Vi) => "đường truyền hoặc nguồn điện",
        (Cause::Link(_), Language::En) => "link or power",
        (Cause::Device(_), Language::Vi) => "đầu ghi",
        (Cause::Device(_), Language::En) => "recorder",
        (Cause::Commune, Language::Vi) => "toàn xã",
        (Cause::Commune, Language::En) => "the whole commune",
        (Cause::Monitor, Language::Vi) => "máy giám sát",
        (Cause::Monitor, Language::En) => "the monitor itself",
    }
}

fn gone(language: Language) -> Response {
    let text = match language {
        Language::Vi => "Không có sự cố này, hoặc đã kết thúc từ lâu.\n",
        Language::En => "There is no such incident, or it ended long ago.\n",
    };
    (StatusCode::NOT_FOUND, text).into_response()
}

async fn show(State(shared): State<Shared>, Path(id): Path<String>, Query(wish): Query<Wish>) -> Response {
    let snapshot = shared.state.snapshots.borrow().clone();
    let language = wish.language(&snapshot);
    match snapshot.incident(&id).cloned() {
        Some(incident) => render(&snapshot, &incident, language, None),
        None => gone(language),
    }
}

#[derive(Debug, Deserialize)]
struct TakeOn {
    by: String,
}

/// A name that people typed.
fn name(text: &str) -> Result<String, (StatusCode, String)> {
    let name: String = text.trim().chars().filter(|c| !c.is_control()).take(80).collect();
    if name.is_empty() {
        return Err((StatusCode::BAD_REQUEST, "a name is missing: send it as \"by\" or \"author\"\n".into()));
    }
    Ok(name)
}

async fn acknowledge(shared: &Shared, incident: String, by: &str, via: &str) -> Result<String, (StatusCode, String)> {
    let by = name(by)?;
    shared.ask(Command::Acknowledge { incident, by, via: via.to_owned() }).await
}

async fn take_on_form(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    _: OwnPage,
    Form(form): Form<TakeOn>,
) -> Response {
    match acknowledge(&shared, id.clone(), &form.by, "page").await {
        Ok(_) => Redirect::to(&format!("/incidents/{id}")).into_response(),
        Err(refusal) => refusal.into_response(),
    }
}

#[derive(Debug, Deserialize)]
struct SilenceForm {
    scope: String,
    minutes: u64,
    author: String,
    reason: String,
}

async fn silence_form(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    _: OwnPage,
    Form(form): Form<SilenceForm>,
) -> Response {
    let (kind, target) = form.scope.split_once(':').unwrap_or((form.scope.as_str(), ""));
    let scope = serde_json::from_value(serde_json::json!({"kind": kind, "id": target}));
    let Ok(scope) = scope else { return (StatusCode::BAD_REQUEST, "no such scope\n").into_response() };
    let wish = Silence {
        scope,
        from: None,
        minutes: Some(form.minutes),
        until: None,
        author: form.author,
        reason: form.reason,
    };
    match put_silence(&shared, wish).await {
        Ok(_) => Redirect::to(&format!("/incidents/{id}")).into_response(),
        Err(refusal) => refusal.into_response(),
    }
}

/// The incident and the name of whom a signed link is for.
fn signed(shared: &Shared, path: &(String, String, String)) -> Option<(Arc<Snapshot>, Arc<Incident>, String)> {
    let (id, person, signature) = path;
    let name = (shared.state.signer)(id, person, signature)?;
    let snapshot = shared.state.snapshots.borrow().clone();
    let incident = snapshot.incident(id)?.clone();
    Some((snapshot, incident, name))
}

async fn link(
    State(shared): State<Shared>,
    Path(path): Path<(String, String, String)>,
    Query(wish): Query<Wish>,
) -> Response {
    let language = wish.language(&shared.state.snapshots.borrow());
    match signed(&shared, &path) {
        Some((snapshot, incident, name)) => {
            let action = format!("/ack/{}/{}/{}", path.0, path.1, path.2);
            render(&snapshot, &incident, language, Some((action, name)))
        }
        None => gone(language),
    }
}

async fn take_on_link(
    State(shared): State<Shared>,
    Path(path): Path<(String, String, String)>,
    Query(wish): Query<Wish>,
) -> Response {
    let language = wish.language(&shared.state.snapshots.borrow());
    let Some((_, incident, name)) = signed(&shared, &path) else { return gone(language) };
    match acknowledge(&shared, incident.id.to_string(), &name, "link").await {
        Ok(_) => Redirect::to(&format!("/incidents/{}", incident.id)).into_response(),
        Err(refusal) => refusal.into_response(),
    }
}

/// An incident for machines, with names. Who is told over what stays inside.
#[derive(Debug, Serialize)]
struct Shown<'a> {
    id: &'a str,
    number: u32,
    cause: &'a Cause,
    place: String,
    since: Timestamp,
    opened: Timestamp,
    closed: Option<Timestamp>,
    level: Level,
    sites: Vec<&'a str>,
    acknowledged: Option<&'a crate::model::Ack>,
    merged: &'a [u32],
    episode: u32,
}

fn shown<'a>(snapshot: &Snapshot, incident: &'a Incident) -> Shown<'a> {
    Shown {
        id: incident.id.as_str(),
        number: incident.number,
        cause: &incident.cause,
        place: snapshot.place(&incident.cause),
        since: incident.since,
        opened: incident.opened,
        closed: incident.closed,
        level: incident.told,
        sites: incident.sites.keys().map(|site| site.as_str()).collect(),
        acknowledged: incident.ack.as_ref(),
        merged: &incident.merged,
        episode: incident.episode,
    }
}

async fn list(State(shared): State<Shared>) -> Response {
    let snapshot = shared.state.snapshots.borrow().clone();
    let incidents: Vec<Shown<'_>> = snapshot.incidents.iter().map(|incident| shown(&snapshot, incident)).collect();
    Json(incidents).into_response()
}

async fn one(State(shared): State<Shared>, Path(id): Path<String>) -> Response {
    let snapshot = shared.state.snapshots.borrow().clone();
    match snapshot.incident(&id) {
        Some(incident) => Json(shown(&snapshot, incident)).into_response(),
        None => gone(Language::En),
    }
}

async fn take_on(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    _: OwnPage,
    Json(body): Json<TakeOn>,
) -> Response {
    match acknowledge(&shared, id, &body.by, "command").await {
        Ok(done) => format!("{done}\n").into_response(),
        Err(refusal) => refusal.into_response(),
    }
}

async fn windows(State(shared): State<Shared>) -> Response {
    Json(shared.state.snapshots.borrow().windows.as_ref()).into_response()
}

/// A wish to take something out of service.
#[derive(Debug, Deserialize)]
struct Silence {
    scope: Scope,
    from: Option<Timestamp>,
    until: Option<Timestamp>,
    minutes: Option<u64>,
    author: String,
    reason: String,
}

async fn put_silence(shared: &Shared, wish: Silence) -> Result<String, (StatusCode, String)> {
    let now = shared.state.snapshots.borrow().at;
    let bad = |text: &str| (StatusCode::BAD_REQUEST, format!("{text}\n"));
    let longest = later(wish.from.unwrap_or(now), Duration::from_secs(LONGEST_MINUTES * 60));
    let until = match (wish.until, wish.minutes) {
        (Some(until), None) => until,
        (None, Some(minutes)) => {
            later(wish.from.unwrap_or(now), Duration::from_secs(minutes.min(LONGEST_MINUTES + 1) * 60))
        }
        _ => return Err(bad("give either until or minutes")),
    };
    if until > longest {
        return Err(bad("at most 31 days; longer maintenance belongs into the configuration"));
    }
    let (author, reason) = (name(&wish.author)?, name(&wish.reason).map_err(|_| bad("a reason is missing"))?);
    shared.ask(Command::Silence { scope: wish.scope, from: wish.from, until, author, reason }).await
}

async fn silence(State(shared): State<Shared>, _: OwnPage, Json(wish): Json<Silence>) -> Response {
    match put_silence(&shared, wish).await {
        Ok(id) => (StatusCode::CREATED, Json(serde_json::json!({"id": id}))).into_response(),
        Err(refusal) => refusal.into_response(),
    }
}

async fn unsilence(State(shared): State<Shared>, Path(id): Path<String>, _: OwnPage) -> Response {
    match shared.ask(Command::Unsilence(id)).await {
        Ok(done) => format!("{done}\n").into_response(),
        Err(refusal) => refusal.into_response(),
    }
}
