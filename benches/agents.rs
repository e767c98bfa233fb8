//! What agents cost: the daemon that hears 500 of them, each a process of its own with one camera, and one of those processes.
//!
//! `cargo bench --bench agents` runs it. Cameras are simulated in a process of their own; 40 are the daemon's, the others hang on
//! one agent each, at the default cadence. It is measured once all are seen and workers without work are gone: CPU and memory (PSS) of
//! the daemon, how late its own looks begin, and memory of an agent. Then the same fault is set at 20 cameras of the daemon's and at 20
//! behind agents, at the same moment, and it is seen how soon the daemon calls each down. Last the daemon is killed and started anew: all
//! agents come back together. `CAMHEALTH_AGENTS` sets how many there are (500), `CAMHEALTH_BENCH_SECONDS` for how long the daemon is
//! measured (120).
//!
//! An agent's memory is that of one which runs alone beside the daemon (`CAMHEALTH_AGENTS=1`): what 500 processes of one program
//! share is divided among them, on this machine alone.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "benches measure, by a clock")]

mod measure;

use measure::{children_of, cpu, end, share_mib};
use serde_json::{Value, json};
use std::{
    fmt::Write as _,
    fs,
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_camhealth");
/// Cameras that the daemon looks at itself.
const OWN: usize = 40;
/// Cameras of either sort that fail.
const FAIL: usize = 20;
/// Workers without work are dismissed within a minute, and each camera's first long look comes within one.
const SETTLED: Duration = Duration::from_secs(150);
const PATIENCE: Duration = Duration::from_secs(600);

struct World {
    folder: PathBuf,
    base: String,
    urls: Vec<String>,
    cameras: Child,
    daemon: Child,
    agents: Vec<Child>,
    http: reqwest::Client,
}

impl Drop for World {
    fn drop(&mut self) {
        for agent in &mut self.agents {
            let _ = agent.kill();
            let _ = agent.wait();
        }
        end(&mut self.daemon);
        end(&mut self.cameras);
        // Left-over files in the system's temporary folder harm nobody.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn daemon(folder: &std::path::Path) -> Child {
    let mut command = Command::new(PROGRAM);
    command.args(["run", "--config"]).arg(folder.join("camhealth.toml")).env("RUST_LOG", "off").stdin(Stdio::null());
    command.spawn().expect("it starts")
}

fn configuration(address: &str, urls: &[String]) -> String {
    let mut text = format!(
        "[commune]\nname = \"Xã Đo\"\n[web]\nlisten = \"{address}\"\nsign_in = false\n[journal]\npath = \"journal.sqlite3\"\n"
    );
    for (number, url) in urls.iter().enumerate() {
        let camera = format!(
            "[[camera]]\nid = \"c{number}\"\nname = \"Camera {number}\"\nkind = \"public\"\nrtsp = \"{url}\"\n"
        );
        match number.checked_sub(OWN) {
            None => text += &camera,
            Some(agent) => {
                let _ = writeln!(text, "[[link]]\nid = \"a{agent}\"\nname = \"Hộp {agent}\"\nkind = \"agent\"");
                text += &format!("{camera}link = \"a{agent}\"\n");
            }
        }
    }
    text + "[[site]]\nid = \"s\"\nname = \"Điểm\"\nhamlet = \"Thôn\"\n[[site.view]]\nname = \"đường vào\"\ncameras = [\"c0\"]\n"
}

impl World {
    async fn start(agents: usize) -> Self {
        let count = OWN + agents;
        let mut command = Command::new(PROGRAM);
        command.args(["simulate", "--cameras", &count.to_string()]);
        let mut cameras =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it starts");
        let lines = BufReader::new(cameras.stdout.take().expect("it is piped")).lines();
        let url = |line: String| line.split(' ').next().unwrap_or_default().to_owned();
        let urls: Vec<String> = lines.take(count).map(|line| url(line.expect("text"))).collect();
        let folder = std::env::temp_dir().join(format!("camhealth-agents-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let address = TcpListener::bind("127.0.0.1:0").and_then(|port| port.local_addr()).expect("a port").to_string();
        fs::write(folder.join("camhealth.toml"), configuration(&address, &urls)).expect("a disk");
        let (daemon, base, http) = (daemon(&folder), format!("http://{address}"), reqwest::Client::new());
        let mut world = Self { folder, base, urls, cameras, daemon, agents: Vec::new(), http };
        world.until("the daemon", async |world| world.get("/api/v1/status").await.is_some()).await;
        for number in 0..agents {
            world.join(number).await;
        }
        for number in 0..agents {
            let mut command = Command::new(PROGRAM);
            command.args(["agent", "run", "--folder"]).arg(world.folder.join(format!("a{number}")));
            command.env("RUST_LOG", "off").stdin(Stdio::null()).stderr(Stdio::null());
            world.agents.push(command.spawn().expect("it starts"));
        }
        world
    }

    async fn get(&self, path: &str) -> Option<String> {
        self.http.get(format!("{}{path}", self.base)).send().await.ok()?.text().await.ok()
    }

    async fn metric(&self, line: &str) -> f64 {
        let text = self.get("/metrics").await.unwrap_or_default();
        text.lines().find_map(|one| one.strip_prefix(line)?.trim().parse().ok()).unwrap_or(0.0)
    }

    async fn until(&self, what: &str, is: impl AsyncFn(&Self) -> bool) -> Duration {
        let began = Instant::now();
        while !is(self).await {
            assert!(began.elapsed() < PATIENCE, "{what}: not within {PATIENCE:?}");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        began.elapsed()
    }

    /// Lets an agent join, as an administrator does.
    async fn join(&self, number: usize) {
        let wish = json!({ "label": format!("a{number}"), "kind": "joining", "role": "wall" }).to_string();
        // Wishes of an address are taken five a second.
        let from = std::net::Ipv4Addr::new(127, 1, (number / 250) as u8, (number % 250) as u8 + 1);
        let http = reqwest::Client::builder().local_address(Some(from.into())).build().expect("a client");
        let request = http.post(format!("{}/api/v1/passes", self.base)).header("content-type", "application/json");
        let answer = request.body(wish).send().await.expect("an answer").text().await.expect("text");
        let code: Value = serde_json::from_str(&answer).expect("JSON");
        let secret = code["secret"].as_str().expect("a code").to_owned();
        let url = format!("{}/", self.base).parse().expect("a URL");
        let code = camhealth::agent::Code { url, certificate: None, code: secret };
        let folder = self.folder.join(format!("a{number}"));
        while let Err(why) = camhealth::agent::join(&folder, &code).await {
            // Of these five a second too.
            assert!(why.contains("429"), "{why}");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    async fn up(&self) -> f64 {
        self.metric("camhealth_cameras{kind=\"public\",state=\"up\"}").await
    }

    fn tell(&mut self, fault: &str, camera: usize) {
        let host = self.urls[camera].parse::<reqwest::Url>().expect("a URL").host_str().expect("a host").to_owned();
        let input = self.cameras.stdin.as_mut().expect("it is piped");
        writeln!(input, "{fault} {host}").expect("it listens");
    }

    /// How long after a fault the daemon calls each of these cameras down, in seconds.
    async fn down(&mut self, cameras: &[usize]) -> Vec<f64> {
        for camera in cameras {
            self.tell("port_closed", *camera);
        }
        let (began, mut took) = (Instant::now(), vec![f64::NAN; cameras.len()]);
        while took.iter().any(|took| took.is_nan()) && began.elapsed() < PATIENCE {
            let text = self.get("/api/v1/cameras?state=down").await.unwrap_or_default();
            let down: Value = serde_json::from_str(&text).unwrap_or_default();
            let is_down = |id: &str| down.as_array().is_some_and(|all| all.iter().any(|one| one["id"] == id));
            for (camera, took) in cameras.iter().zip(&mut took).filter(|(_, took)| took.is_nan()) {
                if is_down(&format!("c{camera}")) {
                    *took = began.elapsed().as_secs_f64();
                }
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        took
    }
}

fn median(mut values: Vec<f64>) -> (f64, f64) {
    values.sort_by(f64::total_cmp);
    (values.get(values.len() / 2).copied().unwrap_or(f64::NAN), values.last().copied().unwrap_or(f64::NAN))
}

/// The upper bound of the histogram's bucket within which 99 of 100 of the looks began.
fn late(before: &str, after: &str) -> String {
    let name = "camhealth_probe_start_delay_seconds_bucket{le=\"";
    let counts = |text: &str| -> Vec<(String, f64)> {
        let lines = text.lines().filter_map(|line| line.strip_prefix(name)?.split_once("\"} "));
        lines.filter_map(|(bound, count)| Some((bound.to_owned(), count.trim().parse().ok()?))).collect()
    };
    let (before, after) = (counts(before), counts(after));
    let counted: Vec<(String, f64)> =
        after.into_iter().zip(before).map(|((bound, after), (_, before))| (bound, after - before)).collect();
    let all = counted.last().map_or(0.0, |(_, count)| *count);
    counted
        .into_iter()
        .find(|(_, count)| *count >= 0.99 * all)
        .map_or_else(|| "?".into(), |(bound, _)| format!("< {bound} s"))
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let number =
        |name: &str, usual: usize| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual);
    let (agents, window) = (number("CAMHEALTH_AGENTS", 500), number("CAMHEALTH_BENCH_SECONDS", 120) as u64);
    let mut world = World::start(agents).await;
    let all = (OWN + agents) as f64;
    let first = world.until("all are seen", async |world| world.up().await >= all).await;
    println!("{agents} agents: all cameras are seen after {:.0} s", first.as_secs_f64());
    tokio::time::sleep(SETTLED).await;

    let text = world.get("/metrics").await.unwrap_or_default();
    let spent = |world: &World| {
        let workers = children_of(world.daemon.id());
        (cpu(world.daemon.id()), workers.iter().map(|id| cpu(*id)).sum::<Duration>())
    };
    let (before, began) = (spent(&world), Instant::now());
    tokio::time::sleep(Duration::from_secs(window)).await;
    let (after, took) = (spent(&world), began.elapsed().as_secs_f64());
    let share = |before: Duration, after: Duration| 100.0 * after.saturating_sub(before).as_secs_f64() / took;
    let memory = share_mib(world.daemon.id());
    let workers: f64 = children_of(world.daemon.id()).into_iter().map(share_mib).sum();
    println!(
        "the daemon: {:.2} % of a core, its workers {:.2} %; {memory:.1} MiB, its workers {workers:.1} MiB",
        share(before.0, after.0),
        share(before.1, after.1)
    );
    println!("its own looks begin late: p99 {}", late(&text, &world.get("/metrics").await.unwrap_or_default()));
    let each = |world: &World| -> Vec<f64> {
        let of =
            |agent: &Child| share_mib(agent.id()) + children_of(agent.id()).into_iter().map(share_mib).sum::<f64>();
        world.agents.iter().map(of).collect()
    };
    let (half, most) = median(each(&world));
    println!("an agent with its workers: {half:.1} MiB (PSS), {most:.1} at most");

    let behind = FAIL.min(agents);
    let cameras: Vec<usize> = (0..FAIL).chain(OWN..OWN + behind).collect();
    let took = world.down(&cameras).await;
    let (own, theirs) = took.split_at(FAIL);
    let ((own, own_most), (theirs, theirs_most)) = (median(own.to_vec()), median(theirs.to_vec()));
    println!(
        "a fault is known after {own:.1} s ({own_most:.1} at most), behind an agent after {theirs:.1} s ({theirs_most:.1})"
    );
    for camera in cameras {
        world.tell("none", camera);
    }
    world.until("all are seen again", async |world| world.up().await >= all).await;

    let _ = world.daemon.kill();
    let _ = world.daemon.wait();
    tokio::time::sleep(Duration::from_secs(90)).await;
    world.daemon = daemon(&world.folder);
    world.until("the daemon is back", async |world| world.get("/api/v1/status").await.is_some()).await;
    let before = world.get("/metrics").await.unwrap_or_default();
    let mut worst = 0f64;
    let began = Instant::now();
    let heard = |text: &str| {
        let name = "camhealth_agent_info{";
        text.lines().filter(|line| line.starts_with(name)).count()
    };
    loop {
        let text = world.get("/metrics").await.unwrap_or_default();
        let lag =
            text.lines().find_map(|line| line.strip_prefix("camhealth_probe_lag_seconds ")?.trim().parse::<f64>().ok());
        worst = worst.max(lag.unwrap_or(0.0));
        if heard(&text) >= agents || began.elapsed() > PATIENCE {
            println!(
                "after 90 s without it {} agents are back within {:.0} s; its own looks begin late: p99 {}, {worst:.2} s at worst",
                heard(&text),
                began.elapsed().as_secs_f64(),
                late(&before, &text)
            );
            break;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}
