//! The book's pictures: pages of the shipped example's commune after a day and a half in made-up time, on a date that is
//! always the same, as a real Chromium shows them. `tests/run --pictures` writes them into docs/pictures.

use crate::{
    browser::Browser,
    support::{eventually, free_address},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use camhealth::{
    clock::Clock,
    config::{self, Config},
    daemon::{self, Parts, Probing},
    deliver::{self, Channel, Target},
    health, journal,
    model::{Camera, Check, Codec, Detail, Failure, FailureKind, Kind, Language, Observation, StreamFacts},
    schedule::{self, Cadence, Order, ProbeFn},
    web,
};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

/// Where they go; without it they are taken after less than an hour, which is soon over, measured and thrown away.
const FOLDER: &str = "CAMHEALTH_PICTURES";
/// Of each, and what `tests/documents.rs` lets all of them take.
const LARGEST: usize = 150_000;
/// Since the month began: its report is whole.
const MINUTES: i64 = 33 * 60 + 40;
const FEW_MINUTES: i64 = 40;
const DESK: (u32, u32) = (1280, 720);
const PHONE: (u32, u32) = (390, 844);

/// When they are taken: a Monday morning, on which the first turn of the roster has begun.
fn now() -> Timestamp {
    "2026-11-02T02:40:00Z".parse().expect("a time")
}

/// What a camera suffers from so many minutes before they are taken.
fn suffers(camera: &Camera, minutes: i64) -> Option<FailureKind> {
    let link = camera.link.as_ref().map_or("", |link| link.as_str());
    match camera.id.as_str() {
        "cau-cang-2" if minutes <= 26 => Some(FailureKind::Refused),
        "cau-cang-2" if (400..=470).contains(&minutes) => Some(FailureKind::NoMedia),
        "nga-tu-cho-2" if (480..=550).contains(&minutes) => Some(FailureKind::Unreachable),
        "tram-y-te-1" if minutes <= 190 => Some(FailureKind::Frozen),
        "ho-017" if minutes <= 300 => Some(FailureKind::Unreachable),
        _ if link == "tu-hai" && (840..=905).contains(&minutes) => Some(FailureKind::Timeout),
        _ => None,
    }
}

/// Looks that take no time; figures go up and down a little, as those of real streams do.
fn looks(clock: Clock) -> ProbeFn {
    Arc::new(move |order: Order| {
        let now_is = clock.now();
        Box::pin(async move {
            let minutes = now().duration_since(now_is).as_secs() / 60;
            let failure = suffers(&order.camera, minutes).map(|kind| Failure::new(kind, Detail::default()));
            let mut hasher = DefaultHasher::new();
            (order.camera.id.as_str(), minutes / 4).hash(&mut hasher);
            let wave = (hasher.finish() % 100) as f64 / 100.0;
            let stream = StreamFacts {
                proven: true,
                width: Some(640),
                height: Some(360),
                fps: Some(14.8 + 0.4 * wave),
                bytes_per_second: Some(30_000.0 + 6_000.0 * wave),
                keyframe_interval_seconds: Some(2.0),
                frames: 30,
                keyframes: 2,
                packets: 120,
                packets_lost: u32::from(wave > 0.9),
                delta_frame_bytes: Some(1_800.0 + 400.0 * wave),
                ..StreamFacts::new(Codec::H264)
            };
            let media = order.check != Check::Liveness && failure.is_none();
            let took = Duration::from_secs_f64(if media { 0.8 } else { 0.05 });
            Observation { failure, took, stream: media.then_some(stream), ..Observation::new(order.check, now_is) }
        })
    })
}

/// The shipped example, looked at less often, and told of over a receiver of our own.
fn commune(folder: &Path, page: SocketAddr, receiver: SocketAddr) -> Config {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/camhealth.toml");
    let plan = config::load_with(&path, &|_| Some("secret".into())).expect("the shipped example is valid");
    let mut fleet = (*plan.fleet).clone();
    fleet.links.values_mut().for_each(|link| link.probe = None);
    let url: reqwest::Url = format!("http://{receiver}/").parse().expect("a URL");
    let told = |_| Channel::new(Target::Webhook { url: url.clone(), token: None, secret: None }, Language::default());
    let channels = plan.deliver.channels.keys().map(|id| (id.clone(), told(id))).collect();
    let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
    let seldom = |usual: &Cadence, liveness, stream| Cadence {
        liveness: minutes(liveness),
        stream: minutes(stream),
        survey: minutes(24 * 60),
        device: minutes(24 * 60),
        ..usual.clone()
    };
    let schedule = schedule::Settings {
        public: seldom(&plan.schedule.public, 2, 4),
        household: seldom(&plan.schedule.household, 30, 60),
        ..plan.schedule
    };
    Config {
        fleet: Arc::new(fleet),
        schedule,
        health: health::Settings {
            stale_after_public: minutes(20),
            stale_after_household: minutes(180),
            ..plan.health
        },
        journal: journal::Settings { path: Some(folder.join("journal.sqlite3")), ..plan.journal },
        deliver: deliver::Settings { channels, heartbeat: None, ..plan.deliver },
        web: web::Settings { listen: page, sign_in: false, ..plan.web },
        ..plan
    }
}

/// Takes whatever is sent.
async fn receiver() -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let router = axum::Router::new().route("/", axum::routing::post(async || "taken"));
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

/// Its name, its address, its size, and what is read on it in Vietnamese and English.
type Picture = (&'static str, String, (u32, u32), [&'static str; 2]);

/// Pages, and what must be read on them before they are taken, in both languages.
fn pictures(incident: u64) -> [Picture; 6] {
    [
        ("wall", "/?range=24h".into(), DESK, ["nguy cấp", "critical"]),
        ("site", "/sites/cau-cang?range=24h".into(), DESK, ["bến cá mất", "bến cá lost"]),
        ("camera", "/cameras/cau-cang-2?range=24h".into(), DESK, ["cổng RTSP đóng", "the RTSP port is closed"]),
        ("incident", format!("/incidents/{incident}"), PHONE, ["Tôi nhận sự cố này", "I take it on"]),
        ("report", "/reports/2026-11".into(), DESK, ["Mức sẵn sàng", "availability"]),
        ("settings", "/settings/roster".into(), DESK, ["Lịch trực", "Roster"]),
    ]
}

/// The browser's clock is as far off as the commune's; pages compare both.
async fn set_clock(browser: &Browser, clock: &Clock) {
    let off = clock.now().as_millisecond() - Timestamp::now().as_millisecond();
    let script = format!("const real = Date.now.bind(Date); Date.now = () => real() + ({off});");
    let set = json!({"cmd": "Page.addScriptToEvaluateOnNewDocument", "params": {"source": script}});
    browser.command("goog/cdp/execute", set).await;
    let light = json!([{"name": "prefers-color-scheme", "value": "light"}]);
    let light = json!({"cmd": "Emulation.setEmulatedMedia", "params": {"features": light}});
    browser.command("goog/cdp/execute", light).await;
    let bars = json!({"cmd": "Emulation.setScrollbarsHidden", "params": {"hidden": true}});
    browser.command("goog/cdp/execute", bars).await;
}

#[tokio::test(start_paused = true)]
async fn the_books_pictures_are_taken() {
    let (folder, page) = (tempfile::tempdir().expect("a folder"), free_address());
    let kept = std::env::var_os(FOLDER).map(PathBuf::from);
    let minutes = if kept.is_some() { MINUTES } else { FEW_MINUTES };
    let start = Timestamp::from_second(now().as_second() - 60 * minutes).expect("a time");
    let clock = Clock::simulated(start);
    let parts = Parts { probing: Probing::Simulated(looks(clock.clone())), loader: Arc::new(|| Err(String::new())) };
    let plan = commune(folder.path(), page, receiver().await);
    assert_eq!(plan.fleet.cameras.values().filter(|camera| camera.kind == Kind::Public).count(), 40);
    let running = daemon::start(plan, clock.clone(), parts).await.expect("it starts");
    for _ in 0..minutes {
        // The journal's thread lives in real time; made-up time stands still while another thread is at work.
        tokio::task::spawn_blocking(|| std::thread::park_timeout(Duration::from_millis(1))).await.expect("no panic");
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
    tokio::time::resume();
    let open = eventually("an incident", async || {
        let text = reqwest::get(format!("http://{page}/api/v1/incidents")).await.ok()?.text().await.ok()?;
        let all: Value = serde_json::from_str(&text).ok()?;
        let all = all.as_array().or_else(|| all["incidents"].as_array())?.clone();
        all.iter().find(|one| one["closed"].is_null() && one.to_string().contains("Cầu Cảng"))?["number"].as_u64()
    })
    .await;
    let browser = Browser::start().await;
    set_clock(&browser, &clock).await;
    let kept = kept.unwrap_or_else(|| folder.path().to_owned());
    let mut sizes = Vec::new();
    for (name, path, (width, height), expected) in pictures(open) {
        browser.resize(width, height).await;
        for (language, expected) in ["vi", "en"].into_iter().zip(expected) {
            let with = if path.contains('?') { '&' } else { '?' };
            // Of what is dear, such as the past, the first to ask may be told to come again.
            eventually(&format!("{path}: {expected}"), async || {
                browser.open(&format!("http://{page}{path}{with}lang={language}")).await;
                browser.text("main").await.contains(expected).then_some(())
            })
            .await;
            assert_ne!(browser.script("return document.getElementById('stale')?.hidden").await, false, "{path}");
            let taken =
                json!({"cmd": "Page.captureScreenshot", "params": {"format": "png", "optimizeForSpeed": false}});
            let taken = browser.command("goog/cdp/execute", taken).await;
            let bytes = BASE64_STANDARD.decode(taken["data"].as_str().expect("text")).expect("base64");
            fs::write(kept.join(format!("{name}.{language}.png")), &bytes).expect("it can be written");
            sizes.push((format!("{name}.{language}"), bytes.len()));
        }
    }
    browser.open("about:blank").await;
    running.stop().await;
    assert!(sizes.iter().all(|(_, size)| *size < LARGEST), "{sizes:#?}");
}
