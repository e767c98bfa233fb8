//! What a member serves: which commune is where, for people, for Prometheus, and for whoever asks whether it lives.

use super::{figures::View, table::table};
use crate::web::{self, Limits};
use axum::{
    Json, Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use std::sync::Arc;
use tokio::{net::TcpListener, sync::watch};
use tokio_util::sync::CancellationToken;

type Shown = watch::Receiver<Arc<View>>;

/// Visitors at once: few have business here.
const CONNECTIONS: usize = 64;

/// Serves until it is aborted.
pub(super) async fn serve(listener: TcpListener, shown: Shown) {
    let router = Router::new()
        .route("/", get(whole))
        .route("/sd", get(targets))
        .route("/metrics", get(metrics))
        .route("/-/healthy", get(healthy))
        .route("/-/ready", get(healthy))
        .with_state(shown);
    let limits = Limits { connections: CONNECTIONS, connections_by_address: CONNECTIONS / 2, ..Limits::default() };
    web::serve(web::tuned(listener), router, limits, None, CancellationToken::new()).await;
}

fn seen(shown: &Shown) -> Arc<View> {
    shown.borrow().clone()
}

async fn whole(State(shown): State<Shown>) -> Response {
    let view = seen(&shown);
    let mut text = table(&view.settings, &view.province, view.now);
    if let Some(why) = view.is_stale() {
        text = format!("{why}\n\n{text}");
    }
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()
}

/// Where the roll cannot be read Prometheus keeps what it was told last.
async fn targets(State(shown): State<Shown>) -> Response {
    let view = seen(&shown);
    match view.is_stale() {
        Some(why) => (StatusCode::SERVICE_UNAVAILABLE, why).into_response(),
        None => Json(view.targets()).into_response(),
    }
}

async fn metrics(State(shown): State<Shown>) -> Response {
    ([(header::CONTENT_TYPE, prometheus::TEXT_FORMAT)], seen(&shown).metrics()).into_response()
}

async fn healthy(State(shown): State<Shown>) -> Response {
    match seen(&shown).is_stale() {
        Some(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")).into_response(),
        None => "ok\n".into_response(),
    }
}
