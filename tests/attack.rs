//! Whoever reaches the daemon and has no rights: what they do to it delays no verdict, and health never lies.
//!
//! A real daemon watches 240 simulated cameras, all of which fail at a known second while it is attacked. What it found
//! is read from its journal, past the pages that are under attack. `CAMHEALTH_ATTACK_SECONDS=3600 cargo test attack --
//! --nocapture` goes on with all attacks at once for an hour.

use crate::support::{DEMO, Process, eventually_within, fixture, free_address, program};
use camhealth::sim::{Fault, SimCamera, Spec, fleet_addresses};
use jiff::Timestamp;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::json;
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    process::{Command, Stdio},
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpSocket,
    task::JoinSet,
};

const CAMERAS: usize = 240;
/// How much later than on a quiet day a fault may be known.
const LATER: Duration = Duration::from_secs(1);
/// What the daemon's own process may hold in memory.
/// The code of a build with its checks takes some twenty of it, most of which is there before anybody attacks.
const MEMORY_MIB: u64 = if cfg!(debug_assertions) { 96 } else { 64 };
/// How long each attack rages before the cameras fail.
const WARMING: Duration = Duration::from_secs(4);

/// What is done to the daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Attack {
    /// Five clients that reload.
    Reloads,
    /// Four clients that ask for things to be done and never let go of their connections.
    Wishes,
    /// 1,300 connections that never finish a request's head.
    HalfHeads,
    /// 300 clients that ask and do not read.
    SlowReaders,
    /// 80 event streams that nobody reads.
    Streams,
    /// Twenty clients that want reports.
    Reports,
    /// Eight clients that load pages and metrics.
    Gets,
}

const ATTACKS: [Attack; 7] = [
    Attack::Reloads,
    Attack::Wishes,
    Attack::HalfHeads,
    Attack::SlowReaders,
    Attack::Streams,
    Attack::Reports,
    Attack::Gets,
];

impl Attack {
    /// Goes on until it is dropped.
    fn begin(self, page: SocketAddr, tasks: &mut JoinSet<()>) {
        match self {
            Self::Reloads => (0..5).for_each(|_| _ = tasks.spawn(posting(page, "/-/reload", || json!({})))),
            Self::Wishes => {
                let silence =
                    || json!({"scope": {"kind": "site", "id": "s"}, "minutes": 1, "author": "x", "reason": "y"});
                for path in
                    ["/api/v1/silences", "/api/v1/silences", "/api/v1/incidents/1/ack", "/api/v1/incidents/2/ack"]
                {
                    let body: fn() -> serde_json::Value =
                        if path.ends_with("ack") { || json!({"by": "x"}) } else { silence };
                    tasks.spawn(posting(page, path, body));
                }
            }
            Self::HalfHeads => {
                (0..1300).for_each(|_| _ = tasks.spawn(holding(page, "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ")));
            }
            Self::SlowReaders => {
                let request = "GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
                (0..300).for_each(|_| _ = tasks.spawn(holding(page, request)));
            }
            Self::Streams => {
                let request = "GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
                (0..80).for_each(|_| _ = tasks.spawn(holding(page, request)));
            }
            Self::Reports => {
                let month = Timestamp::now().strftime("%Y-%m");
                for number in 0..20 {
                    let form = ["/reports/", "/api/v1/reports/"][number % 2];
                    tasks.spawn(getting(page, format!("{form}{month}")));
                }
            }
            Self::Gets => {
                for path in ["/", "/metrics", "/map", "/api/v1/cameras"].repeat(2) {
                    tasks.spawn(getting(page, path.to_owned()));
                }
            }
        }
    }
}

fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(10)).build().expect("a client")
}

/// Asks again and again, over connections that are kept. A refusal costs the attacker a moment, not the daemon.
async fn posting(page: SocketAddr, path: &'static str, body: fn() -> serde_json::Value) {
    let (client, url) = (client(), format!("http://{page}{path}"));
    loop {
        let request = client.post(&url).header("Content-Type", "application/json").body(body().to_string());
        if request.send().await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

async fn getting(page: SocketAddr, path: String) {
    let (client, url) = (client(), format!("http://{page}{path}"));
    loop {
        let answer = match client.get(&url).send().await {
            Ok(answer) => answer.bytes().await.map(drop),
            Err(error) => Err(error),
        };
        if answer.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Says something, reads nothing, and begins anew when it is cut off.
async fn holding(page: SocketAddr, says: &'static str) {
    loop {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_recv_buffer_size(4096).expect("a small buffer");
        if let Ok(mut stream) = socket.connect(page).await
            && stream.write_all(says.as_bytes()).await.is_ok()
        {
            // Only the end of the connection is looked for, a byte a second.
            loop {
                tokio::time::sleep(Duration::from_secs(1)).await;
                if !matches!(stream.read(&mut [0]).await, Ok(1)) {
                    break;
                }
            }
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// The cameras, the daemon's files, and where it serves.
struct World {
    cameras: Vec<SimCamera>,
    folder: tempfile::TempDir,
    page: SocketAddr,
    daemon: Option<Process>,
}

impl World {
    async fn start() -> Self {
        // Cameras, attackers and their victims' ends of connections are all in this process.
        let most = getrlimit(Resource::Nofile).maximum;
        setrlimit(Resource::Nofile, Rlimit { current: most, maximum: most }).expect("up to the hard limit one may");
        let mut cameras = Vec::new();
        for (rtsp, _) in fleet_addresses(CAMERAS) {
            cameras.push(SimCamera::start(Spec::new(rtsp)).await.expect("ports"));
        }
        let folder = tempfile::tempdir().expect("a folder");
        let page = free_address();
        let mut text = fixture("attack.toml", &[("page", &page.to_string())]);
        for (number, camera) in cameras.iter().enumerate() {
            let url = camera.rtsp_url();
            text += &format!("[[camera]]\nid = \"c{number}\"\nname = \"c\"\nrtsp = \"{url}\"\nkind = \"public\"\n");
        }
        std::fs::write(folder.path().join("camhealth.toml"), text).expect("it can be written");
        let mut world = Self { cameras, folder, page, daemon: None };
        let log = std::fs::File::create(world.folder.path().join("log")).expect("a file");
        let mut command = Command::new(program());
        command.args(["run", "--config"]).arg(world.folder.path().join("camhealth.toml"));
        world.daemon = Some(Process::start(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log)));
        world
    }

    /// The last decision on each camera since a moment, in a state.
    fn decided(&self, state: &str, since: Timestamp) -> BTreeMap<String, Timestamp> {
        let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
        let Ok(journal) = rusqlite::Connection::open_with_flags(self.folder.path().join("journal.sqlite3"), flags)
        else {
            return BTreeMap::new();
        };
        let sql = "SELECT camera, min(decided) FROM transition WHERE to_state = ?1 AND decided >= ?2 GROUP BY camera";
        let Ok(mut statement) = journal.prepare(sql) else { return BTreeMap::new() };
        let time = |millisecond| Timestamp::from_millisecond(millisecond).expect("a time");
        let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, time(row.get(1)?)));
        let rows = statement.query_map((state, since.as_millisecond()), read).expect("it is read");
        // The first camera is what attackers silence.
        rows.filter_map(Result::ok).filter(|(id, _): &(String, _)| id != "c0").collect()
    }

    async fn all(&self, state: &str, since: Timestamp) -> BTreeMap<String, Timestamp> {
        let what = format!("all cameras are {state}");
        eventually_within(Duration::from_secs(90), &what, async || {
            tokio::time::sleep(Duration::from_millis(200)).await;
            let decided = self.decided(state, since);
            (decided.len() == CAMERAS - 1).then_some(decided)
        })
        .await
    }

    /// All cameras fail; how long after it that was known of each, the earliest first. They are mended again.
    async fn known_after(&self) -> Vec<Duration> {
        let since = Timestamp::now();
        let mut broken = BTreeMap::new();
        for (number, camera) in self.cameras.iter().enumerate() {
            broken.insert(format!("c{number}"), Timestamp::now());
            camera.set_fault(Fault::PortClosed).await.expect("the fault is set");
        }
        let known = self.all("down", since).await;
        let after = |(id, at): (&String, &Timestamp)| at.duration_since(broken[id]).unsigned_abs();
        let mut times: Vec<Duration> = known.iter().map(after).collect();
        times.sort();
        times
    }

    async fn mend(&self) {
        let since = Timestamp::now();
        for camera in &self.cameras {
            camera.set_fault(Fault::None).await.expect("the fault is set");
        }
        self.all("up", since).await;
    }

    /// What the daemon's own process holds, without its workers.
    fn memory_mib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process())).expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a size");
        line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") / 1024
    }

    fn process(&self) -> u32 {
        self.daemon.as_ref().expect("it was started").id()
    }

    /// The status of `/-/healthy`, and its words, as a new client gets them.
    async fn health(&self) -> Option<(u16, String)> {
        self.health_for(&client()).await
    }

    async fn health_for(&self, client: &reqwest::Client) -> Option<(u16, String)> {
        let answer = client.get(format!("http://{}/-/healthy", self.page)).send().await.ok()?;
        Some((answer.status().as_u16(), answer.text().await.ok()?))
    }
}

/// Half of the cameras were known of by then, and all.
fn half_and_all(times: &[Duration]) -> (Duration, Duration) {
    (times[times.len() / 2], times[times.len() - 1])
}

#[tokio::test(flavor = "multi_thread")]
async fn no_attack_delays_a_verdict_or_fills_the_memory() {
    let _alone = DEMO.lock().await;
    let world = World::start().await;
    world.all("up", Timestamp::UNIX_EPOCH).await;
    let quiet = half_and_all(&world.known_after().await);
    world.mend().await;
    println!("| attack | half known after | all known after | MiB |\n| --- | ---: | ---: | ---: |");
    println!("| none | {:.1?} | {:.1?} | {} |", quiet.0, quiet.1, world.memory_mib());
    let together: &[Attack] = &ATTACKS;
    let mut rounds: Vec<&[Attack]> = ATTACKS.iter().map(std::slice::from_ref).collect();
    rounds.push(together);
    let seconds = std::env::var("CAMHEALTH_ATTACK_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(0);
    let began = Instant::now();
    while let Some(attacks) = if rounds.is_empty() { None } else { Some(rounds.remove(0)) } {
        let mut tasks = JoinSet::new();
        attacks.iter().for_each(|attack| attack.begin(world.page, &mut tasks));
        tokio::time::sleep(WARMING).await;
        let honest = eventually_within(Duration::from_secs(20), "an answer", async || world.health().await).await;
        let times = half_and_all(&world.known_after().await);
        let memory = world.memory_mib();
        drop(tasks);
        println!("| {attacks:?} | {:.1?} | {:.1?} | {memory} |", times.0, times.1);
        assert_eq!(honest.0, 200, "{attacks:?}: {}", honest.1);
        assert!(times.0 <= quiet.0 + LATER, "{attacks:?}: half known after {:?}, {quiet:?} when quiet", times.0);
        assert!(times.1 <= quiet.1 + LATER, "{attacks:?}: all known after {:?}, {quiet:?} when quiet", times.1);
        assert!(memory < MEMORY_MIB, "{attacks:?}: {memory} MiB");
        world.mend().await;
        if rounds.is_empty() && began.elapsed() < Duration::from_secs(seconds) {
            rounds.push(together);
        }
    }
    let health = eventually_within(Duration::from_secs(20), "health", async || world.health().await).await;
    assert_eq!(health.0, 200, "{}", health.1);
}

#[tokio::test(flavor = "multi_thread")]
async fn health_says_no_within_ten_seconds_when_watching_stops() {
    let _alone = DEMO.lock().await;
    let world = World::start().await;
    world.all("up", Timestamp::UNIX_EPOCH).await;
    // A connection that is kept needs no descriptor later.
    let client = client();
    let says = async |wanted: u16, part: &str| {
        eventually_within(Duration::from_secs(10), &format!("{wanted}: {part}"), async || {
            let (status, text) = world.health_for(&client).await?;
            (status == wanted && text.contains(part)).then_some(())
        })
        .await;
    };
    says(200, "").await;

    // Somebody holds the journal: nothing can be written.
    let journal = rusqlite::Connection::open(world.folder.path().join("journal.sqlite3")).expect("it opens");
    journal.execute_batch("BEGIN EXCLUSIVE").expect("nobody writes for so long");
    world.cameras[0].set_fault(Fault::PortClosed).await.expect("the fault is set");
    says(503, "journal").await;
    // It goes on watching all the same.
    eventually_within(Duration::from_secs(10), "the first camera is down", async || {
        let url = format!("http://{}/api/v1/cameras?state=down", world.page);
        client.get(url).send().await.ok()?.text().await.ok()?.contains("\"c0\"").then_some(())
    })
    .await;
    journal.execute_batch("ROLLBACK").expect("it is ours");
    says(200, "").await;

    // No descriptor is left for any look.
    let limit = |count: &str| {
        let process = world.process().to_string();
        let set = Command::new("prlimit").args(["--pid", &process, &format!("--nofile={count}:")]).status();
        assert!(set.expect("util-linux is there").success());
    };
    limit("3");
    says(503, "no camera can be asked").await;
    limit("1024");
    says(200, "").await;
}
