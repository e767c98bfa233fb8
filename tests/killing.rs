//! kill -9 in a loop: whatever was decided is told at least once, and nothing is told that was not remembered.
//!
//! The daemon runs in a process of its own with a real journal and a real HTTP receiver; only the looks at its 200
//! cameras are made up, so that something happens in each of the short lives that it is given.

use crate::support::{eventually, fixture};
use axum::{Router, extract::State, http::HeaderMap, routing::post};
use camhealth::{
    clock::Clock,
    config,
    daemon::{self, Parts, Probing},
    model::{Codec, Detail, Failure, FailureKind, Observation, StreamFacts},
    schedule::{Order, ProbeFn},
};
use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash, Hasher},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

/// Unless `CAMHEALTH_KILLS` says how many.
const ROUNDS: u64 = 200;
const CAMERAS: usize = 200;
/// By which the child is told its folder, and whether cameras fail.
const FOLDER: &str = "CAMHEALTH_TEST_KILLING";
const CALM: &str = "CAMHEALTH_TEST_CALM";

type Received = Arc<Mutex<BTreeMap<String, usize>>>;

async fn receiver(received: Received) -> SocketAddr {
    let take = async |State(received): State<Received>, headers: HeaderMap| {
        let key = headers["webhook-id"].to_str().expect("a key").to_owned();
        *received.lock().expect("no panic").entry(key).or_default() += 1;
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let router = Router::new().route("/", post(take)).with_state(received);
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

fn configure(folder: &Path, receiver: SocketAddr) {
    let mut text = fixture("killing.toml", &[("receiver", &receiver.to_string())]);
    for number in 0..CAMERAS {
        let (number, rtsp) = (number.to_string(), format!("rtsp://10.0.0.{number}/s"));
        let values = [("number", number.as_str()), ("rtsp", &rtsp), ("more", ""), ("clear_after", "0s")];
        text += &fixture("camera_of_its_own.toml", &values);
    }
    std::fs::write(folder.join("camhealth.toml"), text).expect("it can be written");
}

/// Cameras that fail for half a second now and then, as a function of time alone: a restart changes nothing of it.
fn looks(calm: bool) -> ProbeFn {
    Arc::new(move |order: Order| {
        Box::pin(async move {
            let now = Clock::system().now();
            let mut hasher = DefaultHasher::new();
            (order.camera.id.as_str(), now.as_millisecond() / 500).hash(&mut hasher);
            let fails = !calm && hasher.finish().is_multiple_of(25);
            // Refused: the network works, so that no link is blamed.
            let failure = fails.then(|| Failure::new(FailureKind::Refused, Detail::default()));
            let stream = Some(StreamFacts { proven: true, ..StreamFacts::new(Codec::H264) });
            Observation { failure, stream, ..Observation::new(order.check, now) }
        })
    })
}

/// The daemon of the loop, in a process of its own; without its folder there is nothing to do.
#[tokio::test(flavor = "multi_thread")]
async fn the_daemon_that_is_killed() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else { return };
    let plan = config::load(&folder.join("camhealth.toml")).expect("it is valid");
    let parts = Parts {
        probing: Probing::Simulated(looks(std::env::var_os(CALM).is_some())),
        loader: Arc::new(|| Err(String::new())),
    };
    let _running = daemon::start(plan, Clock::system(), parts).await.expect("it starts");
    std::future::pending::<()>().await;
}

fn start(folder: &Path, calm: bool) -> std::process::Child {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.args(["--exact", "killing::the_daemon_that_is_killed"]).env(FOLDER, folder);
    if calm {
        command.env(CALM, "yes");
    }
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts")
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_kills_lose_nothing() {
    let rounds = std::env::var("CAMHEALTH_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(ROUNDS);
    let folder = tempfile::tempdir().expect("a folder");
    let received = Received::default();
    configure(folder.path(), receiver(received.clone()).await);
    let mut random = 7u64;
    for _ in 0..rounds {
        let mut child = start(folder.path(), false);
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        tokio::time::sleep(Duration::from_millis(150 + (random >> 33) % 500)).await;
        child.kill().expect("it is our child");
        child.wait().expect("it is our child");
    }
    // One calm life to tell what is left.
    let mut last = start(folder.path(), true);
    let path = folder.path().join("journal.sqlite3");
    let read = |sql: &str| -> Vec<String> {
        let journal = rusqlite::Connection::open(&path).expect("it opens");
        let mut statement = journal.prepare(sql).expect("a statement");
        let rows = statement.query_map([], |row| row.get::<_, String>(0)).expect("rows");
        rows.collect::<Result<_, _>>().expect("text")
    };
    eventually("an empty outbox", async || {
        read("SELECT notice FROM outbox WHERE state = 'queued'").is_empty().then_some(())
    })
    .await;
    last.kill().expect("it is our child");
    last.wait().expect("it is our child");

    let received = received.lock().expect("no panic").clone();
    let notices = read("SELECT key FROM notice");
    let incidents = read("SELECT id FROM incident");
    assert!(notices.len() >= 50, "only {} notices: the loop tests nothing", notices.len());
    let superseded = read("SELECT notice FROM outbox WHERE state = 'superseded'");
    let lost: Vec<&String> =
        notices.iter().filter(|key| !received.contains_key(*key) && !superseded.contains(key)).collect();
    assert!(lost.is_empty(), "decided and never told: {lost:?}");
    for incident in &incidents {
        let told = received.keys().any(|key| key.rsplit_once('-').is_some_and(|(id, _)| id == incident));
        assert!(told, "{incident} was never told");
    }
    let invented: Vec<&String> = received.keys().filter(|key| !notices.contains(key)).collect();
    assert!(invented.is_empty(), "told and not remembered: {invented:?}");
    let repeated: usize = received.values().map(|times| times - 1).sum();
    assert!(repeated as u64 <= rounds, "{repeated} repetitions: more than one a kill");
    println!(
        "{rounds} kills: {} notices of {} incidents, none lost, {repeated} told twice",
        notices.len(),
        incidents.len()
    );
}
