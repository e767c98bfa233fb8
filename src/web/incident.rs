//! Incidents over HTTP: their page, taking one on, and taking something out of service.
//!
//! A signed link in a message needs no login: it is good for one incident and one person. It is opened by `GET`, which
//! changes nothing, since mail programs and chats follow links to show a preview; the button there sends `POST`.

use super::{
    Command,
    gate::Modest,
    page::{self, moment},
    rendered::Subject,
    router::{OwnPage, Shared, Wish, html},
    words::{Words, words},
};
use crate::model::{Cause, Course, Incident, Language, Level, Snapshot, later};
use askama::Template;
use axum::{
    Form, Router,
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use serde::Deserialize;
use std::{sync::Arc, time::Duration};

/// The longest that something may be silenced at once; longer is for the configuration.
pub(super) const LONGEST_MINUTES: u64 = 31 * 24 * 60;

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/incidents/{id}", get(show))
        .route("/incidents/{id}/ack", post(take_on_form))
        .route("/incidents/{id}/silence", post(silence_form))
        .route("/ack/{incident}/{person}/{signature}", get(link).post(take_on_link))
}

#[derive(Template)]
#[template(path = "incident.html")]
struct Page<'a> {
    words: &'a Words,
    incident: &'a Incident,
    place: String,
    /// How it stands, and the worst that was told where that is another.
    level: String,
    worst: Option<&'static str>,
    level_class: &'static str,
    since: String,
    closed: Option<String>,
    ack: Option<(String, String)>,
    sites: Vec<Site>,
    cause: &'static str,
    /// Where the button of a signed link posts to, and who presses it.
    signed: Option<(String, String)>,
    scopes: Vec<(String, String)>,
}

/// A site's id, name, level, its class, and that it recovers.
type Site = (String, String, &'static str, &'static str, Option<String>);

/// The page with the button of whom a signed link is for.
fn for_one(
    shared: &Shared,
    snapshot: &Snapshot,
    incident: &Incident,
    language: Language,
    signed: (String, String),
) -> Response {
    // It is not renewed in place: its button would be lost.
    let events = format!("/events?lang={}&incident=", words(language).lang);
    let path = format!("/incidents/{}", incident.number);
    let main = main(snapshot, incident, language, Some(signed));
    html(main.and_then(|main| page::whole(shared, &main, snapshot, language, &path, &events)))
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
    let course = snapshot.course(incident);
    let site = |id: &crate::model::SiteId| {
        let status = snapshot.sites.get(id);
        let level = status.map_or(Level::Unknown, |site| site.level);
        let recovering = status.and_then(|status| page::recovering(snapshot, status, language));
        (id.to_string(), snapshot.place(&Cause::Site(id.clone())), level.text(language), level.as_str(), recovering)
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
        level: match course {
            // The end stands beside its beginning.
            Course::Ended(_) => incident.told.text(language).to_owned(),
            course => snapshot.course_text(course, language),
        },
        worst: match course {
            Course::Ended(_) => None,
            course => Some(incident.told).filter(|told| course != Course::Lasting(*told)),
        }
        .map(|told| told.text(language)),
        level_class: course.level().as_str(),
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
        (Cause::Unproven(_), Language::Vi) => "camera trả lời nhưng chưa chứng minh được còn hình",
        (Cause::Unproven(_), Language::En) => "cameras that answer and prove nothing",
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

fn no_such(language: Language) -> &'static str {
    match language {
        Language::Vi => "Không có sự cố này, hoặc đã kết thúc từ lâu.\n",
        Language::En => "There is no such incident, or it ended long ago.\n",
    }
}

fn gone(language: Language) -> Response {
    (StatusCode::NOT_FOUND, no_such(language)).into_response()
}

async fn show(State(shared): State<Shared>, Path(id): Path<String>, Query(wish): Query<Wish>) -> Response {
    let snapshot = shared.state.snapshots.borrow().clone();
    let language = wish.language(&snapshot);
    page::of(&shared, &snapshot, language, &Subject::Incident(id), no_such(language))
}

#[derive(Debug, Deserialize)]
struct TakeOn {
    by: String,
}

/// A name that people typed.
pub(super) fn name(text: &str) -> Result<String, (StatusCode, String)> {
    let name: String = text.trim().chars().filter(|c| !c.is_control()).take(80).collect();
    if name.is_empty() {
        return Err((StatusCode::BAD_REQUEST, "it is empty: give a name or a reason that people can read\n".into()));
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
    let Ok(scope) = scope else {
        return (StatusCode::BAD_REQUEST, "there is no such thing to silence\n").into_response();
    };
    if !(1..=LONGEST_MINUTES).contains(&form.minutes) {
        return (StatusCode::BAD_REQUEST, "at least a minute, at most 31 days\n").into_response();
    }
    let (author, reason) = match (name(&form.author), name(&form.reason)) {
        (Ok(author), Ok(reason)) => (author, reason),
        (Err(refusal), _) | (_, Err(refusal)) => return refusal.into_response(),
    };
    let until = later(shared.state.snapshots.borrow().at, Duration::from_secs(form.minutes * 60));
    match shared.ask(Command::Silence { scope, from: None, until, author, reason }).await {
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
            for_one(&shared, &snapshot, &incident, language, (action, name))
        }
        None => gone(language),
    }
}

async fn take_on_link(
    State(shared): State<Shared>,
    _: Modest,
    Path(path): Path<(String, String, String)>,
    Query(wish): Query<Wish>,
) -> Response {
    let language = wish.language(&shared.state.snapshots.borrow());
    let Some((_, incident, name)) = signed(&shared, &path) else { return gone(language) };
    match acknowledge(&shared, incident.number.to_string(), &name, "link").await {
        Ok(_) => Redirect::to(&format!("/incidents/{}", incident.number)).into_response(),
        Err(refusal) => refusal.into_response(),
    }
}
