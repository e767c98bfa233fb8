//! CPU and memory of camhealth beside `prometheus-blackbox-exporter` and `ffprobe`, in one run on one machine.
//!
//! `cargo bench --bench side_by_side` runs it; tests/run installs the two others. Cameras are simulated in a process of
//! their own, so that their cost is nobody's. The fleet's memory is the peak of the processes' proportional shares
//! (PSS), sampled each second, since daemon and workers share one program. Only ratios mean something: the machines are
//! noisy. `CAMHEALTH_BENCH_SECONDS` sets how long the fleet is watched (60 by default).

#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "benches measure, by a clock")]

mod measure;

use camhealth::{
    model::{Camera, Check},
    probe::{Look, Pool, Prober, Settings},
};
use futures_util::StreamExt;
use measure::{children, children_of, command_of, cpu, cpu_of_ended_children, end, peak_mib, share_mib};
use retina::client::{PacketItem, PlayOptions, Session, SessionOptions, SetupOptions, TeardownPolicy};
use std::{
    fs,
    io::{BufRead, BufReader},
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_camhealth");
const BLACKBOX: &str = "/usr/bin/prometheus-blackbox-exporter";
const FFPROBE: &str = "/usr/bin/ffprobe";
const PUBLIC: usize = 40;
const FLEET: usize = 240;
/// Stream checks at once: fewer than a worker takes.
const AT_ONCE: u32 = 15;

fn main() {
    for program in [BLACKBOX, FFPROBE] {
        assert!(Path::new(program).exists(), "{program} is missing: run tests/run, it installs it");
    }
    let seconds = std::env::var("CAMHEALTH_BENCH_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(60);
    let fleet = Fleet::start();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let mut rows = Vec::new();

    let options = runtime.block_on(our_options(&fleet));
    let blackbox = Blackbox::start();
    let theirs = runtime.block_on(blackbox.options(&fleet, 2000, Duration::ZERO));
    rows.push(Row::new("OPTIONS probe", "blackbox_exporter", options, theirs));

    let check = runtime.block_on(our_stream_checks(&fleet, 600));
    let theirs = runtime.block_on(retina_alone(&fleet, 600));
    rows.push(Row::new("stream check", "retina alone, in one process", check.clone(), theirs));
    let theirs = ffprobe(&fleet, 10, Duration::ZERO);
    rows.push(Row::new("stream check", "ffprobe", check, theirs));

    let daemon = our_daemon(&fleet, seconds);
    let looks = seconds as f64 * (PUBLIC as f64 / 10.0 + (FLEET - PUBLIC) as f64 / 60.0);
    let pause = Duration::from_secs_f64(seconds as f64 / looks);
    let blackbox = Blackbox::start();
    let liveness = runtime.block_on(blackbox.options(&fleet, looks as u32, pause));
    let streams = seconds as f64 * (PUBLIC as f64 / 60.0 + (FLEET - PUBLIC) as f64 / 900.0);
    let pause = Duration::from_secs_f64(seconds as f64 / streams);
    let full = ffprobe(&fleet, streams as u32, pause);
    print(&rows, &daemon, &liveness, &full, seconds);
}

/// What something cost.
#[derive(Clone)]
struct Cost {
    cpu: Duration,
    times: u32,
    peak_mib: f64,
}

impl Cost {
    fn each(&self) -> f64 {
        self.cpu.as_secs_f64() * 1000.0 / f64::from(self.times)
    }
}

struct Row {
    what: &'static str,
    other: &'static str,
    ours: Cost,
    theirs: Cost,
}

impl Row {
    fn new(what: &'static str, other: &'static str, ours: Cost, theirs: Cost) -> Self {
        Self { what, other, ours, theirs }
    }
}

fn print(rows: &[Row], daemon: &Cost, liveness: &Cost, streams: &Cost, seconds: u64) {
    println!(
        "\n| each | camhealth CPU | peak | other | CPU | peak | ratio |\n| --- | ---: | ---: | --- | ---: | ---: | ---: |"
    );
    for Row { what, other, ours, theirs } in rows {
        println!(
            "| {what} | {:.3} ms | {:.1} MiB | {other} | {:.3} ms | {:.1} MiB | 1/{:.1} |",
            ours.each(),
            ours.peak_mib,
            theirs.each(),
            theirs.peak_mib,
            theirs.each() / ours.each()
        );
    }
    let share = |cost: &Cost| 100.0 * cost.cpu.as_secs_f64() / seconds as f64;
    println!("\n| {FLEET} cameras at the default cadence, {seconds} s | of one core | peak |\n| --- | ---: | ---: |");
    println!(
        "| camhealth: OPTIONS, stream checks, journal, alerts | {:.2} % | {:.1} MiB |",
        share(daemon),
        daemon.peak_mib
    );
    println!("| blackbox_exporter: the OPTIONS alone | {:.2} % | {:.1} MiB |", share(liveness), liveness.peak_mib);
    println!("| ffprobe: the stream checks alone | {:.2} % | {:.1} MiB |", share(streams), streams.peak_mib);
}

/// Simulated cameras in a process of their own.
struct Fleet {
    child: Child,
    urls: Vec<String>,
}

impl Fleet {
    fn start() -> Self {
        let mut command = Command::new(PROGRAM);
        command.args(["simulate", "--cameras", &FLEET.to_string()]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("it starts");
        let lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        let url = |line: String| line.split(' ').next().unwrap_or_default().to_owned();
        let urls = lines.take(FLEET).map(|line| url(line.expect("text"))).collect();
        Self { child, urls }
    }

    fn url(&self, number: u32) -> &str {
        &self.urls[number as usize % self.urls.len()]
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

fn camera(url: &str) -> Camera {
    Camera::new("camera", url.parse().expect("a URL"))
}

fn prober() -> Prober {
    let settings = Settings { workers: 1, ..Settings::default() };
    let pool = Pool::new(PROGRAM.into(), settings.workers, settings.worker_memory_mib);
    Prober::new(settings, pool)
}

async fn our_options(fleet: &Fleet) -> Cost {
    const TIMES: u32 = 10_000;
    let prober = prober();
    let cameras: Vec<Camera> = fleet.urls.iter().map(|url| camera(url)).collect();
    let before = cpu(std::process::id());
    for number in 0..TIMES {
        let camera = &cameras[number as usize % cameras.len()];
        let observation = prober.probe(camera, Look::new(Check::Liveness, jiff::Timestamp::UNIX_EPOCH)).await;
        assert!(observation.failure.is_none(), "{observation:?}");
    }
    Cost { cpu: cpu(std::process::id()) - before, times: TIMES, peak_mib: peak_mib(std::process::id()) }
}

/// The daemon's part and the worker's together. Looks wait for frames, so several go on at once.
async fn our_stream_checks(fleet: &Fleet, times: u32) -> Cost {
    let prober = Arc::new(prober());
    // The worker's start is not part of a check: it serves thousands.
    let warm = prober.probe(&camera(fleet.url(0)), Look::new(Check::Stream, jiff::Timestamp::UNIX_EPOCH)).await;
    assert!(warm.failure.is_none(), "{warm:?}");
    let worker = children().into_iter().find(|id| command_of(*id).contains("probe-worker")).expect("a worker");
    let both = || cpu(std::process::id()) + cpu(worker);
    let before = both();
    for round in 0..times / AT_ONCE {
        let looks = (0..AT_ONCE).map(|number| {
            let (prober, camera) = (prober.clone(), camera(fleet.url(AT_ONCE * round + number)));
            async move { prober.probe(&camera, Look::new(Check::Stream, jiff::Timestamp::UNIX_EPOCH)).await }
        });
        for observation in futures_util::future::join_all(looks).await {
            assert!(observation.failure.is_none(), "{observation:?}");
        }
    }
    let cost = Cost { cpu: both() - before, times, peak_mib: peak_mib(std::process::id()) + peak_mib(worker) };
    prober.pool().stop(Duration::from_secs(3)).await;
    cost
}

/// The same looks by retina in this process: no worker, no report, no `OPTIONS` before; ten frames, then the end.
async fn retina_alone(fleet: &Fleet, times: u32) -> Cost {
    let look = async |url: &str| {
        let options = SessionOptions::default().teardown(TeardownPolicy::Never);
        let mut session = Session::describe(url.parse().expect("a URL"), options).await.expect("a description");
        session.setup(0, SetupOptions::default()).await.expect("a session");
        let session = session.play(PlayOptions::default()).await.expect("it plays");
        let mut session = std::pin::pin!(session);
        let (mut frames, mut last) = (0, None);
        while let Some(Ok(item)) = session.next().await {
            if let PacketItem::Rtp(packet) = item
                && last.replace(packet.timestamp()) != Some(packet.timestamp())
            {
                frames += 1;
                if frames >= 10 {
                    return;
                }
            }
        }
        panic!("the stream ended");
    };
    let before = cpu(std::process::id());
    for round in 0..times / AT_ONCE {
        futures_util::future::join_all((0..AT_ONCE).map(|number| look(fleet.url(AT_ONCE * round + number)))).await;
    }
    Cost { cpu: cpu(std::process::id()) - before, times, peak_mib: peak_mib(std::process::id()) }
}

fn our_daemon(fleet: &Fleet, seconds: u64) -> Cost {
    let folder = std::env::temp_dir().join(format!("camhealth-bench-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    let config = folder.join("camhealth.toml");
    let mut text = String::from(
        "[commune]\nname = \"Xã Đo\"\n[web]\nlisten = \"127.0.0.1:0\"\nsign_in = false\n[journal]\npath = \"journal\"\n",
    );
    for (number, url) in fleet.urls.iter().enumerate() {
        let kind = if number < PUBLIC { "public\"" } else { "household\"\nconsent = \"2026-01-01\"" };
        text += &format!("[[camera]]\nid = \"c{number}\"\nname = \"c\"\nrtsp = \"{url}\"\nkind = \"{kind}\n");
    }
    text += "[[site]]\nid = \"s\"\nname = \"s\"\nhamlet = \"h\"\n[[site.view]]\nname = \"v\"\ncameras = [\"c0\"]\n";
    fs::write(&config, text).expect("it can be written");
    let mut command = Command::new(PROGRAM);
    command.args(["run", "--config"]).arg(&config).env("RUST_LOG", "off").stdin(Stdio::null());
    let mut daemon = command.spawn().expect("it starts");
    // The first looks of all cameras are not the default cadence: each gets a long one within a minute.
    std::thread::sleep(Duration::from_secs(90));
    let family = || {
        let workers = children_of(daemon.id());
        let ids: Vec<u32> = workers.into_iter().chain([daemon.id()]).collect();
        (ids.iter().map(|id| cpu(*id)).sum::<Duration>(), ids.iter().map(|id| share_mib(*id)).sum::<f64>())
    };
    let (before, mut peak) = family();
    let mut after = before;
    for _ in 0..seconds {
        std::thread::sleep(Duration::from_secs(1));
        let (cpu, memory) = family();
        (after, peak) = (cpu, peak.max(memory));
    }
    end(&mut daemon);
    // Left-over files in the system's temporary folder harm nobody.
    let _ = fs::remove_dir_all(&folder);
    Cost { cpu: after - before, times: 1, peak_mib: peak }
}

/// The exporter with a module that asks OPTIONS.
struct Blackbox {
    child: Child,
    address: String,
    folder: std::path::PathBuf,
}

impl Blackbox {
    fn start() -> Self {
        let folder = std::env::temp_dir().join(format!("camhealth-blackbox-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let config = folder.join("blackbox.yml");
        let text = "modules:\n  rtsp:\n    prober: tcp\n    timeout: 5s\n    tcp:\n      query_response:\n        \
                    - send: \"OPTIONS rtsp://camera/sub RTSP/1.0\\r\\nCSeq: 1\\r\\n\\r\"\n        - expect: \"^RTSP/1.0 200\"\n";
        fs::write(&config, text).expect("it can be written");
        let address = TcpListener::bind("127.0.0.1:0").and_then(|port| port.local_addr()).expect("a port").to_string();
        let child = Command::new(BLACKBOX)
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--web.listen-address={address}"))
            .arg("--log.level=error")
            .stdin(Stdio::null())
            .spawn()
            .expect("it starts");
        Self { child, address, folder }
    }

    async fn options(self, fleet: &Fleet, times: u32, pause: Duration) -> Cost {
        let http = reqwest::Client::new();
        let ask = async |number: u32| {
            let target = fleet.url(number).trim_start_matches("rtsp://").split('/').next().unwrap_or_default();
            let url = format!("http://{}/probe?module=rtsp&target={target}", self.address);
            http.get(url).send().await.ok()?.text().await.ok()
        };
        while ask(0).await.is_none() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let before = cpu(self.child.id());
        for number in 0..times {
            let began = Instant::now();
            let text = ask(number).await.expect("an answer");
            assert!(text.contains("probe_success 1"), "{text}");
            tokio::time::sleep(pause.saturating_sub(began.elapsed())).await;
        }
        let id = self.child.id();
        Cost { cpu: cpu(id) - before, times, peak_mib: peak_mib(id) }
    }
}

impl Drop for Blackbox {
    fn drop(&mut self) {
        end(&mut self.child);
        // Left-over files in the system's temporary folder harm nobody.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn ffprobe(fleet: &Fleet, times: u32, pause: Duration) -> Cost {
    let before = cpu_of_ended_children();
    let mut peak = 0.0f64;
    let mut running: Vec<Child> = Vec::new();
    for number in 0..times {
        let began = Instant::now();
        let mut command = Command::new(FFPROBE);
        command.args(["-v", "error", "-rtsp_transport", "tcp", "-show_streams", fleet.url(number)]);
        running.push(command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().expect("it starts"));
        // Without a pause, one after the other; with one, several go on at once.
        while running.iter_mut().any(|child| child.try_wait().expect("it is our child").is_none()) {
            peak = running.iter().map(|child| peak_mib(child.id())).fold(peak, f64::max);
            if !pause.is_zero() && began.elapsed() >= pause {
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        std::thread::sleep(pause.saturating_sub(began.elapsed()));
        running.retain_mut(|child| child.try_wait().expect("it is our child").is_none());
    }
    running.iter_mut().for_each(|child| drop(child.wait()));
    Cost { cpu: cpu_of_ended_children() - before, times, peak_mib: peak }
}
