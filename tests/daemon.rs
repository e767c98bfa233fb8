//! The whole daemon as a process: from a dying camera to a message, reload, kill -9 and restart, stopping.

use crate::support::{camhealth, eventually, eventually_within, fixture, free_address, program};
use axum::{Json, Router, extract::State, http::StatusCode, routing::post};
use camhealth::sim::{Fault, SimCamera, Spec};
use serde_json::Value;
use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

/// A receiver of messages that can be out of order.
#[derive(Clone, Default)]
pub struct Receiver {
    messages: Arc<Mutex<Vec<Value>>>,
    refuses: Arc<AtomicBool>,
}

impl Receiver {
    async fn start(&self) -> SocketAddr {
        let take = async |State(receiver): State<Receiver>, Json(body): Json<Value>| {
            if receiver.refuses.load(Ordering::SeqCst) {
                return StatusCode::SERVICE_UNAVAILABLE;
            }
            receiver.messages.lock().expect("no panic").push(body);
            StatusCode::OK
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let router = Router::new().route("/", post(take)).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        address
    }

    pub fn taken(&self) -> Vec<Value> {
        self.messages.lock().expect("no panic").clone()
    }

    /// Waits for the message of that number, from 1.
    pub async fn message(&self, number: usize) -> Value {
        eventually(&format!("message {number}"), async || self.taken().get(number - 1).cloned()).await
    }
}

/// Two cameras at one site, a receiver, and a configuration on disk.
pub struct World {
    pub folder: tempfile::TempDir,
    cameras: Vec<SimCamera>,
    pub receiver: Receiver,
    hook: SocketAddr,
    pub page: SocketAddr,
}

impl World {
    pub async fn new() -> Self {
        let mut cameras = Vec::new();
        for _ in 0..2 {
            let login = Some(("giamsat".to_owned(), "canary".to_owned()));
            let spec = Spec { login, ..Spec::new((Ipv4Addr::LOCALHOST, 0).into()) };
            cameras.push(SimCamera::start(spec).await.expect("ports"));
        }
        let receiver = Receiver::default();
        let hook = receiver.start().await;
        let folder = tempfile::tempdir().expect("a folder");
        let world = Self { folder, cameras, receiver, hook, page: free_address() };
        world.configure("Ngã tư Chợ");
        world
    }

    pub fn config(&self) -> PathBuf {
        self.folder.path().join("camhealth.toml")
    }

    /// Writes the configuration; both cameras are on one recorder, since they share the loopback address.
    pub fn configure(&self, site: &str) {
        let [first, second] = [0, 1].map(|number| self.cameras[number].rtsp_url());
        let (page, hook) = (self.page.to_string(), self.hook.to_string());
        let values =
            [("page", page.as_str()), ("rtsp_1", &first), ("rtsp_2", &second), ("site", site), ("hook", &hook)];
        let text = fixture("world.toml", &values);
        std::fs::write(self.config(), text).expect("it can be written");
        std::fs::write(self.folder.path().join("password"), "canary\n").expect("it can be written");
    }

    pub fn start(&self) -> Daemon {
        self.start_by(Command::new(program()).args(["run", "--config"]).arg(self.config()))
    }

    /// The same by a command of the caller's.
    pub fn start_by(&self, command: &mut Command) -> Daemon {
        let log = std::fs::File::create(self.folder.path().join("log")).expect("a file");
        let command = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        Daemon(command.spawn().expect("it starts"))
    }

    pub async fn get(&self, path: &str) -> Option<String> {
        let response = reqwest::get(format!("http://{}{path}", self.page)).await.ok()?;
        response.error_for_status().ok()?.text().await.ok()
    }

    pub async fn metric(&self, wanted: &str, value: f64) {
        eventually(&format!("{wanted} {value}"), async || {
            let text = self.get("/metrics").await?;
            let line = text.lines().find_map(|line| line.strip_prefix(wanted)?.trim().parse::<f64>().ok())?;
            (line == value).then_some(())
        })
        .await;
    }

    pub async fn break_camera(&self, number: usize) {
        self.cameras[number - 1].set_fault(Fault::PortClosed).await.expect("the fault is set");
    }

    /// Waits until the daemon's health is this; what it says of it.
    pub async fn health(&self, wanted: u16) -> String {
        eventually(&format!("health {wanted}"), async || {
            let answer = reqwest::get(format!("http://{}/-/healthy", self.page)).await.ok()?;
            if answer.status().as_u16() == wanted { answer.text().await.ok() } else { None }
        })
        .await
    }

    /// How often each reason was told by the webhook.
    pub fn told(&self, reason: &str) -> usize {
        self.receiver.taken().iter().filter(|body| body["reason"] == reason).count()
    }

    /// Whether all that was told of a site's coverage is of the first incident.
    pub fn is_one_incident(&self) -> bool {
        let taken = self.receiver.taken();
        let mut of_site =
            taken.iter().filter(|body| body["reason"].as_str().is_some_and(|why| why.starts_with("coverage")));
        of_site.all(|body| body["number"] == 1)
    }

    pub async fn is_told(&self, reason: &str) {
        let patience = Duration::from_secs(90);
        eventually_within(patience, reason, async || (self.told(reason) > 0).then_some(())).await;
    }

    /// How many sessions a camera had at once, at most.
    pub fn most_sessions(&self) -> usize {
        self.cameras.iter().map(|camera| camera.stats().max_open_sessions).max().unwrap_or(0)
    }

    pub async fn mend_camera(&self, number: usize) {
        self.cameras[number - 1].set_fault(Fault::None).await.expect("the fault is set");
    }
}

/// The daemon's process; killed with this value.
pub struct Daemon(Child);

impl Daemon {
    pub fn of(process: Child) -> Self {
        Self(process)
    }

    pub fn id(&self) -> u32 {
        self.0.id()
    }

    fn kill(&mut self) {
        self.0.kill().expect("it is our child");
        self.0.wait().expect("it is our child");
    }

    pub fn signal(&self, signal: rustix::process::Signal) {
        let id = i32::try_from(self.0.id()).ok().and_then(rustix::process::Pid::from_raw).expect("a process");
        rustix::process::kill_process(id, signal).expect("it is our child");
    }

    pub async fn ended(&mut self) -> i32 {
        eventually("the end", async || self.0.try_wait().expect("it is our child")).await.code().expect("an exit code")
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dying_camera_becomes_a_message_and_its_return_an_all_clear() {
    let world = World::new().await;
    let mut daemon = world.start();
    world.metric("camhealth_coverage_ratio", 1.0).await;
    world.break_camera(1).await;
    // One over each channel, in either order.
    world.receiver.message(2).await;
    let taken = world.receiver.taken();
    let hook = taken.iter().find(|body| body["key"].is_string()).expect("the webhook's");
    assert_eq!((&hook["reason"], &hook["level"]), (&"coverage_lost".into(), &"critical".into()));
    assert_eq!(hook["sites"][0]["views_lost"], serde_json::json!(["về phía cảng"]));
    let message = hook["message"].as_str().expect("text");
    for part in ["Ngã tư Chợ (Thôn Đông)", "Mất 1/2 hướng nhìn: về phía cảng", "Camera 1: cổng RTSP đóng", "Sự cố #1"]
    {
        assert!(message.contains(part), "{part:?} is missing in {message}");
    }
    let id = hook["incident"].as_str().expect("an id");
    let ntfy = taken.iter().find(|body| body["topic"] == "truc-ban").expect("ntfy's");
    for text in [message, ntfy["title"].as_str().expect("text"), ntfy["message"].as_str().expect("text")] {
        assert!(!text.contains(id), "people know an incident by its number: {text}");
    }
    assert_eq!(ntfy["title"], "Ngã tư Chợ: critical");
    assert!(ntfy["message"].as_str().expect("text").contains("1 of 2 views lost"));

    world.mend_camera(1).await;
    world.receiver.message(4).await;
    let taken = world.receiver.taken();
    let clear = taken.iter().rfind(|body| body["key"].is_string()).expect("the webhook's");
    assert_eq!((&clear["reason"], &clear["incident"]), (&"coverage_restored".into(), &hook["incident"]));

    let began = Instant::now();
    daemon.signal(rustix::process::Signal::TERM);
    assert_eq!(daemon.ended().await, 0);
    assert!(began.elapsed() < Duration::from_secs(5), "stopping took {:?}", began.elapsed());
    for camera in &world.cameras {
        assert_eq!(camera.stats().open_sessions, 0, "a session is left open");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn kill_9_loses_no_transition_and_no_alert() {
    let world = World::new().await;
    world.receiver.refuses.store(true, Ordering::SeqCst);
    let mut daemon = world.start();
    world.metric("camhealth_coverage_ratio", 1.0).await;
    world.break_camera(1).await;
    // Durable, but not yet told: the receiver refuses. What is decided and not yet written may be forgotten by a kill.
    let journal = rusqlite::Connection::open(world.folder.path().join("journal.sqlite3")).expect("it opens");
    eventually("two durable messages", async || {
        let waiting: i64 = journal.query_row("SELECT count(*) FROM outbox", [], |row| row.get(0)).ok()?;
        (waiting == 2).then_some(())
    })
    .await;
    daemon.kill();
    world.receiver.refuses.store(false, Ordering::SeqCst);
    assert!(world.receiver.taken().is_empty());

    let _daemon = world.start();
    world.receiver.message(2).await;
    // What was known is known again at once, and nothing is told twice.
    world.metric("camhealth_camera_state{camera=\"cam-1\",kind=\"public\",state=\"down\"}", 1.0).await;
    world.mend_camera(1).await;
    world.receiver.message(4).await;
    let taken = world.receiver.taken();
    let of = |reason: &str| taken.iter().filter(|body| body["reason"] == reason).count();
    assert_eq!((of("coverage_lost"), of("coverage_restored"), taken.len()), (1, 1, 4), "{taken:#?}");
    let sql =
        "SELECT group_concat(to_state, ' ') FROM (SELECT to_state FROM transition WHERE camera = 'cam-1' ORDER BY id)";
    let states: String = journal.query_row(sql, [], |row| row.get(0)).expect("it is read");
    assert_eq!(states, "up down up");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_keeps_state_and_a_bad_one_changes_nothing() {
    let world = World::new().await;
    let daemon = world.start();
    world.metric("camhealth_coverage_ratio", 1.0).await;
    world.configure("Ngã tư Chợ Mới");
    daemon.signal(rustix::process::Signal::HUP);
    eventually("the new name", async || world.get("/").await.filter(|page| page.contains("Ngã tư Chợ Mới"))).await;
    world.metric("camhealth_camera_state{camera=\"cam-1\",kind=\"public\",state=\"up\"}", 1.0).await;
    world.metric("camhealth_camera_transitions_total{camera=\"cam-1\"}", 1.0).await;

    world.configure("Ngã tư Chợ Cũ\"\nhamlett = \"");
    let answer =
        reqwest::Client::new().post(format!("http://{}/-/reload", world.page)).send().await.expect("an answer");
    assert_eq!(answer.status(), 400);
    let problems = answer.text().await.expect("text");
    assert!(problems.contains("1 problem; the log"), "{problems}");
    assert!(!problems.contains("hamlett"), "a stranger may have asked: {problems}");
    let log = std::fs::read_to_string(world.folder.path().join("log")).expect("it is written");
    assert!(log.contains("hamlett") && log.contains("camhealth.toml"), "{log}");
    world.metric("camhealth_config_last_reload_successful", 0.0).await;
    assert!(world.get("/").await.expect("the page").contains("Ngã tư Chợ Mới"), "the old configuration goes on");
    world.configure("Ngã tư Chợ");
    let answer =
        reqwest::Client::new().post(format!("http://{}/-/reload", world.page)).send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
    world.metric("camhealth_config_last_reload_successful", 1.0).await;
}

/// A file that was cut off between two entries is a good configuration of half a commune.
#[tokio::test(flavor = "multi_thread")]
async fn a_reload_that_takes_much_away_must_be_meant() {
    let world = World::new().await;
    let _daemon = world.start();
    world.metric("camhealth_coverage_ratio", 1.0).await;
    let whole = std::fs::read_to_string(world.config()).expect("it was written");
    let cut = whole.split("[alert]").next().expect("a first part");
    std::fs::write(world.config(), cut).expect("it can be written");
    let reload = async |query: &str| {
        let url = format!("http://{}/-/reload{query}", world.page);
        let answer = reqwest::Client::new().post(url).send().await.expect("an answer");
        (answer.status().as_u16(), answer.text().await.expect("text"))
    };
    let (status, told) = reload("").await;
    assert_eq!(status, 400, "{told}");
    for part in ["would take away 2 of 2 channels (hook, ntfy)", "camhealth reload --force"] {
        assert!(told.contains(part), "{told}");
    }
    world.metric("camhealth_config_last_reload_successful", 0.0).await;
    world.break_camera(1).await;
    world.receiver.message(1).await;
    let address = format!("http://{}", world.page);
    let forced = camhealth(&["reload", "--force", "--url", &address], &[]);
    assert_eq!((forced.status.code(), forced.stdout.as_slice()), (Some(0), b"reloaded\n".as_slice()));
    world.metric("camhealth_config_last_reload_successful", 1.0).await;
}

/// An answer waits for its own write only: transcripts of a dead camera pour in all the while and may wait.
#[tokio::test(flavor = "multi_thread")]
async fn each_wish_is_answered_by_what_became_of_it_alone() {
    let world = World::new().await;
    let _daemon = world.start();
    world.metric("camhealth_coverage_ratio", 1.0).await;
    world.break_camera(1).await;
    world.metric("camhealth_camera_state{camera=\"cam-1\",kind=\"public\",state=\"down\"}", 1.0).await;
    let client = reqwest::Client::new();
    let asked = async |method: &str, path: &str, body: &str| {
        let method = method.parse().expect("a method");
        let request = client.request(method, format!("http://{}{path}", world.page));
        let request = request.header("content-type", "application/json").body(body.to_owned());
        let answer = request.send().await.expect("an answer");
        (answer.status(), answer.text().await.expect("text"))
    };
    let looks = async || {
        let text = world.get("/metrics").await.expect("metrics");
        let of = |line: &str| line.rsplit(' ').next().and_then(|value| value.parse::<f64>().ok());
        let probes = text.lines().filter(|line| line.starts_with("camhealth_camera_probes_total{camera=\"cam-1\""));
        probes.filter_map(of).sum::<f64>()
    };
    let mut seen = looks().await;
    for number in 0..20 {
        // A look that failed has left its transcript since.
        seen = eventually("another look", async || Some(looks().await).filter(|looks| *looks > seen)).await;
        let (status, text) = asked("POST", "/-/reload", "").await;
        assert_eq!(status, 200, "reload {number}: {text}");
        let wish = r#"{"scope": {"kind": "camera", "id": "cam-2"}, "minutes": 5, "author": "An", "reason": "thay"}"#;
        let (status, text) = asked("POST", "/api/v1/silences", wish).await;
        assert_eq!(status, 201, "silence {number}: {text}");
        let set: Value = serde_json::from_str(&text).expect("JSON");
        let id = set["id"].as_str().expect("an id");
        let listed = world.get("/api/v1/silences").await.expect("a list");
        assert!(listed.contains(id), "what is answered is shown: {id} is not among {listed}");
        let (status, text) = asked("DELETE", &format!("/api/v1/silences/{id}"), "").await;
        assert_eq!(status, 200, "unsilence {number}: {text}");
        let (status, text) = asked("POST", "/api/v1/incidents/1/ack", r#"{"by": "An"}"#).await;
        assert_eq!(status, 200, "ack {number}: {text}");
    }
}

#[test]
fn the_demo_watches_its_fleet_and_ends_clean() {
    let _alone = crate::support::DEMO.blocking_lock();
    let output = camhealth(&["demo", "--listen", "127.0.0.1:0", "--seconds", "35"], &[]);
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(shown.contains("status page: http://127.0.0.1:"), "{shown}");
    // The script breaks some before their first look.
    assert!(shown.matches(" up ").count() >= 235, "{shown}");
    assert!(shown.contains("cam-01 down refused"), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_port_is_a_clear_error() {
    let world = World::new().await;
    let _taken = std::net::TcpListener::bind(world.page).expect("the port");
    let mut daemon = world.start();
    assert_eq!(daemon.ended().await, 3);
    let log = std::fs::read_to_string(world.folder.path().join("log")).expect("it is read");
    assert!(log.contains("cannot listen on") && log.contains("[web] listen"), "{log}");
}

/// A restart must not cost another rejected login: a few of them lock an account for half an hour.
#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_login_is_remembered_over_kill_9() {
    const STRIKES: &str = "camhealth_camera_login_strikes{camera=\"cam-1\",protocol=\"rtsp\"}";
    let world = World::new().await;
    world.cameras[0].set_fault(Fault::WrongLogin).await.expect("the fault is set");
    let mut daemon = world.start();
    world.metric(STRIKES, 1.0).await;
    daemon.kill();
    let _daemon = world.start();
    world.metric(STRIKES, 1.0).await;
    // The other channel of the recorder is held back too: makes lock the account for all.
    world.metric("camhealth_camera_probe_held{camera=\"cam-1\",reason=\"login_rejected\"}", 1.0).await;
    world.metric("camhealth_camera_probe_held{camera=\"cam-2\",reason=\"login_rejected\"}", 1.0).await;
    assert_eq!(world.cameras[0].stats().failed_logins, 1);
}

/// systemd restarts a daemon that no longer says that it lives.
#[tokio::test(flavor = "multi_thread")]
async fn the_service_manager_hears_that_it_is_ready_and_lives() {
    let world = World::new().await;
    let path = world.folder.path().join("notify");
    let socket = tokio::net::UnixDatagram::bind(&path).expect("a socket");
    let child = Command::new(program())
        .args(["run", "--config"])
        .arg(world.config())
        .env("NOTIFY_SOCKET", &path)
        .env("WATCHDOG_USEC", "1000000")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    let _daemon = Daemon(child);
    let mut heard = Vec::new();
    while heard.iter().filter(|word| *word == "WATCHDOG=1").count() < 3 {
        let mut buffer = [0; 256];
        let received = tokio::time::timeout(crate::support::PATIENCE, socket.recv(&mut buffer)).await;
        let length = received.expect("it never said that it lives").expect("a datagram");
        heard.extend(String::from_utf8_lossy(&buffer[..length]).lines().map(str::to_owned));
    }
    assert!(heard.contains(&"READY=1".to_owned()), "{heard:?}");
}
