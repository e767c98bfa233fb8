//! What people do about incidents over HTTP: taking one on, and taking something out of service.
//!
//! A signed link in a message needs no login: it is good for one incident and one person, until somebody has taken the
//! incident on. It is opened by `GET`, which changes nothing, since mail programs and chats follow links to show a
//! preview; the button there sends `POST`. Used again it says who was first.

use super::{
    asked,
    gate::Modest,
    incident::{Signed, main, no_such},
    origin::OwnPage,
    page::moment,
    rendered::Subject,
    report,
    seen::Seen,
    state::{Shared, Wish},
    visit,
    visitor::Visitor,
    whole::{Frame, html},
    words::words,
};
use crate::{
    model::{Ack, Incident, Language, Snapshot},
    request::{Done, Drill, Invalid, Refused, Request, Silence},
    rights::{By, Right, Who},
};
use axum::{
    Form, Router,
    extract::{Path, Query, State},
    http::{StatusCode, header},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use serde::Deserialize;
use std::sync::Arc;

/// Rounds of an incident, from the last back, whose links are still known for ours.
const ROUNDS: u32 = 16;

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/incidents/{id}", get(show))
        .route("/incidents/{id}/file", get(file))
        .route("/incidents/{id}/ack", post(take_on_form))
        .route("/incidents/{id}/respond", post(respond_form))
        .route("/incidents/{id}/silence", post(silence_form))
        .route("/sites/{id}/drill", post(drill_form))
        .route("/ack/{incident}/{person}/{signature}", get(link).post(take_on_link))
}

/// The page of whom a signed link is for.
fn for_one(
    shared: &Shared,
    visitor: &Visitor,
    (snapshot, incident): (&Snapshot, &Incident),
    language: Language,
    signed: Signed,
) -> Response {
    // It is not renewed in place: its button would be lost.
    let events = format!("/events?lang={}&incident=", words(language).lang);
    let path = format!("/incidents/{}", incident.number);
    // Whoever holds a message is not asked who they are: people are named to those who sign in.
    let main = main(snapshot, incident, (None, None), language, signed);
    let frame = Frame { shared, visitor, snapshot, language, path: &path, events: &events };
    html(main.and_then(|main| frame.whole(&main)))
}

fn gone(language: Language) -> Response {
    (StatusCode::NOT_FOUND, no_such(language)).into_response()
}

async fn show(Seen(shared): Seen, visitor: Visitor, Path(id): Path<String>, Query(wish): Query<Wish>) -> Response {
    visit::show(&shared, &visitor, &wish, &Subject::Incident(id, visitor.may(Right::SeeTold)), no_such).await
}

/// The same as a file to keep, which needs nothing beside it.
async fn file(Seen(shared): Seen, visitor: Visitor, Path(id): Path<String>, Query(wish): Query<Wish>) -> Response {
    let snapshot = shared.snapshot();
    let (language, subject) = (wish.language(&snapshot), Subject::Incident(id, visitor.may(Right::SeeTold)));
    shared.cache.ready(&subject, &snapshot).await;
    let main = match shared.cache.main(&snapshot, &subject, language) {
        Ok(Some(main)) => main,
        Ok(None) => return gone(language),
        Err(error) => return html(Err(error)),
    };
    let title = format!("{} – {}", words(language).incident, snapshot.fleet.commune.name);
    let page = report::alone(&title, &String::from_utf8_lossy(&main), language);
    let name = "attachment; filename=\"camhealth-incident.html\"";
    ([(header::CONTENT_DISPOSITION, name)], html(page)).into_response()
}

#[derive(Debug, Deserialize)]
struct TakeOn {
    #[serde(default)]
    by: String,
}

async fn take_on_form(
    Seen(shared): Seen,
    visitor: Visitor,
    Path(id): Path<String>,
    _: OwnPage,
    Form(form): Form<TakeOn>,
) -> Response {
    let (by, via) = (named(&visitor, form.by), "page".to_owned());
    let back = format!("/incidents/{id}");
    asked_then(&shared, &visitor.by, Request::TakeOn { incident: id, by, via }, &back).await
}

async fn respond_form(
    Seen(shared): Seen,
    visitor: Visitor,
    Path(id): Path<String>,
    _: OwnPage,
    Form(form): Form<TakeOn>,
) -> Response {
    let (by, via) = (named(&visitor, form.by), "page".to_owned());
    let back = format!("/incidents/{id}#contract");
    asked_then(&shared, &visitor.by, Request::Respond { incident: id, by, via }, &back).await
}

/// Asks for something, and leads back when it is done.
async fn asked_then(shared: &Shared, whose: &By, request: Request, back: &str) -> Response {
    match shared.ask(whose, request).await {
        Ok(_) => Redirect::to(back).into_response(),
        Err(refused) => asked::refusal(&refused),
    }
}

#[derive(Debug, Deserialize)]
struct SilenceForm {
    scope: String,
    minutes: u64,
    #[serde(default)]
    author: String,
    reason: String,
}

async fn silence_form(
    Seen(shared): Seen,
    visitor: Visitor,
    Path(id): Path<String>,
    _: OwnPage,
    Form(form): Form<SilenceForm>,
) -> Response {
    let Ok(scope) = form.scope.parse() else {
        return (StatusCode::BAD_REQUEST, "there is no such thing to silence\n").into_response();
    };
    let (from, until, minutes) = (None, None, Some(form.minutes as f64));
    let wish = Silence { scope, from, until, minutes, author: named(&visitor, form.author), reason: form.reason };
    match shared.ask(&visitor.by, Request::Silence(wish)).await {
        Ok(_) => Redirect::to(&format!("/incidents/{id}")).into_response(),
        Err(Refused::Invalid(Invalid::Minutes)) => {
            (StatusCode::BAD_REQUEST, "at least a minute, at most 31 days\n").into_response()
        }
        Err(refused) => asked::refusal(&refused),
    }
}

async fn drill_form(
    Seen(shared): Seen,
    visitor: Visitor,
    Path(id): Path<String>,
    _: OwnPage,
    Form(form): Form<TakeOn>,
) -> Response {
    let wish = Drill { site: id.as_str().into(), by: named(&visitor, form.by) };
    match shared.ask(&visitor.by, Request::Drill(wish)).await {
        Ok(Done::Drilling { number }) => Redirect::to(&format!("/incidents/{number}")).into_response(),
        Ok(_) => Redirect::to("/incidents").into_response(),
        Err(refused) => asked::refusal(&refused),
    }
}

/// Who does something: whoever signed in is known by name, others say it.
fn named(visitor: &Visitor, said: String) -> String {
    visitor.name().map_or(said, str::to_owned)
}

/// A link that is one of ours.
struct Link {
    snapshot: Arc<Snapshot>,
    incident: Arc<Incident>,
    /// Whom it is for.
    name: String,
    /// Whether the incident was told anew since, with another link.
    is_old: bool,
    /// By what it does nothing any more.
    used: Option<Ack>,
}

impl Link {
    fn of(shared: &Shared, path: &(String, String, String)) -> Option<Self> {
        let (id, person, signature) = path;
        let snapshot = shared.snapshot();
        let incident = snapshot.incident(id)?.clone();
        let round = incident.round();
        let mut rounds = (round.saturating_sub(ROUNDS)..=round).rev();
        let (signed, name) =
            rounds.find_map(|round| Some((round, (shared.state.signer)(id, round, person, signature)?)))?;
        let is_old = signed < round;
        let used = if is_old { incident.lapsed.as_ref().map(|lapsed| &lapsed.last) } else { incident.ack.as_ref() };
        Some(Self { used: used.cloned(), snapshot, incident, name, is_old })
    }

    /// What it shows: a button, or why it has none.
    fn page(&self, shared: &Shared, visitor: &Visitor, action: String, language: Language) -> Response {
        let signed = match &self.used {
            Some(ack) => Signed { button: None, used: self.why_used(ack) },
            None => Signed { button: Some((action, self.name.clone())), used: Vec::new() },
        };
        for_one(shared, visitor, (&self.snapshot, &self.incident), language, signed)
    }

    /// Whoever holds a message may read either language.
    fn why_used(&self, ack: &Ack) -> Vec<(&'static str, String)> {
        let (by, at) = (&ack.by, moment(ack.at, &self.snapshot).text);
        let (vietnamese, english) = match ack.via == "link" && *by == self.name {
            true => ("Liên kết này đã được dùng", "This link has been used"),
            false => ("Liên kết này không còn tác dụng", "This link does nothing any more"),
        };
        let (anew_vi, anew_en) = match self.is_old {
            true => (" Sau đó sự cố được báo lại với liên kết mới.", " It was told anew since, with another link."),
            false => ("", ""),
        };
        vec![
            ("vi", format!("{vietnamese}: {by} đã nhận sự cố lúc {at}.{anew_vi}")),
            ("en", format!("{english}: {by} took the incident on at {at}.{anew_en}")),
        ]
    }
}

fn action(path: &(String, String, String)) -> String {
    format!("/ack/{}/{}/{}", path.0, path.1, path.2)
}

async fn link(
    State(shared): State<Shared>,
    visitor: Visitor,
    Path(path): Path<(String, String, String)>,
    Query(wish): Query<Wish>,
) -> Response {
    let language = wish.language(&shared.snapshot());
    Link::of(&shared, &path)
        .map_or_else(|| gone(language), |link| link.page(&shared, &visitor, action(&path), language))
}

async fn take_on_link(
    State(shared): State<Shared>,
    visitor: Visitor,
    _: Modest,
    Path(path): Path<(String, String, String)>,
    Query(wish): Query<Wish>,
) -> Response {
    let language = wish.language(&shared.snapshot());
    let Some(link) = Link::of(&shared, &path) else { return gone(language) };
    if link.used.is_some() || link.incident.closed.is_some() {
        // The event loop is not asked: a message that went astray changes nothing, and writes nothing.
        return (StatusCode::CONFLICT, link.page(&shared, &visitor, action(&path), language)).into_response();
    }
    let number = link.incident.number;
    // The link says who they are, whoever may be signed in there.
    let by = By { who: Who::Called(link.name.clone()), from: visitor.by.from };
    let request = Request::TakeOn { incident: number.to_string(), by: link.name, via: "link".to_owned() };
    asked_then(&shared, &by, request, &format!("/incidents/{number}")).await
}
