//! Which address gives what.

use super::{
    accounts, agents, api, asked, editing, events,
    flood::Messages,
    gate, incident_forms,
    incidents::Known,
    openid,
    origin::OwnPage,
    owners, passkeys,
    past::Past,
    rendered::Cache,
    report, roster, second_step, sign_in,
    state::{Shared, State},
    visit,
    visitor::{self, Visitor},
};
use crate::request::Request;
use axum::{
    Router,
    body::Body,
    extract::{Query, State as From},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::Deserialize;
use std::sync::Arc;

/// All addresses, and what has their reports and their past at hand as long as it is awaited.
pub fn pages(state: State) -> (Router, impl Future<Output = ()> + Send + use<>) {
    let (reports, snapshots) = (Arc::new(report::Desk::new(state.reporter.clone())), state.snapshots.clone());
    let past = Arc::new(Past::new(state.past.clone()));
    let (desk, known) = (reports.clone(), past.clone());
    let at_hand = async move {
        futures_util::join!(desk.keep_at_hand(snapshots.clone()), known.keep_at_hand(snapshots));
    };
    (with(state, reports, past), at_hand)
}

/// All addresses.
#[cfg(test)]
pub(super) fn router(state: State) -> Router {
    let reports = Arc::new(report::Desk::new(state.reporter.clone()));
    let past = Arc::new(Past::new(state.past.clone()));
    with(state, reports, past)
}

fn with(state: State, reports: Arc<report::Desk>, past: Arc<Past>) -> Router {
    let shared = Shared {
        cache: Arc::new(Cache::new(past, Known::new(state.incidents.clone()))),
        state,
        exposition: Arc::default(),
        wishes: Arc::default(),
        agent_messages: Arc::default(),
        source_messages: Arc::new(Messages::of_sources()),
        reports,
        scraped: Arc::default(),
        views: Arc::default(),
        waiting: Arc::default(),
        openid: Arc::default(),
        passkeys: Arc::default(),
        view: None,
    };
    Router::new()
        .route("/", get(visit::wall))
        .route("/events", get(events::events))
        .route("/areas/{id}", get(visit::area))
        .route("/cameras", get(visit::cameras))
        .route("/cameras/{id}", get(visit::camera))
        .route("/sites", get(visit::sites))
        .route("/sites/{id}", get(visit::site))
        .route("/incidents", get(visit::incidents))
        .route("/contract", get(visit::contract))
        .route("/links", get(visit::links))
        .route("/links/{id}", get(visit::link))
        .route("/map", get(visit::map))
        .route("/reports", get(report::visit::latest))
        .route("/reports/{month}", get(report::visit::one))
        .route("/reports/{month}/{table}", get(report::visit::detail))
        .merge(incident_forms::routes())
        .merge(api::routes())
        .route("/metrics", get(metrics))
        .merge(accounts::routes())
        .merge(editing::routes())
        .merge(owners::routes())
        .route("/sign-in", get(sign_in::page).post(sign_in::sign_in))
        .route("/sign-in/code", post(sign_in::code))
        .route("/sign-in/openid", get(openid::begin))
        .route("/sign-in/openid/back", get(openid::back))
        .route("/sign-out", post(sign_in::sign_out))
        .route("/second-step", get(second_step::page).post(second_step::change))
        .merge(agents::routes())
        .merge(passkeys::routes())
        .route("/join/{secret}", get(sign_in::join_page).post(sign_in::join))
        .route("/screen/{secret}", get(sign_in::screen))
        .route("/roster", get(roster::page))
        .route("/roster/swap", post(roster::swap))
        .route("/calendar/{secret}", get(roster::feed))
        .route("/-/healthy", get(healthy))
        .route("/-/ready", get(ready))
        .route("/-/reload", post(reload))
        .route("/static/wall.css", get(async || asset("text/css; charset=utf-8", include_str!("static/wall.css"))))
        .route("/static/report.css", get(async || asset("text/css; charset=utf-8", include_str!("static/report.css"))))
        .route(
            "/static/passkey.js",
            get(async || asset("text/javascript; charset=utf-8", include_str!("static/passkey.js"))),
        )
        .route("/static/wall.js", get(async || asset("text/javascript; charset=utf-8", include_str!("static/wall.js"))))
        .fallback(async || (StatusCode::NOT_FOUND, "there is no such page; the wall is at /\n"))
        .layer(middleware::from_fn_with_state(shared.clone(), visitor::enter))
        .layer(middleware::from_fn_with_state(shared.clone(), gate::gate))
        .layer(middleware::from_fn(harden))
        .with_state(shared)
}

async fn metrics(From(shared): From<Shared>, headers: HeaderMap) -> Response {
    let snapshot = shared.snapshot();
    shared.exposition.answer(snapshot, &headers, shared.state.metrics.clone()).await
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

async fn reload(From(shared): From<Shared>, visitor: Visitor, Query(insist): Query<Insist>, _: OwnPage) -> Response {
    match shared.ask(&visitor.by, Request::Reload { force: insist.force == 1 }).await {
        Ok(done) => format!("{done}\n").into_response(),
        Err(refused) => asked::refusal(&refused),
    }
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
    // No browser reads what is said to agents, and some of them pay for each byte.
    let is_line = request.uri().path().starts_with("/agent/");
    let mut response = next.run(request).await;
    for (name, value) in HEADERS.into_iter().filter(|_| !is_line) {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
#[path = "tests.rs"]
pub(super) mod tests;
