//! The router by requests: hardening, readiness, reloads, escaping, and events that come when something changes.

use super::*;
use crate::model::{Camera, CameraStatus, Commune, Coverage, Fleet, State as CameraState};
use futures_util::StreamExt;
use std::{collections::BTreeMap, net::SocketAddr};

fn snapshot(state: CameraState, millisecond: i64) -> Arc<Snapshot> {
    let at = jiff::Timestamp::from_millisecond(1_790_000_000_000 + millisecond).expect("a time in this century");
    let rtsp = "rtsp://127.0.0.1/x".parse().expect("a URL");
    let camera = Camera { name: "<script>alert('x')</script>".into(), ..Camera::new("cho-01", rtsp) };
    let status = CameraStatus::unseen(state, at);
    let id = camera.id.clone();
    let commune = Commune {
        name: "Hải Bình".into(),
        language: Language::Vi,
        timezone: jiff::tz::TimeZone::fixed(jiff::tz::offset(7)),
    };
    let fleet = Fleet {
        commune,
        devices: BTreeMap::new(),
        cameras: BTreeMap::from([(id.clone(), Arc::new(camera))]),
        sites: BTreeMap::new(),
        links: BTreeMap::new(),
    };
    Arc::new(Snapshot {
        at,
        fleet: Arc::new(fleet),
        cameras: BTreeMap::from([(id, Arc::new(status))]),
        sites: BTreeMap::new(),
        coverage: Coverage::default(),
        outlooks: Arc::default(),
    })
}

struct Server {
    address: SocketAddr,
    publish: watch::Sender<Arc<Snapshot>>,
    ready: watch::Sender<bool>,
}

/// Serves a snapshot; reloads are refused with a text.
async fn serve() -> Server {
    let (publish, snapshots) = watch::channel(snapshot(CameraState::Up, 0));
    let (ready, is_ready) = watch::channel(true);
    let (reload, mut reloads) = mpsc::channel::<ReloadRequest>(1);
    tokio::spawn(async move {
        while let Some(request) = reloads.recv().await {
            let _ = request.answer.send(Err("sites.toml: không đúng".into()));
        }
    });
    let state = State { snapshots, metrics: Arc::new(|_| "up 1\n".into()), reload, ready: is_ready };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, router(state)).await });
    Server { address, publish, ready }
}

async fn fetch(server: &Server, path: &str) -> (StatusCode, HeaderMap, String) {
    let response = reqwest::get(format!("http://{}{path}", server.address)).await.expect("an answer");
    let (status, headers) = (response.status(), response.headers().clone());
    (status, headers, response.text().await.expect("text"))
}

#[tokio::test]
async fn names_are_escaped_and_nothing_foreign_is_loaded() {
    let server = serve().await;
    let (status, headers, page) = fetch(&server, "/").await;
    assert_eq!(status, StatusCode::OK);
    assert!(!page.contains("<script>alert") && page.contains("&#60;script&#62;"), "{page}");
    assert!(headers["content-security-policy"].to_str().expect("text").contains("default-src 'none'"));
    assert!(page.contains("lang=\"vi\"") && page.contains("hoạt động"));
    let (_, _, english) = fetch(&server, "/?lang=en").await;
    assert!(english.contains("lang=\"en\"") && english.contains("Coverage of the commune"));
}

#[tokio::test]
async fn health_readiness_metrics_and_unknown_pages() {
    let server = serve().await;
    assert_eq!(fetch(&server, "/-/healthy").await.0, StatusCode::OK);
    assert_eq!(fetch(&server, "/-/ready").await.0, StatusCode::OK);
    server.ready.send_replace(false);
    assert_eq!(fetch(&server, "/-/ready").await.0, StatusCode::SERVICE_UNAVAILABLE);
    let (_, headers, metrics) = fetch(&server, "/metrics").await;
    assert_eq!(
        (metrics.as_str(), &headers["content-type"]),
        ("up 1\n", &HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8"))
    );
    assert_eq!(fetch(&server, "/nothing").await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_refused_reload_says_why_and_a_foreign_page_may_not_ask() {
    let server = serve().await;
    let post = |headers: &[(&'static str, &'static str)]| {
        let request = reqwest::Client::new().post(format!("http://{}/-/reload", server.address));
        headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))
    };
    let refused = post(&[]).send().await.expect("an answer");
    assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
    assert_eq!(refused.text().await.expect("text"), "sites.toml: không đúng");
    for headers in [[("sec-fetch-site", "cross-site")], [("origin", "http://evil.example")]] {
        assert_eq!(post(&headers).send().await.expect("an answer").status(), StatusCode::FORBIDDEN);
    }
    assert_eq!(fetch(&server, "/-/reload").await.0, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn a_change_reaches_a_page_that_listens() {
    let server = serve().await;
    let response = reqwest::get(format!("http://{}/events?lang=en", server.address)).await.expect("an answer");
    let mut chunks = response.bytes_stream();
    let mut text = String::new();
    let mut published = false;
    while let Some(chunk) = chunks.next().await {
        text.push_str(&String::from_utf8_lossy(&chunk.expect("bytes")));
        if !published && text.contains("event: wall") {
            published = true;
            server.publish.send_replace(snapshot(CameraState::Down, 1000));
        }
        if text.contains("camera down") {
            return;
        }
    }
    panic!("the stream ended: {text}");
}
