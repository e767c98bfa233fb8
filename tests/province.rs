//! Several machines share a province: real processes over a real PostgreSQL, killed, stopped, cut off and asked to hand over.

use crate::{
    daemon::Daemon,
    postgres::Way,
    support::{eventually, eventually_within, fixture, free_address, postgres::Postgres, program},
};
use axum::{
    Json, Router,
    extract::{Path as At, State},
    routing::post,
};
use camhealth::sim::{Fault, SimCamera, Spec};
use rustix::process::Signal;
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    process::{Command, Output, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

const MEMBERS: usize = 3;
const COMMUNES: usize = 6;

type Told = Arc<Mutex<Vec<(String, Value)>>>;

struct Province {
    folder: tempfile::TempDir,
    postgres: Postgres,
    ways: Vec<Way>,
    cameras: Vec<SimCamera>,
    ports: Vec<u16>,
    pages: Vec<SocketAddr>,
    told: Told,
}

fn id(commune: usize) -> String {
    format!("xa_{commune}")
}

impl Province {
    async fn new() -> Self {
        let postgres = Postgres::with("trust", &["max_connections = 200"]);
        let told = Told::default();
        let take = async |State(told): State<Told>, At(commune): At<String>, Json(body): Json<Value>| {
            told.lock().expect("no panic").push((commune, body));
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let hook = listener.local_addr().expect("an address");
        let router = Router::new().route("/{commune}", post(take)).with_state(told.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let (mut ways, mut cameras) = (Vec::new(), Vec::new());
        for _ in 0..MEMBERS {
            ways.push(Way::to(postgres.port).await);
        }
        for _ in 0..COMMUNES {
            cameras.push(SimCamera::start(Spec::new((Ipv4Addr::LOCALHOST, 0).into())).await.expect("ports"));
        }
        let ports = (0..COMMUNES).map(|_| free_address().port()).collect();
        let pages = (0..MEMBERS).map(|_| free_address()).collect();
        let folder = tempfile::tempdir().expect("a folder");
        let province = Self { folder, postgres, ways, cameras, ports, pages, told };
        (0..MEMBERS).for_each(|member| province.configure(member, hook));
        province
    }

    fn path(&self, member: usize, file: &str) -> PathBuf {
        self.folder.path().join(format!("may-{member}")).join(file)
    }

    fn configure(&self, member: usize, hook: SocketAddr) {
        fs::create_dir_all(self.path(member, "communes")).expect("a disk");
        let at = format!("127.0.0.1:{}", self.postgres.port);
        let url = self.postgres.url().replace(&at, &self.ways[member].address.to_string());
        for commune in 0..COMMUNES {
            let (id, port, name) = (id(commune), self.ports[commune].to_string(), format!("Xã số {commune}"));
            let (rtsp, hook) = (self.cameras[commune].rtsp_url(), hook.to_string());
            let values = [
                ("id", id.as_str()),
                ("name", &name),
                ("port", &port),
                ("url", &url),
                ("rtsp", &rtsp),
                ("hook", &hook),
            ];
            let text = fixture("province_commune.toml", &values);
            fs::write(self.path(member, &format!("communes/{id}.toml")), text).expect("a disk");
        }
        let text = format!(
            "[province]\nname = \"Tỉnh Thử\"\nmember = \"may-{member}\"\nurl = \"{url}\"\naddress = \"127.0.1.{}\"\n\
             listen = \"{}\"\ncommunes = [\"communes/*.toml\"]\n",
            member + 1,
            self.pages[member]
        );
        fs::write(self.path(member, "province.toml"), text).expect("a disk");
    }

    fn command(&self, member: usize, arguments: &[&str]) -> Output {
        let mut command = Command::new(program());
        command.arg("province").args(arguments).arg("--config").arg(self.path(member, "province.toml"));
        command.output().expect("it runs")
    }

    fn start(&self, member: usize) -> Daemon {
        let log = fs::OpenOptions::new().create(true).append(true).open(self.path(member, "log")).expect("a file");
        let mut command = Command::new(program());
        command.args(["province", "run", "--config"]).arg(self.path(member, "province.toml"));
        Daemon::of(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().expect("it starts"))
    }

    /// Where a commune is watched, as a member's own page for Prometheus says.
    async fn places(&self, member: usize) -> Option<BTreeMap<String, SocketAddr>> {
        let answer = reqwest::get(format!("http://{}/sd", self.pages[member])).await.ok()?;
        let text = answer.error_for_status().ok()?.text().await.ok()?;
        let targets: Vec<Value> = serde_json::from_str(&text).ok()?;
        let place = |target: &Value| {
            let commune = target["labels"]["commune"].as_str()?.to_owned();
            Some((commune, target["targets"][0].as_str()?.parse().ok()?))
        };
        Some(targets.iter().filter_map(place).collect())
    }

    /// Whether a commune is watched by a member, as it says itself at that member's address.
    async fn is_watched_by(&self, commune: usize, member: usize) -> bool {
        let address = format!("http://127.0.1.{}:{}/-/ready", member + 1, self.ports[commune]);
        reqwest::get(address).await.is_ok_and(|answer| answer.status() == 200)
    }

    /// Waits until each of these communes is watched by one of these members; how long the last of them took.
    async fn watched(&self, communes: &[usize], by: &[usize]) -> Duration {
        let began = Instant::now();
        for commune in communes {
            let what = format!("commune {commune} is watched by one of {by:?}");
            let at =
                |place: &SocketAddr| by.iter().any(|member| place.ip() == Ipv4Addr::new(127, 0, 1, *member as u8 + 1));
            eventually_within(Duration::from_secs(90), &what, async || {
                let place = self.places(by[0]).await?.get(&id(*commune)).copied().filter(at)?;
                let answer = reqwest::get(format!("http://{place}/-/ready")).await.ok()?;
                (answer.status() == 200).then_some(())
            })
            .await;
        }
        began.elapsed()
    }

    /// What a member holds.
    async fn held_by(&self, member: usize, as_told_by: usize) -> Vec<usize> {
        let places = eventually("the places", async || self.places(as_told_by).await).await;
        let own = Ipv4Addr::new(127, 0, 1, member as u8 + 1);
        (0..COMMUNES).filter(|commune| places.get(&id(*commune)).is_some_and(|place| place.ip() == own)).collect()
    }

    fn told(&self, commune: usize, reason: &str) -> usize {
        let told = self.told.lock().expect("no panic");
        told.iter().filter(|(of, body)| *of == id(commune) && body["reason"] == reason).count()
    }

    async fn is_told(&self, reason: &str) {
        for commune in 0..COMMUNES {
            let what = format!("{reason} of commune {commune}");
            eventually_within(Duration::from_secs(90), &what, async || (self.told(commune, reason) > 0).then_some(()))
                .await;
            // Who is killed before that is noted may tell it twice.
            let waiting = format!("SELECT id FROM {}.outbox WHERE state = 'queued'", id(commune));
            eventually("that it is noted", async || self.postgres.ask(&waiting)?.is_empty().then_some(())).await;
        }
    }

    async fn fault(&self, fault: Fault) {
        for camera in &self.cameras {
            camera.set_fault(fault.clone()).await.expect("the fault is set");
        }
    }

    fn log(&self, member: usize) -> String {
        fs::read_to_string(self.path(member, "log")).unwrap_or_default()
    }
}

impl Drop for Province {
    fn drop(&mut self) {
        if std::thread::panicking() {
            (0..MEMBERS).for_each(|member| println!("--- may-{member}\n{}", self.log(member)));
        }
    }
}

/// A process with all that it started, and what those started.
fn family(process: u32) -> Vec<u32> {
    let tasks = fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().filter_map(Result::ok);
    let children = tasks.filter_map(|task| fs::read_to_string(task.path().join("children")).ok()).collect::<String>();
    let children = children.split_whitespace().filter_map(|id| id.parse().ok()).collect::<Vec<u32>>();
    std::iter::once(process).chain(children.into_iter().flat_map(family)).collect()
}

fn signal(processes: &[u32], signal: Signal) {
    for process in processes {
        let process = i32::try_from(*process).ok().and_then(rustix::process::Pid::from_raw).expect("a process");
        // One of them may have ended meanwhile.
        let _ = rustix::process::kill_process(process, signal);
    }
}

fn others(member: usize) -> Vec<usize> {
    (0..MEMBERS).filter(|other| *other != member).collect()
}

/// Each machine in turn dies, hangs, is cut off from the server, loses its member alone and hands over, while cameras are broken:
/// others go on with all that it had, nothing is told twice, and one address finds each commune all the while.
#[tokio::test(flavor = "multi_thread")]
async fn machines_take_over_from_each_other() {
    let rounds: usize = std::env::var("CAMHEALTH_TAKEOVERS").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    let province = Province::new().await;
    let mut machines: Vec<Option<Daemon>> = (0..MEMBERS).map(|member| Some(province.start(member))).collect();
    let all: Vec<usize> = (0..COMMUNES).collect();
    let took = province.watched(&all, &[0, 1, 2]).await;
    println!("{COMMUNES} communes are watched {:.1} s after three machines began", took.as_secs_f64());
    for member in 0..MEMBERS {
        assert_eq!(province.held_by(member, 0).await.len(), COMMUNES / MEMBERS, "{}", province.log(member));
        // Whichever machine is asked, the commune answers.
        for commune in 0..COMMUNES {
            let what = format!("commune {commune} by way of machine {member}");
            eventually(&what, async || province.is_watched_by(commune, member).await.then_some(())).await;
        }
    }
    province.fault(Fault::PortClosed).await;
    province.is_told("coverage_lost").await;
    for round in 0..5 * rounds {
        let (member, rest) = (round % MEMBERS, others(round % MEMBERS));
        let held = province.held_by(member, rest[0]).await;
        assert!(!held.is_empty(), "it holds something: {}", province.log(member));
        let machine = machines[member].as_mut().expect("it runs");
        let whole = family(machine.id());
        let how = match round % 5 {
            0 => {
                signal(&whole, Signal::KILL);
                "the machine died"
            }
            1 => {
                signal(&whole, Signal::STOP);
                "the machine hung"
            }
            2 => {
                province.ways[member].cut(true);
                "the machine was cut off"
            }
            3 => {
                signal(&whole[..1], Signal::KILL);
                "its member was killed"
            }
            _ => {
                machine.signal(Signal::TERM);
                "it handed over"
            }
        };
        let took = province.watched(&held, &rest).await;
        println!("{how}: all {} communes are watched by others after {:.1} s", held.len(), took.as_secs_f64());
        assert!(took < Duration::from_secs(30), "{how}: {took:?}");
        match round % 5 {
            1 => signal(&whole, Signal::CONT),
            2 => province.ways[member].cut(false),
            4 => assert_eq!(machines[member].as_mut().expect("it runs").ended().await, 0),
            _ => {}
        }
        if !matches!(round % 5, 1 | 2) {
            machines[member] = None;
            machines[member] = Some(province.start(member));
        }
        // It comes back with nothing, passes on what comes to it, and is given two of them.
        for commune in &held {
            let what = format!("commune {commune} by way of machine {member}");
            eventually(&what, async || province.is_watched_by(*commune, member).await.then_some(())).await;
        }
        let to = format!("may-{member}");
        for commune in &held {
            let moved = province.command(rest[0], &["move", &id(*commune), "--to", &to]);
            assert!(moved.status.success(), "{moved:?}");
        }
        province.watched(&held, &[member]).await;
        for commune in &held {
            assert!(province.command(rest[0], &["move", &id(*commune)]).status.success());
        }
    }
    province.fault(Fault::None).await;
    province.is_told("coverage_restored").await;
    for commune in 0..COMMUNES {
        let told = (province.told(commune, "coverage_lost"), province.told(commune, "coverage_restored"));
        assert_eq!(told, (1, 1), "commune {commune}: {:#?}", province.told.lock().expect("no panic"));
    }
    let sessions = province.cameras.iter().map(|camera| camera.stats().max_open_sessions).max().unwrap_or(0);
    println!("sessions at a camera at once: {sessions} at most");
    assert!(sessions <= 2, "{sessions}: one of each machine, where one hung in the midst of a look");
    for member in 0..MEMBERS {
        assert!(!province.log(member).contains("panicked"), "{}", province.log(member));
    }
}
