//! Which address gives what.

use super::{
    Asked, Hosts, api, asked, camera, events, exposition,
    flood::Wishes,
    gate, incident, list, map, page,
    refuse::refuse,
    rendered::{Cache, Subject},
    report, site,
    words::words,
};
use crate::{
    model::{Language, Snapshot},
    request::{Done, Refused, Request},
};
use axum::{
    Router,
    body::Body,
    extract::{FromRequestParts, Path, Query, State as From},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, request::Parts},
    middleware::{self, Next},
    response::{Html, IntoResponse, Response},
    routing::{get, post},
};
use serde::Deserialize;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot, watch};

/// Of incident, round, person and signature of a link: the person's name, if the link is one of ours.
pub type Signer = Arc<dyn Fn(&str, u32, &str, &str) -> Option<String> + Send + Sync>;

/// What pages are made from.
#[derive(Clone)]
pub struct State {
    /// The fleet as it stands.
    pub snapshots: watch::Receiver<Arc<Snapshot>>,
    /// Renders metrics.
    pub metrics: Arc<dyn Fn(&Snapshot) -> String + Send + Sync>,
    /// How each channel fares, as JSON.
    pub channels: Arc<dyn Fn() -> serde_json::Value + Send + Sync>,
    /// Who a signed link is for.
    pub signer: Signer,
    /// Works out uptime reports.
    pub reporter: report::Reporter,
    /// The names by which it may be asked.
    pub hosts: Hosts,
    /// Where people's wishes go.
    pub requests: mpsc::Sender<Asked>,
    /// Whether the daemon does its work.
    pub healthy: Condition,
    /// The same, and that it is not stopping.
    pub ready: Condition,
}

/// Whether all is well; else what is not, for people.
pub(super) type Condition = Arc<dyn Fn() -> Result<(), String> + Send + Sync>;

/// The state with what only this module needs.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) state: State,
    pub(super) cache: Arc<Cache>,
    pub(super) exposition: Arc<exposition::Kept>,
    pub(super) wishes: Arc<Wishes>,
    pub(super) reports: Arc<report::Desk>,
}

/// The language that a page is asked for in.
#[derive(Debug, Deserialize)]
pub(super) struct Wish {
    lang: Option<Language>,
    /// The camera whose page is meant, instead of the wall.
    pub(super) camera: Option<String>,
    /// The site whose page is meant.
    pub(super) site: Option<String>,
    /// The area whose wall is meant, or whose map.
    pub(super) area: Option<String>,
    /// The list that is meant: `cameras`, `sites` or `incidents`.
    pub(super) list: Option<String>,
    /// That the map is meant.
    pub(super) map: Option<String>,
    /// The incident whose page is meant; an empty one is told only how old it is.
    pub(super) incident: Option<String>,
}

impl Wish {
    pub(super) fn language(&self, snapshot: &Snapshot) -> Language {
        self.lang.unwrap_or(snapshot.fleet.commune.language)
    }
}

/// All addresses, and what has their reports at hand as long as it is awaited.
pub fn pages(state: State) -> (Router, impl Future<Output = ()> + Send + use<>) {
    let (reports, snapshots) = (Arc::new(report::Desk::new(state.reporter.clone())), state.snapshots.clone());
    let desk = reports.clone();
    (with(state, reports), async move { desk.keep_at_hand(snapshots).await })
}

/// All addresses.
#[cfg(test)]
pub(super) fn router(state: State) -> Router {
    let reports = Arc::new(report::Desk::new(state.reporter.clone()));
    with(state, reports)
}

fn with(state: State, reports: Arc<report::Desk>) -> Router {
    let shared = Shared { state, cache: Arc::default(), exposition: Arc::default(), wishes: Arc::default(), reports };
    Router::new()
        .route("/", get(wall))
        .route("/events", get(events::events))
        .route("/areas/{id}", get(area))
        .route("/cameras", get(list::cameras_page))
        .route("/cameras/{id}", get(camera::page))
        .route("/sites", get(list::sites_page))
        .route("/sites/{id}", get(site::page))
        .route("/incidents", get(list::incidents_page))
        .route("/map", get(map::page))
        .route("/reports", get(report::latest))
        .route("/reports/{month}", get(report::one))
        .route("/reports/{month}/{table}", get(report::detail))
        .merge(incident::routes())
        .merge(api::routes())
        .route("/metrics", get(exposition::metrics))
        .route("/-/healthy", get(healthy))
        .route("/-/ready", get(ready))
        .route("/-/reload", post(reload))
        .route("/static/wall.css", get(async || asset("text/css; charset=utf-8", include_str!("static/wall.css"))))
        .route("/static/report.css", get(async || asset("text/css; charset=utf-8", include_str!("static/report.css"))))
        .route("/static/wall.js", get(async || asset("text/javascript; charset=utf-8", include_str!("static/wall.js"))))
        .fallback(async || (StatusCode::NOT_FOUND, "there is no such page; the wall is at /\n"))
        .layer(middleware::from_fn_with_state(shared.clone(), gate::gate))
        .layer(middleware::from_fn(harden))
        .with_state(shared)
}

async fn wall(From(shared): From<Shared>, Query(wish): Query<Wish>) -> Response {
    let snapshot = shared.state.snapshots.borrow().clone();
    let language = wish.language(&snapshot);
    page::of(&shared, &snapshot, language, &Subject::Wall, "")
}

async fn area(From(shared): From<Shared>, Path(id): Path<String>, Query(wish): Query<Wish>) -> Response {
    let snapshot = shared.state.snapshots.borrow().clone();
    let language = wish.language(&snapshot);
    page::of(&shared, &snapshot, language, &Subject::Area(id), words(language).no_area)
}

pub(super) fn html(rendered: askama::Result<String>) -> Response {
    match rendered {
        Ok(html) => Html(html).into_response(),
        Err(error) => {
            tracing::error!(%error, "the page cannot be rendered");
            (StatusCode::INTERNAL_SERVER_ERROR, "the page cannot be rendered; see the log\n").into_response()
        }
    }
}

async fn healthy(From(shared): From<Shared>) -> Response {
    checked((shared.state.healthy)(), "camhealth works")
}

async fn ready(From(shared): From<Shared>) -> Response {
    checked((shared.state.ready)(), "camhealth watches")
}

fn checked(state: Result<(), String>, well: &str) -> Response {
    match state {
        Ok(()) => format!("{well}\n").into_response(),
        Err(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("camhealth does not watch: {why}\n")).into_response(),
    }
}

/// How a reload is meant.
#[derive(Debug, Deserialize)]
struct Insist {
    /// 1 where it may take away much of the fleet.
    #[serde(default)]
    force: u8,
}

async fn reload(From(shared): From<Shared>, Query(insist): Query<Insist>, _: OwnPage) -> Response {
    match shared.ask(Request::Reload { force: insist.force == 1 }).await {
        Ok(done) => format!("{done}\n").into_response(),
        Err(refused) => asked::refusal(&refused),
    }
}

impl Shared {
    /// Asks the event loop for something.
    pub(super) async fn ask(&self, request: Request) -> Result<Done, Refused> {
        let (answer, answered) = oneshot::channel();
        // waits: web -> event_loop
        self.state.requests.send(Asked { request, answer }).await.map_err(|_| Refused::Stopping)?;
        answered.await.unwrap_or(Err(Refused::Stopping))
    }
}

/// That a wish does not come from a page of another site, as far as browsers tell, and not one after the other.
pub(super) struct OwnPage;

impl FromRequestParts<Shared> for OwnPage {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, Response> {
        if from_another_site(&parts.headers) {
            return Err(foreign(parts.uri.path()));
        }
        gate::Modest::from_request_parts(parts, shared).await.map(|_| Self)
    }
}

/// That a request for something dear is not part of somebody else's page: a link to it may stand there.
pub(super) struct NotEmbedded;

impl<S: Sync> FromRequestParts<S> for NotEmbedded {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        let is = |name: &str, wanted: &str| parts.headers.get(name).is_none_or(|value| value == wanted);
        let elsewhere = parts.headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site");
        let is_link = is("sec-fetch-mode", "navigate") && is("sec-fetch-dest", "document");
        match elsewhere && !is_link {
            true => Err(refuse(
                parts.uri.path(),
                StatusCode::FORBIDDEN,
                "Trang của nơi khác không được nhúng báo cáo; hãy mở bằng liên kết.",
                "reports are not part of a page of another site; open them by a link",
            )),
            false => Ok(Self),
        }
    }
}

fn foreign(path: &str) -> Response {
    let vietnamese = "Không nhận yêu cầu từ trang của nơi khác.";
    refuse(path, StatusCode::FORBIDDEN, vietnamese, "not taken from a page of another site")
}

/// A browser that somebody else's page drives says so.
fn from_another_site(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return !matches!(site, "same-origin" | "none");
    }
    // Over plain HTTP browsers send the origin alone.
    text("origin").is_some_and(|origin| {
        let host = origin.split_once("://").map_or(origin, |(_, host)| host);
        text("host") != Some(host)
    })
}

fn asset(content_type: &'static str, text: &'static str) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, content_type)], text)
}

/// Nothing is loaded from elsewhere, nothing is framed, nothing is kept by caches.
async fn harden(request: axum::http::Request<Body>, next: Next) -> Response {
    const HEADERS: [(HeaderName, &str); 4] = [
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; \
             base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
        ),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // With "no-referrer" browsers call the origin of our own forms "null".
        (header::REFERRER_POLICY, "same-origin"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    let mut response = next.run(request).await;
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
#[path = "tests.rs"]
pub(super) mod tests;
