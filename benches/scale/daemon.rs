//! The daemon itself, as a process, over a fleet of simulated cameras in another.

use super::{
    fleet::{folder, written},
    measure::{children_of, cpu, end, share_mib},
};
use futures_util::StreamExt;
use std::{
    fmt::Write as _,
    fs,
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_camhealth");
/// As Prometheus asks by default in our configuration.
const SCRAPED_EVERY: Duration = Duration::from_secs(15);
/// After a start each camera is looked at for long, which is not the default cadence, and for a minute more there are the workers
/// that it took.
const LONG_LOOKS_WITHIN: Duration = Duration::from_secs(1800);
const WARM: Duration = Duration::from_secs(75);
const PAGES: [&str; 4] = ["/", "/map", "/reports", "/api/v1/status"];

struct World {
    cameras: Child,
    daemon: Child,
    folder: PathBuf,
    base: String,
    http: reqwest::Client,
    started_in: Duration,
}

impl Drop for World {
    fn drop(&mut self) {
        end(&mut self.daemon);
        end(&mut self.cameras);
        // Left-over files in the system's temporary folder harm nobody.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl World {
    async fn start(size: usize, journal: Option<&str>) -> Self {
        let mut command = Command::new(PROGRAM);
        command.args(["simulate", "--cameras", &size.to_string()]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut cameras = command.spawn().expect("it starts");
        let lines = BufReader::new(cameras.stdout.take().expect("it is piped")).lines();
        let url = |line: String| line.split(' ').next().unwrap_or_default().to_owned();
        let urls: Vec<String> = lines.take(size).map(|line| url(line.expect("text"))).collect();
        let folder = folder(size);
        let address = TcpListener::bind("127.0.0.1:0").and_then(|port| port.local_addr()).expect("a port").to_string();
        let config = written(&folder, &urls, &address);
        if let Some(journal) = journal {
            let text = fs::read_to_string(&config).expect("it was written");
            fs::write(&config, text.replace("path = \"journal.sqlite3\"", journal)).expect("it can be written");
        }
        let http = reqwest::Client::new();
        let began = Instant::now();
        let mut command = Command::new(PROGRAM);
        command.args(["run", "--config"]).arg(&config).env("RUST_LOG", "off").stdin(Stdio::null());
        let daemon = command.spawn().expect("it starts");
        let base = format!("http://{address}");
        let ready =
            async || http.get(format!("{base}/-/ready")).send().await.is_ok_and(|answer| answer.status() == 200);
        while !ready().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Self { cameras, daemon, folder, base, http, started_in: began.elapsed() }
    }

    fn family(&self) -> (Duration, Duration, f64) {
        let workers = children_of(self.daemon.id());
        let of_workers = workers.iter().map(|id| cpu(*id)).sum();
        let memory = workers.iter().chain([&self.daemon.id()]).map(|id| share_mib(*id)).sum();
        (cpu(self.daemon.id()), of_workers, memory)
    }

    /// How long an answer takes, and the answer.
    async fn get(&self, path: &str) -> (Duration, String) {
        let began = Instant::now();
        let answer = self.http.get(format!("{}{path}", self.base)).send().await.expect("an answer");
        let text = answer.text().await.expect("text");
        (began.elapsed(), text)
    }

    fn tell(&mut self, fault: &str) {
        let input = self.cameras.stdin.as_mut().expect("it is piped");
        writeln!(input, "{fault} all").expect("it listens");
    }

    /// Waits until as many cameras are in one of these states; how long that took, and the most incidents meanwhile.
    async fn wait(&self, states: &[&str], count: f64, limit: Duration) -> (Option<Duration>, f64) {
        let (began, mut incidents) = (Instant::now(), 0f64);
        while began.elapsed() < limit {
            let (_, text) = self.get("/metrics").await;
            incidents = incidents.max(sum(&text, "camhealth_incidents_open{", &|_| true));
            let of = |line: &str| states.iter().any(|state| line.contains(&format!("state=\"{state}\"")));
            if sum(&text, "camhealth_cameras{", &of) >= count {
                return (Some(began.elapsed()), incidents);
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        (None, incidents)
    }
}

pub async fn measure(size: usize, window: Duration, (journal, pages): (Option<&str>, &mut String)) -> String {
    let mut world = World::start(size, journal).await;
    let walls: Vec<_> = (0..2).map(|_| tokio::spawn(watch(world.http.clone(), world.base.clone()))).collect();
    let mut peak = 0f64;
    let up = world.wait(&["up"], size as f64, Duration::from_secs(300)).await.0;
    eprintln!("{size}: all up after {}", shown(up));
    let (began, mut warm) = (Instant::now(), None);
    while warm.is_none_or(|warm: Instant| warm.elapsed() < WARM) {
        let (_, text) = world.get("/metrics").await;
        let long = sum(&text, "camhealth_probe_duration_seconds_count", &|line| line.contains("check=\"survey\""));
        if warm.is_none() && (long >= size as f64 || began.elapsed() > LONG_LOOKS_WITHIN) {
            eprintln!("{size}: {long} long looks after {:.0} s more", began.elapsed().as_secs_f64());
            warm = Some(Instant::now());
        }
        peak = peak.max(world.family().2);
        tokio::time::sleep(SCRAPED_EVERY).await;
    }
    let mut watching = 0f64;
    let (_, text_before) = world.get("/metrics").await;
    let before = world.family();
    let (began, mut worst, mut scrapes) = (Instant::now(), 0f64, Vec::new());
    while began.elapsed() < window {
        let (took, text) = world.get("/metrics").await;
        worst = worst.max(sum(&text, "camhealth_probe_lag_seconds ", &|_| true));
        scrapes.push((took, text.len()));
        for _ in 0..SCRAPED_EVERY.as_secs() {
            watching = watching.max(world.family().2);
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }
    peak = peak.max(watching);
    let (took, after) = (began.elapsed(), world.family());
    let (_, text) = world.get("/metrics").await;
    let share = |before: Duration, after: Duration| 100.0 * (after - before).as_secs_f64() / took.as_secs_f64();
    let (daemon, workers) = (share(before.0, after.0), share(before.1, after.1));
    for page in PAGES {
        let mut times: Vec<(Duration, usize)> = Vec::new();
        for _ in 0..3 {
            let (took, text) = world.get(page).await;
            times.push((took, text.len()));
        }
        // The first makes it; those after it may get what is kept.
        let (took, length) = times[0];
        let _ = writeln!(
            pages,
            "| {size} | `{page}` | {:.0} ms | {:.0} kB |",
            took.as_secs_f64() * 1e3,
            length as f64 / 1e3
        );
    }
    scrapes.sort();
    let (scrape, length) = scrapes[scrapes.len() / 2];
    let reload = reload(&world).await;
    let limit = Duration::from_secs(600);
    world.tell("powered_off");
    let (silent, incidents) = world.wait(&["down", "unreachable", "unknown"], size as f64, limit).await;
    peak = peak.max(world.family().2);
    world.tell("none");
    let (back, _) = world.wait(&["up"], size as f64, limit).await;
    peak = peak.max(world.family().2);
    walls.iter().for_each(tokio::task::JoinHandle::abort);
    format!(
        "| {size} | {:.2} s | {:.1} % ({daemon:.1} + {workers:.1}) | {}, {}, {worst:.1} s | {watching:.0}, {peak:.0} MiB | {:.0} ms, {:.1} MB | {reload:.2} s \
         | {} ({incidents:.0} incidents) | {} |",
        world.started_in.as_secs_f64(),
        daemon + workers,
        quantile(&text_before, &text, 0.5),
        quantile(&text_before, &text, 0.99),
        scrape.as_secs_f64() * 1e3,
        length as f64 / 1e6,
        shown(silent),
        shown(back),
    )
}

fn shown(took: Option<Duration>) -> String {
    took.map_or_else(|| "never".into(), |took| format!("{:.0} s", took.as_secs_f64()))
}

/// A wall that is open: reads whatever is sent.
async fn watch(http: reqwest::Client, base: String) {
    let Ok(answer) = http.get(format!("{base}/events?lang=vi")).send().await else { return };
    let mut events = answer.bytes_stream();
    while events.next().await.is_some() {}
}

/// Renames a site and has that taken over.
async fn reload(world: &World) -> f64 {
    let path: &Path = &world.folder.join("camhealth.toml");
    let text = fs::read_to_string(path).expect("it is there").replace("name = \"Điểm 0\"", "name = \"Điểm không\"");
    fs::write(path, text).expect("it can be written");
    let began = Instant::now();
    let answer = world.http.post(format!("{}/-/reload", world.base)).send().await.expect("an answer");
    let status = answer.status();
    assert!(status.is_success(), "{status}: {}", answer.text().await.unwrap_or_default());
    began.elapsed().as_secs_f64()
}

fn sum(text: &str, name: &str, of: &dyn Fn(&str) -> bool) -> f64 {
    let lines = text.lines().filter(|line| line.starts_with(name) && of(line));
    lines.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok()).sum()
}

/// The upper bound of the histogram's bucket within which this share of the looks began.
fn quantile(before: &str, after: &str, share: f64) -> String {
    let name = "camhealth_probe_start_delay_seconds";
    let count = |text: &str, bound: &str| sum(text, &format!("{name}_bucket{{le=\"{bound}\"}}"), &|_| true);
    let bounds = after.lines().filter_map(|line| line.strip_prefix(&format!("{name}_bucket{{le=\""))?.split_once('"'));
    let all = count(after, "+Inf") - count(before, "+Inf");
    let mut within = bounds.filter(|(bound, _)| count(after, bound) - count(before, bound) >= share * all);
    within.next().map_or_else(|| "?".into(), |(bound, _)| format!("< {bound} s"))
}
