//! Agents as processes of their own: they join by a code, look at what the daemon cannot reach, hold what they saw while the line
//! is cut, and are cut off. The line is a relay of ours that can be cut; the cameras answer nobody but the agent's address.

use crate::{
    encrypted_pages::issue,
    support::{PATIENCE, Process, camhealth, eventually, eventually_within, fixture, free_address, program},
};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// A line that can be cut: what is under way breaks, and nothing new gets through. It counts what goes over it, both ways.
pub(crate) struct Cable {
    address: SocketAddr,
    cut: Arc<AtomicBool>,
    bytes: Arc<AtomicU64>,
}

/// Hands on what comes, and counts it.
async fn hand_on(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin, bytes: Arc<AtomicU64>) {
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        bytes.fetch_add(length as u64, Ordering::Relaxed);
        if to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
    let _ = to.shutdown().await;
}

impl Cable {
    async fn to(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let cut = Arc::new(AtomicBool::new(false));
        let bytes = Arc::new(AtomicU64::new(0));
        let (is_cut, counted) = (cut.clone(), bytes.clone());
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let (is_cut, counted) = (is_cut.clone(), counted.clone());
                tokio::spawn(async move {
                    let Ok(far) = TcpStream::connect(target).await else { return };
                    let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
                    let both = async {
                        tokio::join!(hand_on(near_in, far_out, counted.clone()), hand_on(far_in, near_out, counted))
                    };
                    let broken = async {
                        while !is_cut.load(Ordering::Relaxed) {
                            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                        }
                    };
                    tokio::select! {
                        () = broken => {}
                        _ = both => {}
                    }
                });
            }
        });
        Self { address, cut, bytes }
    }

    fn cut(&self, cut: bool) {
        self.cut.store(cut, Ordering::Relaxed);
    }
}

/// A commune with an agent.
pub(crate) struct World {
    pub(crate) folder: tempfile::TempDir,
    page: SocketAddr,
    pub(crate) cable: Cable,
    http: reqwest::Client,
    pub(crate) cameras: camhealth::sim::SimFleet,
}

impl World {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let page = free_address();
        issue(folder.path(), "page");
        let port = camhealth::sim::Spec::new((std::net::Ipv4Addr::LOCALHOST, 0).into());
        let cameras = camhealth::sim::SimFleet::start(port, 0, 0).await.expect("cameras");
        let urls = [1, 2, 3].map(|last| cameras.rtsp_url(std::net::Ipv4Addr::new(127, 9, 79, last).into()).to_string());
        let values = [
            ("page", page.to_string()),
            ("first", urls[0].clone()),
            ("second", urls[1].clone()),
            ("third", urls[2].clone()),
        ];
        let values: Vec<(&str, &str)> = values.iter().map(|(key, value)| (*key, value.as_str())).collect();
        fs::write(folder.path().join("camhealth.toml"), fixture("agents.toml", &values)).expect("a disk");
        let http = reqwest::Client::builder().tls_danger_accept_invalid_certs(true).build().expect("a client");
        let cable = Cable::to(page).await;
        Self { folder, page, cable, http, cameras }
    }

    fn config(&self) -> PathBuf {
        self.folder.path().join("camhealth.toml")
    }

    fn start(&self, arguments: &[&str], log: &str) -> Process {
        let log = fs::OpenOptions::new().create(true).append(true).open(self.folder.path().join(log)).expect("a file");
        let mut command = Command::new(program());
        command.args(arguments).env("AGENTS_TEST_PASSWORD", "mật khẩu");
        Process::start(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log))
    }

    pub(crate) fn daemon(&self) -> Process {
        self.start(&["run", "--config", self.config().to_str().expect("letters")], "daemon.log")
    }

    pub(crate) fn agent(&self, folder: &Path) -> Process {
        self.start(&["agent", "run", "--folder", folder.to_str().expect("letters")], "agent.log")
    }

    pub(crate) fn log(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join(name)).unwrap_or_default()
    }

    /// What a command prints, and whether it was done.
    fn command(&self, arguments: &[&str]) -> (bool, String) {
        let config = self.config();
        let config = ["--config", config.to_str().expect("letters")];
        let output = camhealth(&[arguments, &config].concat(), &[("AGENTS_TEST_PASSWORD", "mật khẩu")]);
        let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        (output.status.success(), text.trim().to_owned())
    }

    /// A code by which an agent joins over the cable.
    fn code(&self) -> String {
        let at = format!("https://{}/", self.cable.address);
        let (done, code) = self.command(&["agents", "add", "hem-7", "--at", &at]);
        assert!(done && code.starts_with("cam1-"), "{code}");
        code
    }

    pub(crate) async fn get(&self, path: &str) -> Option<Value> {
        let answer = self.http.get(format!("https://{}{path}", self.page)).send().await.ok()?;
        serde_json::from_str(&answer.text().await.ok()?).ok()
    }

    /// What a page answers to a form.
    pub(crate) async fn page(&self, path: &str, form: &'static str) -> String {
        let request = self.http.post(format!("https://{}{path}", self.page)).body(form);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        request.send().await.expect("an answer").text().await.expect("text")
    }

    pub(crate) async fn metric(&self, line: &str) -> Option<f64> {
        let answer = self.http.get(format!("https://{}/metrics", self.page)).send().await.ok()?.text().await.ok()?;
        answer.lines().find_map(|one| one.strip_prefix(line)?.trim().parse().ok())
    }

    pub(crate) async fn becomes(&self, camera: &str, state: &str) {
        let path = format!("/api/v1/cameras/{camera}");
        // An agent is lost after 52 s, and its link some seconds later.
        eventually_within(2 * PATIENCE, &format!("{camera} becomes {state}"), async || {
            (self.get(&path).await?["state"] == state).then_some(())
        })
        .await;
    }

    /// The folder of an agent that has joined, as soon as there is a daemon.
    pub(crate) async fn joined(&self) -> PathBuf {
        eventually("the daemon", async || self.get("/api/v1/cameras/nha-1").await).await;
        let folder = self.folder.path().join("agent");
        assert!(self.join(&folder, &self.code()).0);
        folder
    }

    pub(crate) fn join(&self, folder: &Path, code: &str) -> (bool, String) {
        let output = camhealth(&["agent", "join", code, "--folder", folder.to_str().expect("letters")], &[]);
        let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        (output.status.success(), text)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_joins_looks_holds_what_it_saw_and_is_cut_off() {
    let mut world = World::new().await;
    let daemon = world.daemon();
    eventually("the daemon", async || world.get("/api/v1/status").await).await;
    let folder = world.folder.path().join("agent");
    let code = world.code();
    let (done, told) = world.join(&folder, &code);
    assert!(done && told.contains("joined as hem-7"), "{told}");
    let (done, told) = world.join(&world.folder.path().join("another"), &code);
    assert!(!done && told.contains("the code was used"), "once: {told}");

    // Without the agent nobody looks; with it, its cameras are up, and their password came with the plan.
    let agent = world.agent(&folder);
    world.becomes("nha-1", "up").await;
    world.becomes("nha-2", "up").await;
    let plan = fs::read_to_string(folder.join("plan.json")).expect("the plan is kept");
    assert!(!plan.contains("bà Hoa"), "a household's name stays at home");
    let kept = fs::metadata(folder.join("plan.json")).expect("it is there");
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&kept.permissions()) & 0o777, 0o600);
    let (_, listed) = world.command(&["agents"]);
    assert!(listed.contains("hem-7") && listed.contains(env!("CARGO_PKG_VERSION")), "{listed}");

    // A fault behind it is told at once.
    world.cameras.set_fault([127, 9, 79, 1].into(), camhealth::sim::Fault::PortClosed).await.expect("a fault");
    world.becomes("nha-1", "down").await;
    world.cameras.set_fault([127, 9, 79, 1].into(), camhealth::sim::Fault::None).await.expect("no fault");
    world.becomes("nha-1", "up").await;

    // The line is cut: within a minute all of it is out of reach, and one incident names the agent.
    world.cable.cut(true);
    world.becomes("nha-1", "unreachable").await;
    let incidents = world.get("/api/v1/incidents").await.expect("an answer");
    assert!(incidents.to_string().contains("\"hem-7\""), "{incidents}");
    let cut_at = jiff::Timestamp::now().as_second();
    // Meanwhile it looks on, even through a kill.
    drop(agent);
    let agent = world.agent(&folder);
    eventually("looks that wait", async || (held(&folder)? > 10).then_some(())).await;
    // `CAMHEALTH_CUT_FOR=3600` for so many seconds: an hour for real.
    let cut_for = std::env::var("CAMHEALTH_CUT_FOR").ok().and_then(|seconds| seconds.parse().ok()).unwrap_or(30);
    let whole = cut_at + cut_for - jiff::Timestamp::now().as_second();
    tokio::time::sleep(std::time::Duration::from_secs(whole.max(0).unsigned_abs())).await;
    world.cable.cut(false);
    world.becomes("nha-1", "up").await;
    taken(&folder).await;
    let late = world.metric("camhealth_agent_looks_total{outcome=\"late\"}").await.expect("a figure");
    assert!(late > 5.0, "{late}");
    println!("{late} looks were told that were made while the line was cut for {cut_for} s");
    assert_eq!(world.metric("camhealth_agent_looks_total{outcome=\"refused\"}").await.unwrap_or(0.0), 0.0);
    // What was out of reach is known to have been up: the report counts less than the time of the cut as a line's.
    let month = jiff::Timestamp::now().to_zoned_datetime(jiff::tz::TimeZone::fixed(jiff::tz::offset(7)));
    let month = month.strftime("%Y-%m").to_string();
    let lines = eventually("the report", async || world.get(&format!("/api/v1/reports/{month}")).await).await;
    for line in lines["cameras"].as_array().expect("a list") {
        let seconds = |account: &str| line["seconds"][account].as_i64().expect("seconds");
        let known = seconds("up") + seconds("down") + seconds("degraded");
        let lost = seconds("external") + seconds("unreachable") + seconds("unseen");
        assert!(lost < 30 && known > 2 * lost && seconds("external") < 20, "the cut took a minute: {line}");
    }

    // The daemon dies and comes back; nothing counts twice, and nothing is lost.
    drop(daemon);
    let _daemon = world.daemon();
    world.becomes("nha-2", "up").await;
    taken(&folder).await;

    // Cut off, it is told so and can say nothing.
    let (done, told) = world.command(&["agents", "revoke", "hem-7"]);
    assert!(done, "{told}");
    eventually("that it is told", async || {
        world.log("agent.log").contains("no agent is known by this key").then_some(())
    })
    .await;
    drop(agent);
    for log in ["agent.log", "daemon.log"] {
        let text = world.log(log);
        assert!(!text.contains("mật khẩu") && !text.contains("panicked"), "{text}");
    }
}

/// Cuts, and kills of either side, at moments that nobody chose: `CAMHEALTH_CUTS` says how many.
#[tokio::test(flavor = "multi_thread")]
async fn whatever_dies_in_whatever_moment_each_look_counts_once() {
    let world = World::new().await;
    let mut daemon = Some(world.daemon());
    let folder = world.joined().await;
    let mut agent = Some(world.agent(&folder));
    world.becomes("nha-1", "up").await;
    for (round, pause) in moments(6) {
        match round % 3 {
            0 => {
                world.cable.cut(true);
                tokio::time::sleep(pause).await;
                world.cable.cut(false);
            }
            1 => {
                drop(agent.take());
                tokio::time::sleep(pause / 4).await;
                agent = Some(world.agent(&folder));
            }
            _ => {
                drop(daemon.take());
                tokio::time::sleep(pause / 4).await;
                daemon = Some(world.daemon());
            }
        }
        tokio::time::sleep(pause).await;
    }
    world.becomes("nha-1", "up").await;
    each_look_counts_once(&folder, &world.folder.path().join("journal.sqlite3")).await;
    drop((agent, daemon));
    let log = world.log("daemon.log") + &world.log("agent.log");
    assert!(!log.contains("panicked"), "{log}");
}

/// On demand, `CAMHEALTH_IDLE=600` for so many seconds: what an agent with one household camera moves on its line in a day, at the
/// default cadence, when all is well.
#[tokio::test(flavor = "multi_thread")]
async fn what_an_idle_agent_moves_in_a_day() {
    let Some(seconds) = std::env::var("CAMHEALTH_IDLE").ok().and_then(|seconds| seconds.parse::<u64>().ok()) else {
        return;
    };
    let world = World::new().await;
    let text = fs::read_to_string(world.config()).expect("a file");
    let (usual, alone) = (text.replace("public = {", "# {"), "kind = \"household\"\nconsent = \"2026-09-01\"\n");
    let usual =
        usual.replacen("kind = \"public\"\n", alone, 1).replacen("kind = \"public\"\nlink = \"hem-7\"\n", alone, 1);
    fs::write(world.config(), usual).expect("a disk");
    let _daemon = world.daemon();
    let folder = world.joined().await;
    let _agent = world.agent(&folder);
    world.becomes("nha-1", "up").await;
    let before = world.cable.bytes.load(Ordering::Relaxed);
    tokio::time::sleep(std::time::Duration::from_secs(seconds)).await;
    let moved = world.cable.bytes.load(Ordering::Relaxed) - before;
    let a_day = moved as f64 * 86_400.0 / seconds as f64;
    println!("{moved} bytes in {seconds} s: {:.2} MB a day", a_day / 1e6);
    assert!(a_day < 1e6, "an idle agent moves {a_day} bytes a day");
}

/// An agent that was cut off for a week tells what twenty cameras were, while the daemon watches its own camera as ever. In CI it is
/// an hour; `CAMHEALTH_WEEK=1` for the whole week, which is to be told within a minute by a program that is optimised.
#[tokio::test(flavor = "multi_thread")]
async fn a_week_of_looks_is_told_and_delays_nobody() {
    let is_whole = std::env::var_os("CAMHEALTH_WEEK").is_some();
    let minutes = if is_whole { 7 * 24 * 60 - 60 } else { 60 };
    let world = World::new().await;
    let mut text = fs::read_to_string(world.config()).expect("a file");
    for number in 3..=20 {
        let url = world.cameras.rtsp_url(std::net::Ipv4Addr::new(127, 9, 79, number + 10).into());
        text += &format!(
            "[[camera]]\nid = \"nha-{number}\"\nname = \"Nhà {number}\"\nkind = \"public\"\nlink = \"hem-7\"\nrtsp = \"{url}\"\n"
        );
    }
    fs::write(world.config(), text).expect("a disk");
    let _daemon = world.daemon();
    let folder = world.joined().await;
    let agent = world.agent(&folder);
    world.becomes("nha-20", "up").await;
    world.cable.cut(true);
    eventually("looks that wait", async || held(&folder).filter(|count| *count > 0)).await;
    drop(agent);

    // What each would have seen each minute since it was cut off: every tenth hour out of order for some minutes.
    let mut store = rusqlite::Connection::open(folder.join("looks.sqlite3")).expect("a file");
    let (boot, ticks, wall): (String, i64, i64) = store
        .query_row("SELECT boot, ticks, wall FROM look ORDER BY number DESC LIMIT 1", [], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .expect("a look");
    let refused =
        camhealth::model::Failure::new(camhealth::model::FailureKind::Refused, camhealth::model::Detail::default());
    let transaction = store.transaction().expect("a disk");
    for minute in (2..minutes).rev() {
        for camera in 1..=20 {
            let fails = minute % 600 < 4;
            let before = minute * 60_000 + camera * 1000;
            let mut seen = look(0, "", 0)["seen"].clone();
            let started = jiff::Timestamp::from_millisecond(wall - before).expect("a time");
            seen["started"] = serde_json::json!(started.to_string());
            if fails {
                seen["failure"] = serde_json::to_value(&refused).expect("JSON");
            }
            let sql = "INSERT INTO look (camera, boot, ticks, wall, news, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
            let camera = format!("nha-{camera}");
            let values = rusqlite::params![camera, boot, ticks - before, wall - before, fails, seen.to_string()];
            transaction.prepare_cached(sql).expect("it is read").execute(values).expect("a disk");
        }
    }
    transaction.commit().expect("a disk");
    drop(store);
    let waiting = held(&folder).expect("a count");
    assert!(waiting >= (minutes - 2) * 20, "{waiting}");

    world.cable.cut(false);
    let _agent = world.agent(&folder);
    let began = std::time::Instant::now();
    let mut lag = 0f64;
    let told = "camhealth_agent_looks_total{outcome=\"late\"}";
    eventually("all that was seen", async || {
        lag = lag.max(world.metric("camhealth_probe_lag_seconds").await?);
        (world.metric(told).await? >= ((minutes - 2) * 20) as f64).then_some(())
    })
    .await;
    let repeated = world.metric("camhealth_agent_looks_total{outcome=\"repeated\"}").await;
    assert!(repeated < Some(500.0), "looks that were sent again: {repeated:?}");
    println!(
        "{waiting} looks were told in {:.1} s; looks of others began {lag} s late at most",
        began.elapsed().as_secs_f64()
    );
    assert!(lag < 1.0, "{lag}");
    assert_eq!(world.metric("camhealth_agent_dropped_looks{link=\"hem-7\"}").await, Some(0.0));
    world.becomes("nha-20", "up").await;
    let log = world.log("daemon.log") + &world.log("agent.log");
    assert!(!log.contains("panicked"), "{log}");
}

/// Rounds with a pause each that nobody chose; `CAMHEALTH_CUTS` says how many.
pub(crate) fn moments(usual: u64) -> impl Iterator<Item = (u64, std::time::Duration)> {
    let rounds = std::env::var("CAMHEALTH_CUTS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(usual);
    let mut random = jiff::Timestamp::now().as_nanosecond() as u64;
    eprintln!("the moments begin with {random}");
    (0..rounds).map(move |round| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (round, std::time::Duration::from_millis(200 + (random >> 33) % 2500))
    })
}

/// The agent's own count against the daemon's: no number is missing, none is ahead, and none is there twice.
pub(crate) async fn each_look_counts_once(folder: &Path, journal: &Path) {
    let given = taken(folder).await;
    assert!(given > 10 && query(journal, "SELECT max(taken) FROM agent") >= Some(given));
    assert_eq!(query(journal, "SELECT count(*) FROM agent"), Some(1));
    assert_eq!(query(&folder.join("looks.sqlite3"), "SELECT count(*) FROM state WHERE name = 'dropped'"), Some(0));
    let twice = "SELECT count(*) - count(DISTINCT camera || ' ' || at || ' ' || depth) FROM late";
    assert_eq!(query(journal, twice), Some(0));
}

/// Waits until all that an agent has seen by now is with the daemon; how many looks that are.
pub(crate) async fn taken(folder: &Path) -> i64 {
    let file = folder.join("looks.sqlite3");
    let given = query(&file, "SELECT seq FROM sqlite_sequence").expect("it looked");
    let first = "SELECT ifnull(min(number), 9223372036854775807) FROM look";
    // What is not new waits for the answer to the message before it, and the answer for what the daemon has to say.
    eventually_within(2 * PATIENCE, "all that was seen", async || (query(&file, first)? > given).then_some(())).await;
    given
}

/// Looks that wait with an agent.
fn held(folder: &Path) -> Option<i64> {
    query(&folder.join("looks.sqlite3"), "SELECT count(*) FROM look")
}

/// What a file of SQLite answers.
fn query(file: &Path, sql: &str) -> Option<i64> {
    let script = "import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute(sys.argv[2]).fetchone()[0])";
    let output = Command::new("/usr/bin/python3").args(["-c", script]).arg(file).arg(sql).output().ok()?;
    String::from_utf8_lossy(&output.stdout).trim().parse().ok()
}

/// An agent of our own making: what the daemon believes is decided by what is signed alone.
struct Impostor {
    key: Ed25519KeyPair,
    http: reqwest::Client,
    base: String,
}

impl Impostor {
    fn new(world: &World) -> Self {
        let key = Ed25519KeyPair::generate().expect("a key");
        Self { key, http: world.http.clone(), base: format!("https://{}", world.page) }
    }

    fn public(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(self.key.public_key().as_ref())
    }

    async fn join(&self, code: &str) -> u16 {
        let json = BASE64_URL_SAFE_NO_PAD.decode(code.trim_start_matches("cam1-")).expect("base64");
        let json: Value = serde_json::from_slice(&json).expect("JSON");
        let body = serde_json::json!({ "code": json["code"], "key": self.public() });
        let request = self.http.post(format!("{}/agent/join", self.base)).header("content-type", "application/json");
        request.body(body.to_string()).send().await.expect("an answer").status().as_u16()
    }

    /// What proves a body, as `docs/agents.md` has it; signed at another time than now by so many seconds.
    fn shown(&self, body: &[u8], off: i64) -> String {
        let at = jiff::Timestamp::now().as_millisecond() + off * 1000;
        let digest: String = Sha256::digest(body).iter().map(|byte| format!("{byte:02x}")).collect();
        let signature = self.key.sign(format!("camhealth agent\n/agent/exchange\n{at}\n{digest}").as_bytes());
        format!("Agent {}.{at}.{}", self.public(), BASE64_URL_SAFE_NO_PAD.encode(signature.as_ref()))
    }

    async fn send(&self, body: Vec<u8>, shown: Option<String>) -> (u16, Value) {
        let request = self.http.post(format!("{}/agent/exchange", self.base)).body(body);
        let request = shown.into_iter().fold(request, |request, shown| request.header("authorization", shown));
        let answer = request.send().await.expect("an answer");
        let status = answer.status().as_u16();
        (status, serde_json::from_str(&answer.text().await.expect("text")).unwrap_or_default())
    }

    async fn say(&self, version: &str, looks: Value) -> (u16, Value) {
        let message = serde_json::json!({ "version": version, "plan": "", "backlog": 0, "dropped": 0, "wait": 0, "looks": looks });
        let body = packed(message.to_string().as_bytes());
        let shown = self.shown(&body, 0);
        self.send(body, Some(shown)).await
    }
}

fn packed(text: &[u8]) -> Vec<u8> {
    camhealth::web::packed(text).expect("memory")
}

fn look(number: u64, camera: &str, age_ms: u64) -> Value {
    use camhealth::model::{AgentLook, Check, Observation};
    let seen = Observation::new(Check::Liveness, jiff::Timestamp::UNIX_EPOCH);
    let look = AgentLook { number, camera: camera.into(), age: age_ms, error: 0, seen, oversized: false };
    serde_json::to_value(look).expect("JSON")
}

/// Strangers, copies, garbage, other cameras, times that cannot be, numbers that jump back, floods, and other versions: each is
/// refused with a reason, counted, and harms nobody.
#[tokio::test(flavor = "multi_thread")]
async fn whatever_comes_to_the_door_of_agents_is_refused_with_a_reason_and_counted() {
    let world = World::new().await;
    let _daemon = world.daemon();
    eventually("the daemon", async || world.get("/api/v1/status").await).await;
    let counted = async |why: &str, wanted: f64| {
        let line = format!("camhealth_agent_refusals_total{{reason=\"{why}\"}}");
        eventually(&format!("{why}: {wanted}"), async || (world.metric(&line).await == Some(wanted)).then_some(()))
            .await;
    };
    let (agent, stranger) = (Impostor::new(&world), Impostor::new(&world));
    let code = world.code();
    assert_eq!((agent.join(&code).await, stranger.join(&code).await), (200, 403), "a code is good once");
    let version = env!("CARGO_PKG_VERSION");

    let (status, answer) = agent.say(version, serde_json::json!([])).await;
    assert!(status == 200 && answer["plan"]["text"].as_str().is_some_and(|text| text.contains("nha-1")), "{answer}");
    assert_eq!(stranger.say(version, serde_json::json!([])).await.0, 403);
    counted("unknown", 1.0).await;

    // Unsigned, signed by one and shown by another, signed for another body, or at another time.
    let body = packed(b"{}");
    assert_eq!(agent.send(body.clone(), None).await.0, 401);
    let stolen = stranger.shown(&body, 0).replace(&stranger.public(), &agent.public());
    assert_eq!(agent.send(body.clone(), Some(stolen)).await.0, 401);
    assert_eq!(agent.send(packed(b"{ }"), Some(agent.shown(&body, 0))).await.0, 401);
    let (status, answer) = agent.send(body.clone(), Some(agent.shown(&body, -600))).await;
    assert!(status == 401 && answer["now"].is_i64(), "it hears what time it is: {answer}");
    counted("unsigned", 3.0).await;
    counted("time", 1.0).await;

    // Garbage, a bomb, and a body that is too long.
    for body in [b"not packed".to_vec(), packed(b"{}"), packed(&vec![b' '; 50 << 20])] {
        let shown = agent.shown(&body, 0);
        let (status, answer) = agent.send(body, Some(shown)).await;
        assert!(status == 400 && answer["error"].is_string(), "{status} {answer}");
    }
    counted("unread", 3.0).await;
    let long = vec![0; 80 << 10];
    let shown = agent.shown(&long, 0);
    assert_eq!(agent.send(long, Some(shown)).await.0, 413);

    // Another version is told so, and its cameras stay unseen.
    let (status, answer) = agent.say("9.0.0", serde_json::json!([look(1, "nha-1", 0)])).await;
    assert!(status == 426 && answer["error"].as_str().is_some_and(|why| why.contains(version)), "{answer}");
    eventually("that pages show it", async || {
        (world.get("/api/v1/agents").await?[0]["fits"] == "refused").then_some(())
    })
    .await;

    // A camera that is not its own, one that nobody has, times of last month and of never: not taken, and not asked for again.
    let week = 9 * 24 * 3600 * 1000;
    let looks = serde_json::json!([
        look(5, "own", 0),
        look(6, "nowhere", 0),
        look(7, "nha-1", week),
        look(8, "nha-1", u64::MAX),
        look(9, "nha-1", 0),
    ]);
    let (status, answer) = agent.say(version, looks.clone()).await;
    assert_eq!((status, &answer["taken"]), (200, &serde_json::json!(9)), "{answer}");
    // The same again, and numbers that jump back: taken once.
    assert_eq!(agent.say(version, looks).await.1["taken"], 9);
    assert_eq!(agent.say(version, serde_json::json!([look(2, "nha-1", 0)])).await.1["taken"], 9);
    for (outcome, wanted) in [("refused", 4.0), ("repeated", 6.0), ("fresh", 1.0)] {
        let line = format!("camhealth_agent_looks_total{{outcome=\"{outcome}\"}}");
        eventually(&line, async || (world.metric(&line).await == Some(wanted)).then_some(())).await;
    }

    // A flood is slowed down, and everybody else gets on.
    let mut slowed = 0;
    for _ in 0..400 {
        slowed += u32::from(agent.say(version, serde_json::json!([])).await.0 == 429);
    }
    assert!(slowed > 0);
    counted("flood", f64::from(slowed)).await;
    // Nobody else is harmed.
    world.becomes("own", "up").await;
    assert!(!world.log("daemon.log").contains("panicked"), "{}", world.log("daemon.log"));
}
