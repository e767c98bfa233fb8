//! Incidents over HTTP: their page, taking one on, and taking something out of service.
//!
//! A signed link in a message needs no login: it is good for one incident and one person, until somebody has taken the
//! incident on. It is opened by `GET`, which changes nothing, since mail programs and chats follow links to show a
//! preview; the button there sends `POST`. Used again it says who was first.

use super::{
    asked,
    gate::Modest,
    ground::urgency,
    page::{self, moment},
    rendered::Subject,
    router::{OwnPage, Shared, Wish, html},
    rows::first_of,
    words::{Words, words},
};
use crate::{
    model::{Ack, Cause, Course, Incident, Language, Level, Scope, SiteId, Snapshot},
    request::{Done, Invalid, Refused, Request, Silence},
};
use askama::Template;
use axum::{
    Form, Router,
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use serde::Deserialize;
use std::sync::Arc;

/// Rounds of an incident, from the last back, whose links are still known for ours.
const ROUNDS: u32 = 16;

/// Sites of an incident that its page shows.
const SITES: usize = 100;

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
    sites_more: usize,
    cause: &'static str,
    signed: Signed,
    scopes: Vec<(String, String)>,
}

/// What a page is opened by, where that is a signed link.
#[derive(Default)]
pub(super) struct Signed {
    /// Where its button posts to, and who presses it.
    button: Option<(String, String)>,
    /// Why it has none, in each language.
    used: Vec<(&'static str, String)>,
}

/// A site's id, name, level, its class, and that it recovers.
type Site = (String, String, &'static str, &'static str, Option<String>);

/// The page of whom a signed link is for.
fn for_one(shared: &Shared, snapshot: &Snapshot, incident: &Incident, language: Language, signed: Signed) -> Response {
    // It is not renewed in place: its button would be lost.
    let events = format!("/events?lang={}&incident=", words(language).lang);
    let path = format!("/incidents/{}", incident.number);
    let main = main(snapshot, incident, language, signed);
    html(main.and_then(|main| page::whole(shared, &main, snapshot, language, &path, &events)))
}

/// The page's content.
pub(super) fn main(
    snapshot: &Snapshot,
    incident: &Incident,
    language: Language,
    signed: Signed,
) -> askama::Result<String> {
    let words = words(language);
    let ack = incident.ack.as_ref();
    let course = snapshot.course(incident);
    // The worst first where they are too many: an incident of the whole commune has all of them.
    let mut worst: Vec<&SiteId> = incident.sites.keys().collect();
    if worst.len() > SITES {
        let rank = |id: &SiteId| snapshot.sites.get(id).map_or(u8::MAX, |site| urgency(site.level));
        worst = first_of(worst, SITES, |a, b| rank(a).cmp(&rank(b)).then_with(|| a.cmp(b)));
    }
    let site = |id: &SiteId| {
        let status = snapshot.sites.get(id);
        let level = status.map_or(Level::Unknown, |site| site.level);
        let recovering = status.and_then(|status| page::recovering(snapshot, status, language));
        (id.to_string(), snapshot.place(&Cause::Site(id.clone())), level.text(language), level.as_str(), recovering)
    };
    let mut scopes: Vec<(String, String)> = (worst.iter())
        .map(|id| (Scope::Site((*id).clone()).to_string(), snapshot.place(&Cause::Site((*id).clone()))))
        .collect();
    if let Cause::Link(link) = &incident.cause {
        scopes.insert(0, (Scope::Link(link.clone()).to_string(), snapshot.place(&incident.cause)));
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
        sites: worst.iter().map(|id| site(id)).collect(),
        sites_more: incident.sites.len() - worst.len(),
        cause: cause_text(&incident.cause, language),
        signed,
        scopes,
    };
    page.render()
}

fn cause_text(cause: &Cause, language: Language) -> &'static str {
    let (vietnamese, english) = match cause {
        Cause::Site(_) => ("camera tại chỗ", "cameras on the spot"),
        Cause::Unproven(_) => {
            ("camera trả lời nhưng chưa chứng minh được còn hình", "cameras that answer and prove nothing")
        }
        Cause::Link(_) => ("đường truyền hoặc nguồn điện", "link or power"),
        Cause::Device(_) => ("đầu ghi", "recorder"),
        Cause::Commune => ("toàn xã", "the whole commune"),
        Cause::Monitor => ("máy giám sát", "the monitor itself"),
    };
    language.pick(vietnamese, english)
}

fn no_such(language: Language) -> &'static str {
    language.pick(
        "Không có sự cố này, hoặc đã kết thúc từ lâu.
",
        "There is no such incident, or it ended long ago.
",
    )
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

async fn take_on(shared: &Shared, incident: String, by: String, via: &str) -> Result<Done, Refused> {
    shared.ask(Request::TakeOn { incident, by, via: via.to_owned() }).await
}

async fn take_on_form(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    _: OwnPage,
    Form(form): Form<TakeOn>,
) -> Response {
    match take_on(&shared, id.clone(), form.by, "page").await {
        Ok(_) => Redirect::to(&format!("/incidents/{id}")).into_response(),
        Err(refused) => asked::refusal(&refused),
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
    let Ok(scope) = form.scope.parse() else {
        return (StatusCode::BAD_REQUEST, "there is no such thing to silence\n").into_response();
    };
    let (from, until, minutes) = (None, None, Some(form.minutes as f64));
    let wish = Silence { scope, from, until, minutes, author: form.author, reason: form.reason };
    match shared.ask(Request::Silence(wish)).await {
        Ok(_) => Redirect::to(&format!("/incidents/{id}")).into_response(),
        Err(Refused::Invalid(Invalid::Minutes)) => {
            (StatusCode::BAD_REQUEST, "at least a minute, at most 31 days\n").into_response()
        }
        Err(refused) => asked::refusal(&refused),
    }
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
        let snapshot = shared.state.snapshots.borrow().clone();
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
    fn page(&self, shared: &Shared, action: String, language: Language) -> Response {
        let signed = match &self.used {
            Some(ack) => Signed { button: None, used: self.why_used(ack) },
            None => Signed { button: Some((action, self.name.clone())), used: Vec::new() },
        };
        for_one(shared, &self.snapshot, &self.incident, language, signed)
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
    Path(path): Path<(String, String, String)>,
    Query(wish): Query<Wish>,
) -> Response {
    let language = wish.language(&shared.state.snapshots.borrow());
    Link::of(&shared, &path).map_or_else(|| gone(language), |link| link.page(&shared, action(&path), language))
}

async fn take_on_link(
    State(shared): State<Shared>,
    _: Modest,
    Path(path): Path<(String, String, String)>,
    Query(wish): Query<Wish>,
) -> Response {
    let language = wish.language(&shared.state.snapshots.borrow());
    let Some(link) = Link::of(&shared, &path) else { return gone(language) };
    if link.used.is_some() || link.incident.closed.is_some() {
        // The event loop is not asked: a message that went astray changes nothing, and writes nothing.
        return (StatusCode::CONFLICT, link.page(&shared, action(&path), language)).into_response();
    }
    let number = link.incident.number;
    match take_on(&shared, number.to_string(), link.name, "link").await {
        Ok(_) => Redirect::to(&format!("/incidents/{number}")).into_response(),
        Err(refused) => asked::refusal(&refused),
    }
}
