//! A soak: an ordinary life, sped up, in which nothing may grow. `CAMHEALTH_SOAK=3600 cargo test soak -- --nocapture` lives so
//! for an hour; without it, it is well under a minute.
//!
//! A real daemon watches simulated cameras whose faults come and go, while it is scraped, shown on walls that open and close,
//! signed in to, reloaded, edited and asked for reports. What the kernel counts of it and of its workers is told beside what
//! it was before. In the short form memory is shown and not judged: it takes longer than that to settle.

mod life;

use crate::support::{
    Process, camhealth, eventually, eventually_within, fixture, free_address,
    kernel::{children, entries, share_kib},
    program,
};
use axum::{Router, extract::State, routing::post};
use camhealth::sim::{Fault, SimFleet, Spec};
use life::{FORM, PASSWORD, again, breaks, edits, form, looks_at_a_wall, reloads, reports, signs_in};
use reqwest::{Method, Response, StatusCode, header};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use tokio::task::JoinSet;

/// How long it lives unless `CAMHEALTH_SOAK` says so.
const SHORT: u64 = 25;
/// From so many seconds on memory and the journal are judged.
const LONG: u64 = 240;
const CAMERAS: usize = 24;
/// Those that sites are seen by, and how many see one; the others are families'.
const SEEN: usize = 20;
const VIEWS: usize = 4;
const WALLS: usize = 8;
/// Unless the configuration says otherwise.
const WORKERS: usize = 2;
/// Others that hold connections, of which each keeps one or two.
const OTHERS: usize = 6;
/// What the last quarter may have more than the second, of memory: a tenth and what a look at a big answer takes for a moment.
const TENTH: f64 = 1.1;
const MARGIN_KIB: f64 = 4096.0;
const THREADS: f64 = 2.0;
/// Transcripts are kept for a minute, so that their number is that of a minute: faults make some minutes longer than others.
const TRANSCRIPTS: f64 = 1.5;
/// What a row of history takes of the journal, with its indexes and with the room that SQLite leaves between rows.
const ROW_BYTES: f64 = 1024.0;
/// A kept connection to whoever is told ends after a minute and a half.
const SETTLED: Duration = Duration::from_secs(180);

const THINGS: [&str; 8] = ["scrapes", "walls", "faults", "messages", "sign-ins", "edits", "reports", "reloads"];

/// How often each thing was done, and what should not have been answered.
#[derive(Clone, Default)]
struct Done(Arc<Mutex<Noted>>);

type Noted = (BTreeMap<&'static str, u64>, Vec<String>);

impl Done {
    fn count(&self, what: &'static str) {
        *self.0.lock().expect("no panic").0.entry(what).or_default() += 1;
    }

    fn wrong(&self, what: String) {
        self.0.lock().expect("no panic").1.push(what);
    }

    /// How often that was done which was done least.
    fn least(&self) -> u64 {
        let counts = self.counts();
        THINGS.iter().map(|what| counts.get(what).copied().unwrap_or(0)).min().unwrap_or(0)
    }

    fn counts(&self) -> BTreeMap<&'static str, u64> {
        self.0.lock().expect("no panic").0.clone()
    }
}

/// What the kernel, the runtime and the journal count at one moment.
#[derive(Debug, Clone, Copy, Default)]
struct Sample {
    /// Of the daemon and its workers, with what they share divided among them.
    memory_kib: f64,
    descriptors: usize,
    threads: usize,
    workers: usize,
    tasks: usize,
    journal_bytes: u64,
    transcripts: u64,
    history: u64,
}

/// The daemon, its files, and whom it tells.
struct World {
    folder: tempfile::TempDir,
    page: SocketAddr,
    hook: SocketAddr,
    cameras: Vec<(String, String)>,
    daemon: Option<Process>,
    http: reqwest::Client,
    /// An administrator's.
    token: String,
    done: Done,
}

impl World {
    async fn start(fleet: &SimFleet) -> Self {
        let done = Done::default();
        let take = async |State(done): State<Done>, _: axum::body::Bytes| done.count("messages");
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let hook = listener.local_addr().expect("an address");
        let router = Router::new().route("/", post(take)).with_state(done.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let cameras = (0..CAMERAS).map(|number| (fleet.rtsp_url(ip(number)), fleet.onvif_url(ip(number)))).collect();
        let (folder, page) = (tempfile::tempdir().expect("a folder"), free_address());
        let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
        let http = http.timeout(Duration::from_secs(60)).build().expect("a client");
        let token = String::new();
        let mut world = Self { folder, page, hook, cameras, daemon: None, http, token, done };
        world.configure(0);
        let log = fs::File::create(world.folder.path().join("log")).expect("a file");
        let mut command = Command::new(program());
        command.args(["run", "--config"]).arg(world.config());
        world.daemon = Some(Process::start(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log)));
        eventually("the daemon", async || reqwest::get(world.url("/-/ready")).await.ok()?.error_for_status().ok())
            .await;
        world.token = world.command(&["passes", "token", "soak", "--role", "administrator"]);
        let link = world.command(&["users", "add", "an", "--role", "administrator"]);
        let path = format!("/{}", link.splitn(4, '/').nth(3).expect("a path"));
        let chosen = form(&[("password", PASSWORD), ("again", PASSWORD)]);
        let answer = world.http.post(world.url(&path)).header(header::CONTENT_TYPE, FORM).body(chosen);
        let status = answer.send().await.expect("an answer").status();
        assert!(status.is_success() || status.is_redirection(), "{status}: a password is chosen");
        world
    }

    fn config(&self) -> PathBuf {
        self.folder.path().join("camhealth.toml")
    }

    /// Another round has another name of a site, and each second one a camera more.
    fn configure(&self, round: usize) {
        let values = [("page", &*self.page.to_string()), ("hook", &self.hook.to_string())];
        let mut text = fixture("soak.toml", &values);
        let cameras = self.cameras.iter().take(CAMERAS - round % 2).enumerate();
        for (number, (rtsp, onvif)) in cameras {
            text += &format!(
                "[[camera]]\nid = \"c{number}\"\nname = \"Camera {number}\"\n{}\nlink = \"cap-{}\"\n\
                 rtsp = \"{rtsp}\"\nonvif = \"{onvif}\"\n",
                if number < SEEN { "kind = \"public\"" } else { "kind = \"household\"\nconsent = \"2026-01-01\"" },
                number / 12 + 1,
            );
        }
        for site in 0..SEEN / VIEWS {
            let name = if site == 0 { format!("Ngã tư {round}") } else { format!("Ngã tư số {site}") };
            text += &format!(
                "[[site]]\nid = \"s{site}\"\nname = \"{name}\"\nhamlet = \"Thôn Đông\"\nclear_after = \"2s\"\n"
            );
            for view in 0..VIEWS {
                text += &format!("[[site.view]]\nname = \"hướng {view}\"\ncameras = [\"c{}\"]\n", site * VIEWS + view);
            }
        }
        fs::write(self.config(), text).expect("it can be written");
    }

    fn command(&self, arguments: &[&str]) -> String {
        let config = self.config().display().to_string();
        let output = camhealth(&[arguments, &["--config", &config]].concat(), &[]);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.page)
    }

    /// Asks by the token; what is refused is noted.
    async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Option<String> {
        let mut request = self.http.request(method, self.url(path)).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.header(header::CONTENT_TYPE, "application/json").body(body.to_string());
        }
        self.answered(path, request.send().await).await
    }

    async fn answered(&self, path: &str, answer: reqwest::Result<Response>) -> Option<String> {
        let (status, text) = match answer {
            Ok(answer) => (answer.status(), answer.text().await.unwrap_or_default()),
            Err(error) => (StatusCode::IM_A_TEAPOT, error.to_string()),
        };
        if !status.is_success() && !status.is_redirection() {
            self.done.wrong(format!("{path}: {status} {}", text.chars().take(200).collect::<String>()));
            return None;
        }
        Some(text)
    }

    async fn metrics(&self) -> String {
        self.ask(Method::GET, "/metrics", None).await.unwrap_or_default()
    }

    fn process(&self) -> u32 {
        self.daemon.as_ref().expect("it was started").id()
    }

    async fn sample(&self) -> Sample {
        let tasks = value(&self.metrics().await, "camhealth_tasks").unwrap_or_default() as usize;
        let workers = children(self.process());
        let all: Vec<u32> = workers.iter().copied().chain([self.process()]).collect();
        let file = self.folder.path().join("journal.sqlite3");
        let sizes = ["journal.sqlite3", "journal.sqlite3-wal"].map(|name| self.folder.path().join(name));
        let size = |path: &PathBuf| fs::metadata(path).map_or(0, |known| known.len());
        Sample {
            memory_kib: all.iter().map(|id| share_kib(*id)).sum(),
            descriptors: all.iter().map(|id| entries(&format!("/proc/{id}/fd"))).sum(),
            threads: all.iter().map(|id| entries(&format!("/proc/{id}/task"))).sum(),
            workers: workers.len(),
            tasks,
            journal_bytes: sizes.iter().map(size).sum(),
            transcripts: rows(&file, &["observation"]),
            history: rows(&file, &HISTORY),
        }
    }
}

/// What is remembered for years, so that it may grow: it is small, and all of it is somebody's doing or a fault.
const HISTORY: [&str; 9] =
    ["transition", "level_change", "link_change", "incident", "notice", "outbox", "audit", "pass", "minute_figures"];

fn rows(journal: &Path, tables: &[&str]) -> u64 {
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
    let journal = rusqlite::Connection::open_with_flags(journal, flags).expect("it opens");
    let count =
        |table: &&str| journal.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get::<_, i64>(0));
    // It may be locked for a moment.
    tables.iter().map(|table| count(table).unwrap_or(0).unsigned_abs()).sum()
}

fn ip(number: usize) -> IpAddr {
    Ipv4Addr::new(127, 64, 7, u8::try_from(number + 1).expect("few cameras")).into()
}

/// The value of a metric without labels.
fn value(metrics: &str, name: &str) -> Option<f64> {
    metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
}

/// Lives for so long; gives what was counted meanwhile.
async fn live(world: &Arc<World>, fleet: &Arc<tokio::sync::Mutex<SimFleet>>, time: Duration) -> Vec<Sample> {
    let mut actors = JoinSet::new();
    actors.spawn(breaks(fleet.clone(), world.done.clone()));
    (0..WALLS).for_each(|number| _ = actors.spawn(looks_at_a_wall(world.clone(), number)));
    let long = time >= Duration::from_secs(LONG);
    let seconds = |usual, quick| Duration::from_secs(if long { usual } else { quick });
    macro_rules! act {
        ($every:expr, $act:ident) => {
            actors.spawn({
                let (world, every) = (world.clone(), $every);
                async move {
                    again(every, |round| {
                        let world = world.clone();
                        async move { $act(&world, round).await }
                    })
                    .await
                }
            })
        };
    }
    act!(seconds(5, 2), signs_in);
    act!(seconds(10, 3), edits);
    act!(seconds(10, 3), reports);
    act!(seconds(60, 6), reloads);
    let (began, mut samples, wanted) = (Instant::now(), Vec::new(), world.done.least() + 2);
    // However slow the machine is, each thing is done.
    while began.elapsed() < time || world.done.least() < wanted || samples.len() < 8 {
        tokio::time::sleep(Duration::from_secs(1)).await;
        samples.push(world.sample().await);
        world.done.count("scrapes");
        assert!(actors.try_join_next().is_none(), "somebody gave up");
        assert!(began.elapsed() < time + SETTLED, "something is never done: {:?}", world.done.counts());
    }
    actors.shutdown().await;
    let mut fleet = fleet.lock().await;
    for number in 0..CAMERAS {
        fleet.set_fault(ip(number), Fault::None).await.expect("the fault is set");
    }
    samples
}

/// All is well again: what descriptors and tasks are in the quietest tenth of a hundred moments, since some look is nearly always under
/// way; or that they are no more than that again.
async fn quiet(world: &World, before: Option<Sample>) -> Sample {
    let mut unwell = Vec::new();
    eventually_within(SETTLED, "all is well again", async || {
        let metrics = world.metrics().await;
        let of = |line: &&str| line.starts_with("camhealth_camera_state{") && line.ends_with(" 1");
        let now = metrics.lines().filter(of).filter(|line| !line.contains("\"up\"")).map(str::to_owned);
        let now: Vec<String> = now.collect();
        let well = value(&metrics, "camhealth_coverage_ratio") == Some(1.0);
        if !well && now != unwell {
            println!("not yet well: {now:#?}");
            unwell = now;
        }
        well.then_some(())
    })
    .await;
    let mut samples = Vec::new();
    let low = |samples: &[Sample], figure: fn(&Sample) -> usize, part: usize| {
        let mut values: Vec<usize> = samples.iter().map(figure).collect();
        values.sort_unstable();
        values[values.len() / part]
    };
    let (descriptors, tasks) = (|one: &Sample| one.descriptors, |one: &Sample| one.tasks);
    let mut told = (0, 0);
    eventually_within(SETTLED, &format!("as little as before: {before:?}"), async || {
        samples.push(world.sample().await);
        let Some(before) = before else {
            let settled =
                Sample { descriptors: low(&samples, descriptors, 10), tasks: low(&samples, tasks, 10), ..samples[0] };
            return (samples.len() >= 100).then_some(settled);
        };
        let all = samples.len() + 1;
        let least = (low(&samples, descriptors, all), low(&samples, tasks, all));
        if told != least {
            println!("{least:?} descriptors and tasks, before: {:?}", (before.descriptors, before.tasks));
            told = least;
        }
        let settled = Sample { descriptors: least.0, tasks: least.1, ..samples[samples.len() - 1] };
        (least.0 <= before.descriptors && least.1 <= before.tasks).then_some(settled)
    })
    .await
}

fn median(samples: &[Sample], figure: impl Fn(&Sample) -> f64) -> f64 {
    let mut values: Vec<f64> = samples.iter().map(figure).collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_grows_in_a_long_and_ordinary_life() {
    let asked = std::env::var("CAMHEALTH_SOAK").ok().and_then(|text| text.parse().ok());
    let seconds: u64 = asked.unwrap_or(SHORT);
    let fleet = SimFleet::start(Spec::new((Ipv4Addr::LOCALHOST, 0).into()), 0, 0).await.expect("ports");
    let world = Arc::new(World::start(&fleet).await);
    let fleet = Arc::new(tokio::sync::Mutex::new(fleet));
    // What is opened once and kept is opened by now.
    live(&world, &fleet, Duration::from_secs(seconds.clamp(10, 60) / 2)).await;
    let before = quiet(&world, None).await;
    let samples = live(&world, &fleet, Duration::from_secs(seconds)).await;
    let after = quiet(&world, Some(before)).await;
    let metrics = world.metrics().await;

    let quarter = samples.len() / 4;
    let (second, last) = (&samples[quarter..2 * quarter], &samples[3 * quarter..]);
    let most = |figure: fn(&Sample) -> usize| samples.iter().map(figure).max().unwrap_or_default();
    println!("{seconds} s: {:?}", world.done.counts());
    println!("| | quiet, before | second quarter (median) | last quarter (median) | most | quiet, after |");
    println!("| --- | ---: | ---: | ---: | ---: | ---: |");
    let line = |name: &str, figure: fn(&Sample) -> f64| {
        let most = samples.iter().map(figure).fold(0.0, f64::max);
        let medians = [median(second, figure), median(last, figure), most];
        let [second, last, most] = medians;
        println!("| {name} | {:.1} | {second:.1} | {last:.1} | {most:.1} | {:.1} |", figure(&before), figure(&after));
    };
    line("memory of the daemon and its workers (PSS), MiB", |one| one.memory_kib / 1024.0);
    line("descriptors", |one| one.descriptors as f64);
    line("threads", |one| one.threads as f64);
    line("tasks", |one| one.tasks as f64);
    line("workers", |one| one.workers as f64);
    line("transcripts in the journal", |one| one.transcripts as f64);
    line("rows of history in the journal", |one| one.history as f64);
    line("journal with its WAL, MiB", |one| one.journal_bytes as f64 / 1_048_576.0);

    // It lived: each thing was done, or this would not be reached.
    let wrong = world.done.0.lock().expect("no panic").1.clone();
    assert!(wrong.is_empty(), "{} were refused: {:#?}", wrong.len(), &wrong[..wrong.len().min(10)]);
    let is_told = before.memory_kib > 0.0 && before.descriptors > WORKERS;
    assert!(is_told, "the kernel tells what a daemon holds to root alone: run this as root");
    for (metric, wanted) in [("camhealth_watching", 1.0), ("camhealth_config_last_reload_successful", 1.0)] {
        assert_eq!(value(&metrics, metric), Some(wanted), "{metric}");
    }
    // One for each wall and each other, with one that is just closing, and two for each camera that is looked at.
    let room = 2 * (WALLS + OTHERS + CAMERAS);
    assert!(most(|one| one.descriptors) <= before.descriptors + room, "{} descriptors", most(|one| one.descriptors));
    // A thread of the pool for what blocks is kept as long as any of them has something to do now and then.
    assert!(most(|one| one.threads) <= before.threads + WALLS + OTHERS, "{} threads", most(|one| one.threads));
    // A look that has ended its worker is had once more in one of its own.
    assert!(most(|one| one.workers) <= 2 * WORKERS, "{} workers", most(|one| one.workers));
    if seconds >= LONG {
        let [then, now] = [second, last].map(|part| median(part, |one| one.memory_kib));
        assert!(now <= then * TENTH + MARGIN_KIB, "memory grew from {then} KiB to {now} KiB");
        let [then, now] = [second, last].map(|part| median(part, |one| one.threads as f64));
        assert!(now <= then + THREADS, "from {then} to {now} threads");
        let [then, now] = [second, last].map(|part| median(part, |one| one.transcripts as f64));
        assert!(now <= then * TRANSCRIPTS, "transcripts grew from {then} to {now}");
        let [bytes, rows] = [|one: &Sample| one.journal_bytes as f64, |one: &Sample| one.history as f64]
            .map(|figure| median(last, figure) - median(second, figure));
        assert!(
            bytes <= rows * ROW_BYTES + 1_048_576.0,
            "the journal grew by {bytes} bytes for {rows} rows of history"
        );
    }
}
