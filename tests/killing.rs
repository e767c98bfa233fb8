//! kill -9 in a loop: whatever was decided is told at least once, and nothing is told that was not remembered.
//!
//! The daemon runs in a process of its own with a real journal and a real HTTP receiver; only the looks at its 200
//! cameras are made up, so that something happens in each of the short lives that it is given.

use crate::{
    calls::{Phones, called},
    support::{eventually, fixture, postgres::Postgres},
    telling::ROTATION,
};
use axum::{Router, extract::State, http::HeaderMap, routing::post};
use camhealth::{
    clock::Clock,
    config,
    daemon::{self, Parts, Probing},
    model::{Codec, Detail, Failure, FailureKind, Observation, StreamFacts},
    schedule::{Order, ProbeFn},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    hash::{DefaultHasher, Hash, Hasher},
    net::SocketAddr,
    ops::Range,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

/// Unless `CAMHEALTH_KILLS` says how many.
const ROUNDS: u64 = 200;
const CAMERAS: usize = 200;
/// By which the child is told its folder, and for how many milliseconds cameras fail.
const FOLDER: &str = "CAMHEALTH_TEST_KILLING";
const FAILS_FOR: &str = "CAMHEALTH_TEST_FAILS_FOR";
/// Lives with telephones, where nobody says how many: each is longer, since a call takes its time.
const LIVES: u64 = 14;

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

/// A site for each camera; `more` says who is told beside the receiver.
fn configure(folder: &Path, receiver: SocketAddr, cameras: usize, more: &str) {
    let mut text = fixture("killing.toml", &[("receiver", &receiver.to_string())]) + more;
    for number in 0..cameras {
        let (number, rtsp) = (number.to_string(), format!("rtsp://10.0.0.{number}/s"));
        let values = [("number", number.as_str()), ("rtsp", &rtsp), ("more", ""), ("clear_after", "0s")];
        text += &fixture("camera_of_its_own.toml", &values);
    }
    std::fs::write(folder.join("camhealth.toml"), text).expect("it can be written");
}

/// Cameras that fail for a while now and then, as a function of time alone: a restart changes nothing of it. Where there is
/// no while they are well.
fn looks(fails_for: Option<i64>) -> ProbeFn {
    Arc::new(move |order: Order| {
        Box::pin(async move {
            let now = Clock::system().now();
            let fails = fails_for.is_some_and(|milliseconds| {
                let mut hasher = DefaultHasher::new();
                (order.camera.id.as_str(), now.as_millisecond() / milliseconds).hash(&mut hasher);
                hasher.finish().is_multiple_of(25)
            });
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
        probing: Probing::Simulated(looks(std::env::var(FAILS_FOR).ok().and_then(|text| text.parse().ok()))),
        loader: Arc::new(|| Err(String::new())),
    };
    let _running = daemon::start(plan, Clock::system(), parts).await.expect("it starts");
    std::future::pending::<()>().await;
}

fn start(folder: &Path, fails_for: Option<i64>) -> std::process::Child {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.args(["--exact", "killing::the_daemon_that_is_killed"]).env(FOLDER, folder);
    if let Some(milliseconds) = fails_for {
        command.env(FAILS_FOR, milliseconds.to_string());
    }
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts")
}

/// How often the daemon is killed.
fn rounds(usual: u64) -> u64 {
    std::env::var("CAMHEALTH_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

/// So many lives that end by kill -9 after some milliseconds, and a calm one that tells what is left.
async fn lives(folder: &Path, rounds: u64, fails_for: i64, each: Range<u64>) {
    lives_beside(folder, rounds, fails_for, each, |_| {}).await;
    calm(folder, |sql| read(folder, sql)).await;
}

/// The same, while `harm` does something else in each of them.
async fn lives_beside(folder: &Path, rounds: u64, fails_for: i64, each: Range<u64>, harm: impl Fn(u64)) {
    let mut random = 7u64;
    for round in 0..rounds {
        let mut child = start(folder, Some(fails_for));
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        tokio::time::sleep(Duration::from_millis(each.start + (random >> 33) % (each.end - each.start))).await;
        harm(round);
        child.kill().expect("it is our child");
        child.wait().expect("it is our child");
    }
}

/// A calm life that tells what is left.
async fn calm(folder: &Path, read: impl Fn(&str) -> Vec<String>) {
    let mut last = start(folder, None);
    let waiting = "SELECT notice FROM outbox WHERE state = 'queued'";
    eventually("an empty outbox", async || read(waiting).is_empty().then_some(())).await;
    last.kill().expect("it is our child");
    last.wait().expect("it is our child");
}

fn read(folder: &Path, sql: &str) -> Vec<String> {
    let journal = rusqlite::Connection::open(folder.join("journal.sqlite3")).expect("it opens");
    let mut statement = journal.prepare(sql).expect("a statement");
    let rows = statement.query_map([], |row| row.get::<_, String>(0)).expect("rows");
    rows.collect::<Result<_, _>>().expect("text")
}

/// Telephones at which somebody takes each incident on as soon as it rings.
#[tokio::test(flavor = "multi_thread")]
async fn kills_lose_no_call_and_make_none_twice_but_the_one_at_hand() {
    let (rounds, folder) = (rounds(LIVES), tempfile::tempdir().expect("a folder"));
    let phones = Phones::brief();
    let people = [
        phones.trunk("an", "lines = 100"),
        "per_minute = 6000\n".to_owned(),
        called("an", "Trung úy An"),
        ROTATION.to_owned(),
    ];
    configure(folder.path(), receiver(Received::default()).await, 150, &people.concat());
    lives(folder.path(), rounds, 12_000, 1500..4500).await;

    let read = |sql: &str| read(folder.path(), sql);
    let (opened, taken) =
        (read("SELECT id FROM incident"), read("SELECT incident FROM timeline WHERE what = 'taken_on'"));
    assert!(taken.len() as u64 >= rounds / 2, "only {} were taken on: the loop tests nothing", taken.len());
    let once: BTreeSet<&String> = taken.iter().collect();
    assert_eq!(once.len(), taken.len(), "who was taken on stays so, whatever is killed");
    // Of the others it was heard and no key arrived, or what is newer took the place of the call: it was over by then.
    let settled = read("SELECT incident FROM outbox WHERE recipient = 'call:an' AND state IN ('sent', 'superseded')");
    let lost: Vec<&String> = opened.iter().filter(|id| !once.contains(id) && !settled.contains(id)).collect();
    assert!(lost.is_empty(), "never rung: {lost:?}");
    // A call that a kill cut off before its key was noted is made again, and no other.
    let calls = phones.calls();
    println!("{rounds} kills: {} incidents, {} taken on by {calls} calls", opened.len(), taken.len());
    assert!(calls as u64 <= taken.len() as u64 + rounds, "{calls} calls in {rounds} kills");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_kills_lose_nothing() {
    let rounds = rounds(ROUNDS);
    let folder = tempfile::tempdir().expect("a folder");
    let received = Received::default();
    configure(folder.path(), receiver(received.clone()).await, CAMERAS, "");
    lives(folder.path(), rounds, 500, 150..650).await;
    nothing_is_lost(|sql| read(folder.path(), sql), &received, rounds);
}

/// The same on a server, which crashes in the midst of it too.
#[tokio::test(flavor = "multi_thread")]
async fn kills_of_the_daemon_and_crashes_of_postgresql_lose_nothing() {
    let rounds = rounds(ROUNDS / 10);
    let (folder, postgres) = (tempfile::tempdir().expect("a folder"), Postgres::start());
    let received = Received::default();
    configure(folder.path(), receiver(received.clone()).await, CAMERAS, "");
    let config = folder.path().join("camhealth.toml");
    let text = std::fs::read_to_string(&config).expect("it was written");
    let server = format!("url = \"{}\"", postgres.url());
    std::fs::write(&config, text.replace("path = \"journal.sqlite3\"", &server)).expect("a disk");
    let ask = |sql: &str| postgres.ask(&format!("SET search_path = camhealth; {sql}")).expect("it answers");
    lives_beside(folder.path(), rounds, 500, 400..1400, |round| {
        // Now and then the daemon sees it crash and come back, and dies in the midst of that.
        if round % 4 == 3 {
            postgres.crash();
            postgres.start_again();
            std::thread::sleep(Duration::from_millis(1500));
        }
    })
    .await;
    calm(folder.path(), ask).await;
    // What was told and not noted before a crash is told once more; the crash is one more kill.
    nothing_is_lost(ask, &received, rounds + rounds / 4);
}

/// What was decided was told, and nothing else was.
fn nothing_is_lost(read: impl Fn(&str) -> Vec<String>, received: &Received, rounds: u64) {
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
