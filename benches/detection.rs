//! What watching costs the watched, and how soon a fault is known: bytes for each look and camera and day, time from a
//! fault to its confirmed verdict, and false downs over a bad line. All at the built-in defaults.
//!
//! `cargo bench --bench detection` runs it; tests/run installs GStreamer, whose encoder gives a real substream of
//! 256 kbit/s. The bad line is a relay of ours: 200 ms there and back, and one segment in a hundred comes a
//! retransmission late, which is how TCP shows loss. `CAMHEALTH_BENCH_SECONDS` sets how long it is watched (600 by
//! default); verdicts are waited for up to 150 s.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "benches measure, by a clock")]

use camhealth::{
    clock::Clock,
    config,
    daemon::{self, Parts, Probing, Running},
    model::{Camera, CameraId, Check, Kind, State},
    probe::{Look, Pool, Prober, Settings},
    schedule,
    sim::{Fault, SimCamera, Spec, fleet_addresses},
};
use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, tcp::OwnedReadHalf, tcp::OwnedWriteHalf},
    sync::mpsc,
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_camhealth");
const BAD_LINE: Line = Line { delay: Duration::from_millis(100), late_one_in: 100 };
const GOOD_LINE: Line = Line { delay: Duration::ZERO, late_one_in: 0 };
/// How late a lost segment comes: the retransmission timeout on such a line.
const RETRANSMISSION: Duration = Duration::from_millis(400);

#[tokio::main(worker_threads = 2)]
async fn main() {
    let seconds = std::env::var("CAMHEALTH_BENCH_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(600);
    let costs = bytes_of_looks().await;
    println!("\n| a camera at the defaults | bytes a day | looks a day |\n| --- | ---: | ---: |");
    for kind in [Kind::Public, Kind::Household] {
        let (bytes, looks) = day(kind, &costs);
        println!("| {} | {:.1} MB | {looks} |", kind.as_str(), bytes as f64 / 1e6);
    }
    detection().await;
    false_downs(seconds).await;
}

/// A substream of 256 kbit/s from a real encoder; noise makes it use them all.
struct GStreamer {
    child: Child,
    address: SocketAddr,
    path: String,
}

impl GStreamer {
    fn start() -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/servers/gst_camera.py");
        let mut child = Command::new("/usr/bin/python3")
            .args([script, "--codec", "h264", "--pattern", "snow"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts: run tests/run, it installs GStreamer");
        let mut line = String::new();
        let mut lines = BufReader::new(child.stdout.take().expect("it is piped"));
        lines.read_line(&mut line).expect("a line");
        let url: url::Url = line.trim().trim_start_matches("READY ").parse().expect("a URL");
        let host = format!("{}:{}", url.host_str().expect("a host"), url.port().expect("a port"));
        Self { child, address: host.parse().expect("an address"), path: url.path().to_owned() }
    }
}

impl Drop for GStreamer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn prober() -> Prober {
    let settings = Settings { workers: 1, ..Settings::default() };
    let pool = Pool::new(PROGRAM.into(), settings.workers, settings.worker_memory_mib);
    Prober::new(settings, pool)
}

/// Bytes on the wire, both ways, for one look of each depth.
async fn bytes_of_looks() -> BTreeMap<Check, u64> {
    const TIMES: u64 = 10;
    let server = GStreamer::start();
    let rtsp = Relay::start(server.address, GOOD_LINE).await;
    let simulated =
        SimCamera::start(Spec { onvif: Some(([127, 0, 0, 1], 0).into()), ..Spec::new(([127, 0, 0, 1], 0).into()) });
    let simulated = simulated.await.expect("ports");
    let service: url::Url = simulated.onvif_url().expect("it has one").parse().expect("a URL");
    let service = format!("{}:{}", service.host_str().expect("a host"), service.port().expect("a port"));
    let onvif = Relay::start(service.parse().expect("an address"), GOOD_LINE).await;
    let url = format!("rtsp://{}{}", rtsp.address, server.path).parse().expect("a URL");
    let device = format!("http://{}/onvif/device_service", onvif.address).parse().expect("a URL");
    let camera = Camera { onvif: Some(device), ..Camera::new("camera", url) };
    let prober = prober();
    let mut costs = BTreeMap::new();
    println!("| look at a substream of 256 kbit/s | bytes on the wire | of them counted |\n| --- | ---: | ---: |");
    for check in Check::ALL {
        let before = rtsp.bytes() + onvif.bytes();
        let mut counted = 0;
        for _ in 0..TIMES {
            let observation = prober.probe(&camera, Look::new(check, Clock::system().now())).await;
            assert!(observation.failure.is_none(), "{observation:?}");
            counted += observation.bytes;
        }
        let bytes = (rtsp.bytes() + onvif.bytes() - before) / TIMES;
        println!("| {} | {bytes} | {} |", check.as_str(), counted / TIMES);
        costs.insert(check, bytes);
    }
    prober.pool().stop(Duration::from_secs(3)).await;
    costs
}

/// A day of the plan in made-up time.
fn day(kind: Kind, costs: &BTreeMap<Check, u64>) -> (u64, u64) {
    let onvif = Some("http://127.0.0.1/onvif/device_service".parse().expect("a URL"));
    let camera = Camera { kind, onvif, ..Camera::new("camera", "rtsp://127.0.0.1/sub".parse().expect("a URL")) };
    let commune = camhealth::model::Commune {
        name: String::new(),
        language: camhealth::model::Language::Vi,
        timezone: jiff::tz::TimeZone::UTC,
        night: camhealth::model::DailyHours::NIGHT,
    };
    let fleet = camhealth::model::Fleet {
        devices: [(camera.device.clone(), camhealth::model::Device { sessions: 1, notes: None })].into(),
        cameras: [(camera.id.clone(), Arc::new(camera))].into(),
        ..camhealth::model::Fleet::empty(commune)
    };
    let at = |second: i64| jiff::Timestamp::from_second(second).expect("a small time");
    let mut plan = schedule::Plan::new(schedule::Settings::default(), &fleet, &[], at(0), 7);
    let (mut bytes, mut looks) = (0, 0);
    for second in 0..86_400 {
        while let Some(order) = plan.take(at(second)) {
            let cost = costs.get(&order.check).copied().unwrap_or_default();
            plan.finished(at(second), &order, None, cost);
            bytes += cost;
            looks += 1;
        }
    }
    (bytes, looks)
}

/// Enough that the wait for the next look, which is chance, shows in the worst and not in the median.
const CAMERAS_A_FAULT: usize = 40;
/// The cameras of one fault fail evenly over so long: the longest interval between looks that bears on any of them.
const WITHIN: Duration = Duration::from_secs(60);
/// What is broken, whose, and the goal.
const FAULTS: [(&str, Kind, Fault, u64); 7] = [
    ("port closed", Kind::Public, Fault::PortClosed, 15),
    ("power lost", Kind::Public, Fault::PoweredOff, 30),
    ("says nothing", Kind::Public, Fault::Mute, 60),
    ("no media", Kind::Public, Fault::NoMedia, 90),
    ("frozen", Kind::Public, Fault::Frozen, 90),
    ("port closed", Kind::Household, Fault::PortClosed, 90),
    ("power lost", Kind::Household, Fault::PoweredOff, 90),
];

/// Time from a fault to the confirmed `down`, on the real daemon.
async fn detection() {
    let count = FAULTS.len() * CAMERAS_A_FAULT;
    let mut cameras = Vec::new();
    for (rtsp, _) in fleet_addresses(count) {
        cameras.push(SimCamera::start(Spec::new(rtsp)).await.expect("ports"));
    }
    let kinds: Vec<Kind> = FAULTS.iter().flat_map(|(_, kind, ..)| [*kind; CAMERAS_A_FAULT]).collect();
    let urls: Vec<(String, Kind)> = cameras.iter().map(SimCamera::rtsp_url).zip(kinds).collect();
    let (running, folder) = start(&urls).await;
    wait_until(&running, Duration::from_secs(60), |states| states.values().all(|state| *state == State::Up)).await;
    // The first long looks are over, and then each camera fails at its own time: no fault meets all of them in the same
    // phase of their cadence, and none waits for the looks at others that fail.
    tokio::time::sleep(Duration::from_secs(75)).await;
    let faults = FAULTS.iter().flat_map(|(_, _, fault, _)| [*fault; CAMERAS_A_FAULT]);
    let mut plan: Vec<(Duration, usize, &SimCamera, Fault)> = (cameras.iter().enumerate().zip(faults))
        .map(|((number, camera), fault)| {
            (WITHIN * (number % CAMERAS_A_FAULT) as u32 / CAMERAS_A_FAULT as u32, number, camera, fault)
        })
        .collect();
    plan.sort_by_key(|(after, ..)| *after);
    let began = Instant::now();
    let breaking = async {
        let mut broken = BTreeMap::new();
        for (after, number, camera, fault) in plan {
            tokio::time::sleep_until((began + after).into()).await;
            camera.set_fault(fault).await.expect("the fault is set");
            broken.insert(id(number), Instant::now());
        }
        broken
    };
    let mut snapshots = running.snapshots();
    let watching = async {
        let mut known: BTreeMap<CameraId, (Instant, Duration)> = BTreeMap::new();
        while known.len() < count && began.elapsed() < WITHIN + Duration::from_secs(150) {
            let _ = tokio::time::timeout(Duration::from_secs(1), snapshots.changed()).await;
            let snapshot = snapshots.borrow_and_update().clone();
            for (camera, status) in &snapshot.cameras {
                if status.state == State::Down {
                    // It is down since the first look that found so.
                    let confirming = snapshot.at.duration_since(status.since).unsigned_abs();
                    known.entry(camera.clone()).or_insert_with(|| (Instant::now(), confirming));
                }
            }
        }
        known
    };
    let (broken, known) = tokio::join!(breaking, watching);
    let confirming: BTreeMap<CameraId, Duration> = known.iter().map(|(id, (_, took))| (id.clone(), *took)).collect();
    let known: BTreeMap<CameraId, Duration> =
        known.into_iter().map(|(camera, (at, _))| (camera.clone(), at - broken[&camera])).collect();
    // What is left of the time is the wait for the next look, which is chance.
    println!("\n| fault | cameras | known | median | worst | of it confirming: median | worst | goal |");
    println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
    for (place, (name, kind, _, goal)) in FAULTS.into_iter().enumerate() {
        let numbers = place * CAMERAS_A_FAULT..(place + 1) * CAMERAS_A_FAULT;
        let shown = |times: &BTreeMap<CameraId, Duration>| {
            let mut times: Vec<Duration> =
                numbers.clone().filter_map(|number| times.get(&id(number)).copied()).collect();
            times.sort();
            let shown =
                |time: Option<&Duration>| time.map_or("–".into(), |time| format!("{:.1} s", time.as_secs_f64()));
            (times.len(), format!("{} | {}", shown(times.get(times.len() / 2)), shown(times.last())))
        };
        let ((count, times), (_, confirming)) = (shown(&known), shown(&confirming));
        println!("| {}: {name} | {CAMERAS_A_FAULT} | {count} | {times} | {confirming} | {goal} s |", kind.as_str());
    }
    stop(running, &folder).await;
}

/// A healthy fleet over a bad line.
async fn false_downs(seconds: u64) {
    const FLEET: usize = 120;
    let mut cameras = Vec::new();
    let mut relays = Vec::new();
    for (rtsp, _) in fleet_addresses(FLEET) {
        let camera = SimCamera::start(Spec::new(rtsp)).await.expect("ports");
        relays.push(Relay::start(camera.rtsp_addr(), BAD_LINE).await);
        cameras.push(camera);
    }
    let urls: Vec<(String, Kind)> =
        relays.iter().map(|relay| (format!("rtsp://{}/sub", relay.address), Kind::Public)).collect();
    let (running, folder) = start(&urls).await;
    wait_until(&running, Duration::from_secs(90), |states| states.values().all(|state| state.sees())).await;
    let began = Instant::now();
    let mut snapshots = running.snapshots();
    let mut downs = 0;
    let mut was: BTreeMap<CameraId, State> = BTreeMap::new();
    while began.elapsed() < Duration::from_secs(seconds) {
        let _ = tokio::time::timeout(Duration::from_secs(1), snapshots.changed()).await;
        for (camera, status) in &snapshots.borrow_and_update().cameras {
            let before = was.insert(camera.clone(), status.state);
            downs += u32::from(status.state == State::Down && before != Some(State::Down));
        }
    }
    let looks: u64 = snapshots.borrow().cameras.values().flat_map(|camera| camera.probes.values()).sum();
    let failed: u64 = (snapshots.borrow().cameras.values())
        .flat_map(|camera| camera.probes.iter().filter(|((_, failure), _)| failure.is_some()).map(|(_, count)| *count))
        .sum();
    let hours = FLEET as f64 * began.elapsed().as_secs_f64() / 3600.0;
    println!(
        "\n200 ms, one segment in 100 late: {downs} false downs in {hours:.1} camera hours; {failed} of {looks} looks failed"
    );
    stop(running, &folder).await;
}

fn id(number: usize) -> CameraId {
    format!("c{number}").as_str().into()
}

/// The daemon as configured by default, with these cameras.
async fn start(urls: &[(String, Kind)]) -> (Running, std::path::PathBuf) {
    let folder = std::env::temp_dir().join(format!("camhealth-detection-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    let path = folder.join("camhealth.toml");
    let mut text = String::from("[commune]\nname = \"Xã Đo\"\n[web]\nlisten = \"127.0.0.1:0\"\nsign_in = false\n");
    text += "[journal]\npath = \"journal\"\n";
    for (number, (url, kind)) in urls.iter().enumerate() {
        let kind = match kind {
            Kind::Public => "public\"",
            Kind::Household => "household\"\nconsent = \"2026-01-01\"",
        };
        text += &format!("[[camera]]\nid = \"c{number}\"\nname = \"c\"\nrtsp = \"{url}\"\nkind = \"{kind}\n");
    }
    text += "[[site]]\nid = \"s\"\nname = \"s\"\nhamlet = \"h\"\n[[site.view]]\nname = \"v\"\ncameras = [\"c0\"]\n";
    fs::write(&path, text).expect("it can be written");
    let config = config::load(&path).unwrap_or_else(|problems| panic!("{problems}"));
    let loader = Arc::new(move || config::load(&path).map_err(|problems| problems.to_string()));
    let parts = Parts { probing: Probing::Real(PROGRAM.into()), loader };
    (daemon::start(config, Clock::system(), parts).await.expect("it starts"), folder)
}

async fn stop(running: Running, folder: &std::path::Path) {
    running.stop().await;
    // Left-over files in the system's temporary folder harm nobody.
    let _ = fs::remove_dir_all(folder);
}

async fn wait_until(running: &Running, limit: Duration, condition: impl Fn(&BTreeMap<CameraId, State>) -> bool) {
    let mut snapshots = running.snapshots();
    let reached = async {
        loop {
            let states = |camera: (&CameraId, &Arc<camhealth::model::CameraStatus>)| (camera.0.clone(), camera.1.state);
            if condition(&snapshots.borrow_and_update().cameras.iter().map(states).collect()) {
                return;
            }
            snapshots.changed().await.expect("the daemon runs");
        }
    };
    tokio::time::timeout(limit, reached).await.expect("the fleet is seen in time");
}

/// What a line does to what passes over it.
#[derive(Debug, Clone, Copy)]
struct Line {
    /// One way.
    delay: Duration,
    /// One segment in so many comes a retransmission late, and all behind it; none when 0.
    late_one_in: u64,
}

/// Passes connections on and counts their bytes.
struct Relay {
    address: SocketAddr,
    bytes: Arc<AtomicU64>,
    task: tokio::task::JoinHandle<()>,
}

impl Relay {
    async fn start(target: SocketAddr, line: Line) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let bytes = Arc::new(AtomicU64::new(0));
        let counter = bytes.clone();
        let task = tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let counter = counter.clone();
                tokio::spawn(async move {
                    let Ok(far) = TcpStream::connect(target).await else { return };
                    let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
                    tokio::join!(pass(near_in, far_out, line, &counter), pass(far_in, near_out, line, &counter));
                });
            }
        });
        Self { address, bytes, task }
    }

    fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, line: Line, bytes: &AtomicU64) {
    const SEGMENT: usize = 1460;
    let (sender, mut segments) = mpsc::channel::<(tokio::time::Instant, Vec<u8>)>(1024);
    let read = async move {
        let mut ready = tokio::time::Instant::now();
        loop {
            let mut segment = vec![0; SEGMENT];
            let Ok(count @ 1..) = from.read(&mut segment).await else { return };
            segment.truncate(count);
            let number = bytes.fetch_add(count as u64, Ordering::Relaxed);
            // The count of bytes is as good as a throw of dice.
            let late = line.late_one_in > 0
                && (number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32).is_multiple_of(line.late_one_in);
            let arrival = tokio::time::Instant::now() + line.delay + if late { RETRANSMISSION } else { Duration::ZERO };
            ready = ready.max(arrival);
            if sender.send((ready, segment)).await.is_err() {
                return;
            }
        }
    };
    let write = async move {
        while let Some((at, segment)) = segments.recv().await {
            tokio::time::sleep_until(at).await;
            if to.write_all(&segment).await.is_err() {
                return;
            }
        }
        let _ = to.shutdown().await;
    };
    tokio::join!(read, write);
}
