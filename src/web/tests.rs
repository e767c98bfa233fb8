//! The router by requests: hardening, readiness, reloads, escaping, and events that come when something changes.

use super::*;
use crate::{
    model::{
        Ack, Camera, CameraStatus, Cause, Commune, Counts, Coverage, Fleet, History, Incident, IncidentId, Language,
        Lapsed, Level, Site, SiteStatus, Snapshot, State as CameraState, View, Watcher,
    },
    request::{self, Done, Refused},
    uptime,
    web::{Access, Asked, Hosts},
};
use futures_util::StreamExt;
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::atomic::{AtomicUsize, Ordering},
};
use tokio::sync::{mpsc, watch};

pub(in crate::web) fn snapshot(state: CameraState, millisecond: i64) -> Arc<Snapshot> {
    let at = jiff::Timestamp::from_millisecond(1_790_000_000_000 + millisecond).expect("a time in this century");
    let rtsp = "rtsp://127.0.0.1/x".parse().expect("a URL");
    let camera = Camera { name: "<script>alert('x')</script>".into(), ..Camera::new("cho-01", rtsp) };
    let status = CameraStatus::unseen(state, at);
    let id = camera.id.clone();
    let mut counts = Counts::default();
    counts.camera(camera.kind, None, state);
    let commune = Commune {
        name: "Hải Bình".into(),
        language: Language::Vi,
        timezone: jiff::tz::TimeZone::fixed(jiff::tz::offset(7)),
        night: crate::model::DailyHours::NIGHT,
    };
    let cameras = BTreeMap::from([(id.clone(), Arc::new(camera))]);
    let fleet = Fleet { cameras, ..Fleet::empty(commune) };
    Arc::new(Snapshot {
        at,
        fleet: Arc::new(fleet),
        cameras: [(id, Arc::new(status))].into_iter().collect(),
        sites: imbl::OrdMap::new(),
        counts,
        coverage: Coverage::default(),
        hamlets: imbl::OrdMap::new(),
        areas: imbl::OrdMap::new(),
        links: imbl::OrdMap::new(),
        agents: imbl::OrdMap::new(),
        cut_off: None,
        anchors: None,
        incidents: Arc::new(vec![Arc::new(incident(at))]),
        windows: Arc::default(),
        on_call: Arc::default(),
        outlooks: Arc::default(),
    })
}

fn incident(at: jiff::Timestamp) -> Incident {
    Incident {
        id: IncidentId::stored("cho-1".into()),
        number: 17,
        sites: BTreeMap::from([("cho".into(), Level::Blind)]),
        step: 1,
        paged: true,
        escalated: 1,
        ..Incident::new(Cause::Site("cho".into()), at, Level::Blind)
    }
}

struct Server {
    address: SocketAddr,
    behind: Behind,
}

impl std::ops::Deref for Server {
    type Target = Behind;

    fn deref(&self) -> &Behind {
        &self.behind
    }
}

/// What stands behind the router.
pub(in crate::web) struct Behind {
    pub(in crate::web) publish: watch::Sender<Arc<Snapshot>>,
    /// What is not well.
    broken: watch::Sender<Option<String>>,
    stopping: watch::Sender<bool>,
    /// What was asked for and done, and reloads.
    pub(in crate::web) asked: Arc<std::sync::Mutex<Vec<Request>>>,
    /// How often metrics were rendered, and reports worked out.
    pub(in crate::web) metrics: Arc<AtomicUsize>,
    pub(in crate::web) reports: Arc<AtomicUsize>,
    /// Reports are worked out while there is a permit for each.
    pub(in crate::web) desk: Arc<tokio::sync::Semaphore>,
}

/// Serves a snapshot on a socket.
async fn serve() -> Server {
    let (state, behind) = state();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let served =
        super::super::serve(super::super::tuned(listener), router(state), Default::default(), None, Default::default());
    tokio::spawn(served);
    Server { address, behind }
}

/// What the event loop would say: reloads are refused with a text.
fn decide(request: &Request, snapshot: &Snapshot) -> Result<Done, Refused> {
    match request.clone() {
        Request::Reload { .. } => Err(Refused::Configuration("sites.toml: không đúng".into())),
        Request::TakeOn { incident, by, via } => {
            let known = snapshot.incident(&incident);
            let open = known.filter(|incident| incident.closed.is_none()).map(|incident| &**incident);
            match request::take_on(snapshot.at, (&incident, open, known.is_some()), &by, via)? {
                request::TakingOn::Now(_, done) | request::TakingOn::Before(done) => Ok(done),
            }
        }
        Request::Respond { incident, by, via } => {
            let open = snapshot.incident(&incident).map(|incident| &**incident);
            match request::respond(snapshot.at, (&incident, open, false), &by, via)? {
                request::TakingOn::Now(_, done) | request::TakingOn::Before(done) => Ok(done),
            }
        }
        Request::Drill(_) => Ok(Done::Drilling { number: 18 }),
        Request::PassOn { incident, .. } => Err(Refused::NoNext(incident)),
        Request::Silence(wish) => {
            let (quota, last) = (&mut request::Quota::new(snapshot.at), &mut 0);
            let windows = request::Windows { standing: 0, quota, last, is_there: |_: &str| false };
            let window = request::window(snapshot.at, wish, &snapshot.fleet, windows)?;
            Ok(Done::Silenced { window: window.id })
        }
        Request::Unsilence { window } => request::end(window.clone(), window == "w1"),
        Request::People(_) => Ok(Done::People),
        Request::Edit(_) => Ok(Done::Edited),
        Request::ReadOwner { .. } => Ok(Done::Noted),
        Request::Witnessed { .. } => Ok(Done::Taken { number: 0 }),
        Request::Claimed { .. } => Ok(Done::Claimed { untaken: Vec::new() }),
    }
}

/// What can be edited of the snapshot: its camera's notes.
fn sheet() -> crate::edits::Sheet {
    use crate::edits::{Choices, Item, Kind, Place, Sheet, Value};
    let place = Place { file: "cameras.toml".into(), line: 7 };
    let name = Value::default().text("name", "<script>alert('x')</script>");
    Sheet::of_files([(Item::new(Kind::CameraName, "cho-01"), name, place)], Choices::default())
}

/// Who may visit: anybody, or whoever signs in.
pub(in crate::web) fn access(sign_in: bool) -> Access {
    let ((_, register), now) = (watch::channel(Arc::default()), snapshot(CameraState::Up, 0).at);
    Access {
        register,
        sign_in,
        key: Arc::new(b"key".to_vec().into()),
        now: Arc::new(move || now),
        audit: Arc::new(|_, _| Box::pin(async { Ok(crate::rights::Trail::default()) })),
        throttle: Arc::default(),
        hashing: Arc::new(tokio::sync::Semaphore::new(1)),
        scrapers: Arc::new(Arc::default),
        second_step: Vec::new(),
        openid: None,
    }
}

pub(in crate::web) fn state() -> (State, Behind) {
    let (publish, snapshots) = watch::channel(snapshot(CameraState::Up, 0));
    let (broken, is_broken) = watch::channel(None::<String>);
    let (stopping, is_stopping) = watch::channel(false);
    let healthy = move || is_broken.borrow().clone().map_or(Ok(()), Err);
    let (requests, mut inbox) = mpsc::channel::<Asked>(1);
    let asked: Arc<std::sync::Mutex<Vec<Request>>> = Arc::default();
    let (heard, known) = (asked.clone(), publish.subscribe());
    tokio::spawn(async move {
        while let Some(Asked { request, answer, .. }) = inbox.recv().await {
            let done = decide(&request, &known.borrow());
            if done.is_ok() || matches!(request, Request::Reload { .. }) {
                heard.lock().expect("no panic").push(request);
            }
            let _ = answer.send(done);
        }
    });
    let (rendered, made) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
    let desk = Arc::new(tokio::sync::Semaphore::new(1000));
    let state = State {
        metrics: Arc::new({
            let rendered = rendered.clone();
            move |_| {
                rendered.fetch_add(1, Ordering::SeqCst);
                "up 1\n".into()
            }
        }),
        channels: Arc::new(|| serde_json::json!({})),
        signer: Arc::new(|incident, round, person, signature| {
            (signature == format!("{incident}+{round}+{person}")).then(|| "Trung úy An".to_owned())
        }),
        reporter: Arc::new({
            let fleet = snapshots.borrow().fleet.clone();
            let now = snapshots.borrow().at;
            let (made, desk) = (made.clone(), desk.clone());
            move |month, _| {
                made.fetch_add(1, Ordering::SeqCst);
                let desk = desk.clone();
                let report = uptime::of_month(&fleet, &History::default(), month, &uptime::Settings::default(), now);
                Box::pin(async move {
                    desk.acquire().await.expect("it stays open").forget();
                    Ok(report)
                })
            }
        }),
        past: crate::web::past::tests::sources(snapshots.clone()),
        incidents: crate::web::incidents::tests::sources(snapshots.clone()),
        access: access(false),
        sheet: Arc::new(|| Arc::new(sheet())),
        owner: Arc::new(|_| Box::pin(async { Ok(None) })),
        turns: Arc::new(|_, _| Vec::new()),
        agents: super::super::Agents {
            plan: Arc::new(|_| None),
            heard: Arc::new(|_, _| crate::model::Fits::Same),
            doubted: Arc::new(|_| {}),
            code: Arc::new(|| Some(Box::new(|secret: &str| format!("cam1-{secret}")))),
        },
        hosts: Hosts::new(&["giamsat.xa".to_owned()], || Some("may-chu.lan".to_owned())),
        snapshots,
        requests,
        healthy: Arc::new(healthy.clone()),
        ready: Arc::new(move || if *is_stopping.borrow() { Err("it stops".into()) } else { healthy() }),
    };
    (state, Behind { publish, broken, stopping, asked, metrics: rendered, reports: made, desk })
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
    server.stopping.send_replace(true);
    assert_eq!(fetch(&server, "/-/ready").await.0, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(fetch(&server, "/-/healthy").await.0, StatusCode::OK);
    server.stopping.send_replace(false);
    server.broken.send_replace(Some("the task relay ended".into()));
    for path in ["/-/ready", "/-/healthy"] {
        let (status, _, text) = fetch(&server, path).await;
        assert_eq!((status, text.contains("the task relay ended")), (StatusCode::SERVICE_UNAVAILABLE, true), "{text}");
    }
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
    assert_eq!(refused.text().await.expect("text"), "sites.toml: không đúng\n");
    for headers in [[("sec-fetch-site", "cross-site")], [("origin", "http://evil.example")]] {
        assert_eq!(post(&headers).send().await.expect("an answer").status(), StatusCode::FORBIDDEN);
    }
    assert_eq!(fetch(&server, "/-/reload").await.0, StatusCode::METHOD_NOT_ALLOWED);
}

fn asked(server: &Server) -> Vec<Request> {
    std::mem::take(&mut *server.asked.lock().expect("no panic"))
}

async fn send(server: &Server, method: reqwest::Method, path: &str, body: &str) -> (StatusCode, String) {
    let kind = if body.starts_with('{') { "application/json" } else { "application/x-www-form-urlencoded" };
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
    let request = client.request(method, format!("http://{}{path}", server.address)).header("content-type", kind);
    let response = request.body(body.to_owned()).send().await.expect("an answer");
    (response.status(), response.text().await.expect("text"))
}

#[tokio::test]
async fn an_incident_is_taken_on_from_its_page_by_a_link_and_by_a_program() {
    let server = serve().await;
    let (status, _, page) = fetch(&server, "/incidents/17").await;
    assert_eq!(status, 200);
    for part in ["Sự cố #17: cho", "mù hoàn toàn", "action=\"/incidents/17/ack\"", "Tạm ngừng"] {
        assert!(page.contains(part), "{part} is missing in {page}");
    }
    let taken = |by: &str, via: &str, incident: &str| Request::TakeOn {
        incident: incident.into(),
        by: by.into(),
        via: via.into(),
    };
    let post = reqwest::Method::POST;
    assert_eq!(send(&server, post.clone(), "/incidents/cho-1/ack", "by=An").await.0, 303);
    assert_eq!(asked(&server), [taken("An", "page", "cho-1")]);
    assert_eq!(send(&server, post.clone(), "/api/v1/incidents/17/ack", "{\"by\":\"An\"}").await.0, 200);
    assert_eq!(asked(&server), [taken("An", "command", "17")]);
    assert_eq!(send(&server, post.clone(), "/api/v1/incidents/17/ack", "{\"by\":\" \"}").await.0, 422);
    assert_eq!(send(&server, post.clone(), "/api/v1/incidents/99/ack", "{\"by\":\"An\"}").await.0, 404);

    // Programs that preview links fetch them, which must change nothing.
    let (status, _, page) = fetch(&server, "/ack/17/an/17+0+an").await;
    assert!(status == 200 && page.contains("Tôi nhận sự cố này (Trung úy An)"), "{page}");
    assert_eq!(asked(&server), []);
    assert_eq!(send(&server, post.clone(), "/ack/17/an/17+0+an", "").await.0, 303);
    assert_eq!(asked(&server), [taken("Trung úy An", "link", "17")]);
    for forged in ["/ack/17/an/x", "/ack/18/an/17+0+an", "/ack/17/binh/17+0+an", "/ack/17/an/17+1+an"] {
        assert_eq!(send(&server, post.clone(), forged, "").await.0, 404, "{forged}");
    }
    assert_eq!(asked(&server), []);
}

/// A message goes astray: whoever has it later must not take on what somebody has, nor what was told anew since.
#[tokio::test]
async fn a_signed_link_does_its_work_once() {
    let server = serve().await;
    let publish = |change: &dyn Fn(&mut Incident)| {
        let mut snapshot = (*snapshot(CameraState::Down, 0)).clone();
        let mut incident = incident(snapshot.at);
        change(&mut incident);
        snapshot.incidents = Arc::new(vec![Arc::new(incident)]);
        server.publish.send_replace(Arc::new(snapshot));
    };
    let ack = |by: &str, via: &str| Ack {
        by: by.into(),
        via: via.into(),
        at: incident(snapshot(CameraState::Up, 0).at).since,
    };
    let refused = async |path: &str, vietnamese: &str, english: &str| {
        let (status, _, page) = fetch(&server, path).await;
        assert!(status == 200 && !page.contains("<form method=\"post\" action=\"/ack/"), "{path}: {page}");
        let (status, answer) = send(&server, reqwest::Method::POST, path, "").await;
        assert_eq!(status, StatusCode::CONFLICT, "{answer}");
        for text in [vietnamese, english] {
            assert!(page.contains(text) && answer.contains(text), "{path}: {text} is missing in {answer}");
        }
        assert_eq!(asked(&server), [], "{path}");
    };

    publish(&|incident| incident.ack = Some(ack("Trung úy An", "link")));
    let old = "/ack/17/an/17+0+an";
    refused(
        old,
        "Liên kết này đã được dùng: Trung úy An đã nhận sự cố lúc 21:13",
        "This link has been used: Trung úy An took the incident on at 21:13",
    )
    .await;
    publish(&|incident| incident.ack = Some(ack("Bình", "page")));
    refused(old, "không còn tác dụng: Bình đã nhận sự cố", "does nothing any more: Bình took the incident on").await;

    // The acknowledgement ran out, and it was told anew with another link.
    let lapsed = || Some(Lapsed { count: 1, last: ack("Trung úy An", "link"), ran_out: None });
    publish(&|incident| incident.lapsed = lapsed());
    refused(old, "Sau đó sự cố được báo lại với liên kết mới", "It was told anew since, with another link").await;
    let (_, _, page) = fetch(&server, "/ack/17/an/17+1+an").await;
    assert!(page.contains("action=\"/ack/17/an/17+1+an\""), "{page}");
    assert_eq!(send(&server, reqwest::Method::POST, "/ack/17/an/17+1+an", "").await.0, 303);
    assert_eq!(asked(&server).len(), 1);

    // Nor what has ended.
    publish(&|incident| incident.closed = Some(incident.since));
    assert_eq!(send(&server, reqwest::Method::POST, old, "").await.0, StatusCode::CONFLICT);
    assert_eq!(asked(&server), []);
}

/// A site that is full again beside an incident that still calls it blind would be a contradiction.
#[tokio::test]
async fn an_open_incident_says_that_it_recovers_and_is_known_by_its_number() {
    let server = serve().await;
    let mut snapshot = (*snapshot(CameraState::Up, 0)).clone();
    // 21:13 in Vietnam.
    let since = snapshot.at;
    snapshot.at = crate::model::later(since, std::time::Duration::from_secs(90));
    let view = View::new("về phía cảng", vec![Watcher { camera: "cho-01".into(), spare: false }]);
    let site = Site { name: "Ngã tư Chợ".into(), ..Site::new("cho", vec![view]) };
    let mut fleet = (*snapshot.fleet).clone();
    fleet.sites.insert("cho".into(), Arc::new(site));
    snapshot.fleet = Arc::new(fleet);
    let mut status = SiteStatus {
        revision: 0,
        level: Level::Full,
        since,
        views: vec![],
        incident: Some(IncidentId::stored("cho-1".into())),
        recovering: Some(since),
    };
    snapshot.sites.insert("cho".into(), Arc::new(status.clone()));
    server.publish.send_replace(Arc::new(snapshot.clone()));
    let english = "recovering since 21:13";
    for (path, words) in [("/?lang=vi", "đang hồi phục từ 21:13"), ("/?lang=en", english)] {
        let (_, _, page) = fetch(&server, path).await;
        assert_eq!(page.matches(words).count(), 2, "at the incident and at the site: {page}");
    }
    for path in ["/?lang=en", "/sites/cho?lang=en", "/incidents/17?lang=en", "/incidents/cho-1?lang=en"] {
        let (status, _, page) = fetch(&server, path).await;
        assert!(status == 200 && page.contains(english) && page.contains("#17"), "{path}: {page}");
        assert!(!page.contains("cho-1"), "{path}: machines alone know its key: {page}");
        assert!(path.starts_with("/incidents") || !page.contains("blind"), "{path}: {page}");
    }
    let (_, _, page) = fetch(&server, "/incidents/17?lang=en").await;
    assert!(page.contains("(at worst: blind)"), "{page}");
    let json =
        async |path: &str| -> serde_json::Value { serde_json::from_str(&fetch(&server, path).await.2).expect("JSON") };
    let incident = json("/api/v1/incidents/17").await;
    assert_eq!(
        (&incident["number"], &incident["level"], &incident["level_now"]),
        (&17.into(), &"blind".into(), &"full".into())
    );
    assert_eq!(incident["recovering_since"], since.to_string());
    let site = json("/api/v1/sites/cho").await;
    assert_eq!((&site["incident_number"], &site["recovering_since"]), (&17.into(), &since.to_string().into()));
    let camera = json("/api/v1/cameras/cho-01?lang=vi").await;
    let reasons = camera["reasoning"].as_array().expect("a list");
    assert!(reasons.contains(&"Sự cố #17 (Ngã tư Chợ): đang hồi phục từ 21:13.".into()), "{camera:#}");

    // It fell again before the all-clear.
    (status.level, status.recovering) = (Level::Critical, None);
    snapshot.sites.insert("cho".into(), Arc::new(status));
    server.publish.send_replace(Arc::new(snapshot));
    let (_, _, page) = fetch(&server, "/?lang=en").await;
    assert!(!page.contains("recovering") && !page.contains("blind"), "it is critical now: {page}");
    assert_eq!(json("/api/v1/incidents/17").await["recovering_since"], serde_json::Value::Null);
}

#[path = "content_tests.rs"]
mod content_tests;

#[path = "events_tests.rs"]
mod events_tests;

#[path = "wishes_tests.rs"]
mod wishes_tests;
