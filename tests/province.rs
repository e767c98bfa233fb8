//! Several machines share a province: real processes over a real PostgreSQL, killed, stopped, cut off and asked to hand over.

use crate::{
    daemon::Daemon,
    dashboards,
    encrypted_pages::issue,
    postgres::Way,
    support::{
        Prometheus, VictoriaMetrics, camhealth, eventually, eventually_within, fixture, free_address, has_data,
        postgres::Postgres, program, require,
    },
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
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

type Told = Arc<Mutex<Vec<(String, Value)>>>;

struct Province {
    members: usize,
    communes: usize,
    folder: tempfile::TempDir,
    postgres: Postgres,
    ways: Vec<Way>,
    cameras: Vec<SimCamera>,
    ports: Vec<u16>,
    pages: Vec<SocketAddr>,
    told: Told,
}

fn address(member: usize) -> Ipv4Addr {
    Ipv4Addr::new(127, 0, 1, u8::try_from(member).expect("few") + 1)
}

fn id(commune: usize) -> String {
    format!("xa_{commune}")
}

impl Province {
    async fn new(members: usize, communes: usize) -> Self {
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
        for _ in 0..members {
            ways.push(Way::to(postgres.port).await);
        }
        for _ in 0..communes {
            cameras.push(SimCamera::start(Spec::new((Ipv4Addr::LOCALHOST, 0).into())).await.expect("ports"));
        }
        let ports = (0..communes).map(|_| free_address().port()).collect();
        let pages = (0..members).map(|_| free_address()).collect();
        let folder = tempfile::tempdir().expect("a folder");
        let province = Self { members, communes, folder, postgres, ways, cameras, ports, pages, told };
        (0..members).for_each(|member| province.configure(member, hook));
        province
    }

    fn path(&self, member: usize, file: &str) -> PathBuf {
        self.folder.path().join(format!("may-{member}")).join(file)
    }

    fn configure(&self, member: usize, hook: SocketAddr) {
        fs::create_dir_all(self.path(member, "communes")).expect("a disk");
        let at = format!("127.0.0.1:{}", self.postgres.port);
        let url = self.postgres.url().replace(&at, &self.ways[member].address.to_string());
        for commune in 0..self.communes {
            let (id, page, name) = (id(commune), self.at(commune, member).to_string(), format!("Xã số {commune}"));
            let (rtsp, hook) = (self.cameras[commune].rtsp_url(), hook.to_string());
            let values = [
                ("id", id.as_str()),
                ("name", &name),
                ("page", &page),
                ("url", &url),
                ("rtsp", &rtsp),
                ("hook", &hook),
            ];
            let text = fixture("province_commune.toml", &values);
            fs::write(self.path(member, &format!("communes/{id}.toml")), text).expect("a disk");
        }
        let text = format!(
            "[province]\nname = \"Tỉnh Thử\"\nmember = \"may-{member}\"\nurl = \"{url}\"\naddress = \"{}\"\n\
             listen = \"{}\"\ncommunes = [\"communes/*.toml\"]\n",
            address(member),
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
        command.env("RUNTIME_DIRECTORY", self.folder.path().join(format!("may-{member}")));
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

    /// Where a commune's pages are, asked at a member.
    fn at(&self, commune: usize, member: usize) -> SocketAddr {
        (address(member), self.ports[commune]).into()
    }

    /// Whether a commune is watched by a member, as it says itself at that member's address.
    async fn is_watched_by(&self, commune: usize, member: usize) -> bool {
        reqwest::get(format!("http://{}/-/ready", self.at(commune, member)))
            .await
            .is_ok_and(|answer| answer.status() == 200)
    }

    /// Waits until each of these communes is watched by one of these members; how long the last of them took.
    async fn watched(&self, communes: &[usize], by: &[usize]) -> Duration {
        let began = Instant::now();
        for commune in communes {
            let what = format!("commune {commune} is watched by one of {by:?}");
            let at = |place: &SocketAddr| by.iter().any(|member| place.ip() == address(*member));
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
        let is_own = |commune: &usize| places.get(&id(*commune)).is_some_and(|place| place.ip() == address(member));
        (0..self.communes).filter(is_own).collect()
    }

    fn told(&self, commune: usize, reason: &str) -> usize {
        let told = self.told.lock().expect("no panic");
        told.iter().filter(|(of, body)| *of == id(commune) && body["reason"] == reason).count()
    }

    async fn is_told(&self, reason: &str) {
        for commune in 0..self.communes {
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
            // While its port is closed somebody else's connection may leave from it for a moment.
            eventually("the fault is set", async || camera.set_fault(fault).await.ok()).await;
        }
    }

    fn log(&self, member: usize) -> String {
        fs::read_to_string(self.path(member, "log")).unwrap_or_default()
    }
}

impl Drop for Province {
    fn drop(&mut self) {
        if std::thread::panicking() {
            (0..self.members).for_each(|member| println!("--- may-{member}\n{}", self.log(member)));
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

const MEMBERS: usize = 3;
const COMMUNES: usize = 6;

/// Each machine in turn dies, hangs, is cut off from the server, loses its member alone and hands over, while cameras are broken:
/// others go on with all that it had, nothing is told twice, and one address finds each commune all the while.
#[tokio::test(flavor = "multi_thread")]
async fn machines_take_over_from_each_other() {
    let rounds: usize = std::env::var("CAMHEALTH_TAKEOVERS").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    let province = Province::new(MEMBERS, COMMUNES).await;
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

/// A commune with an agent goes to and fro between two machines: its cameras are looked at as often as ever, and the agent, which
/// knows one address, is never lost.
#[tokio::test(flavor = "multi_thread")]
async fn a_planned_move_loses_no_look_and_no_agent() {
    let province = Province::new(2, 1).await;
    let home = SimCamera::start(Spec::new((Ipv4Addr::LOCALHOST, 0).into())).await.expect("ports");
    issue(province.folder.path(), "page");
    for member in 0..2 {
        ["page.crt", "page.key"].into_iter().for_each(|file| {
            fs::copy(province.folder.path().join(file), province.path(member, &format!("communes/{file}")))
                .expect("a disk");
        });
        let path = province.path(member, "communes/xa_0.toml");
        let text = fs::read_to_string(&path).expect("it was written");
        let text = text.replace("sign_in = false", "sign_in = false\ncertificate = \"page.crt\"\nkey = \"page.key\"");
        let agent = format!(
            "[[link]]\nid = \"hem\"\nname = \"Hộp hẻm 7\"\nkind = \"agent\"\n\
             [[camera]]\nid = \"nha\"\nname = \"Nhà bà Hoa\"\nkind = \"public\"\nlink = \"hem\"\nrtsp = \"{}\"\n",
            home.rtsp_url()
        );
        fs::write(path, format!("{text}\n{agent}")).expect("a disk");
    }
    let http = reqwest::Client::builder().tls_danger_accept_invalid_certs(true).build().expect("a client");
    let is_up = async |member: usize, camera: &str| {
        let url = format!("https://{}/api/v1/cameras/{camera}", province.at(0, member));
        let text = http.get(url).send().await.ok()?.text().await.ok()?;
        (serde_json::from_str::<Value>(&text).ok()?["state"] == "up").then_some(())
    };
    let _machines = [province.start(0), province.start(1)];
    for member in 0..2 {
        eventually("the commune's own camera, by way of each machine", async || is_up(member, "cam").await).await;
    }

    // It joins by the machine that does not watch its commune, and knows no other address.
    let watches = usize::from(province.held_by(1, 0).await == [0]);
    let other = 1 - watches;
    let config = province.path(other, "communes/xa_0.toml");
    let code = camhealth(&["agents", "add", "hem", "--config", config.to_str().expect("letters")], &[]);
    assert!(code.status.success(), "{code:?}");
    let (code, folder) =
        (String::from_utf8_lossy(&code.stdout).trim().to_owned(), province.folder.path().join("agent"));
    let folder = folder.to_str().expect("letters");
    let joined = camhealth(&["agent", "join", &code, "--folder", folder], &[]);
    assert!(joined.status.success(), "{joined:?}");
    let log = fs::File::create(province.folder.path().join("agent.log")).expect("a file");
    let mut agent = Command::new(program());
    agent.args(["agent", "run", "--folder", folder]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
    let _agent = Daemon::of(agent.spawn().expect("it starts"));
    eventually("the agent's camera", async || is_up(other, "nha").await).await;

    let mut longest = [Duration::ZERO; 2];
    for round in 0..4 {
        let to = if round % 2 == 0 { other } else { watches };
        let moved = province.command(to, &["move", &id(0), "--to", &format!("may-{to}")]);
        assert!(moved.status.success(), "{moved:?}");
        let looks = || [&province.cameras[0], &home].map(|camera| camera.stats().connections);
        let (mut seen, mut since, mut arrived) = (looks(), [Instant::now(); 2], None::<Instant>);
        let deadline = Instant::now() + Duration::from_secs(60);
        // Watched for a while after it has arrived, too.
        while arrived.is_none_or(|arrived| arrived.elapsed() < Duration::from_secs(5)) {
            assert!(Instant::now() < deadline, "it never arrived: {}", province.log(to));
            tokio::time::sleep(Duration::from_millis(20)).await;
            let now = looks();
            for camera in 0..2 {
                longest[camera] = longest[camera].max(since[camera].elapsed());
                if now[camera] != seen[camera] {
                    (seen[camera], since[camera]) = (now[camera], Instant::now());
                }
            }
            if arrived.is_none() && province.held_by(to, to).await == [0] && is_up(to, "cam").await.is_some() {
                arrived = Some(Instant::now());
            }
        }
    }
    let [own, agents] = longest.map(|longest| longest.as_secs_f64());
    println!("looks each second: at most {own:.1} s between two over four moves, {agents:.1} s behind the agent");
    // First looks after a start are spread over as long as an interval, here of five seconds.
    assert!(own < 12.0 && agents < 12.0, "{own} {agents}");
    let changes = "SELECT camera, to_state FROM xa_0.transition ORDER BY id";
    assert_eq!(province.postgres.ask(changes).expect("it answers"), ["cam|up", "nha|up"], "nothing else happened");
    let sessions = province.cameras[0].stats().max_open_sessions;
    assert_eq!(sessions, 1, "one watches at a time");
}

/// A modem is a machine's. The commune that has one there goes there by itself; while it is elsewhere, the next channel is used at once.
#[tokio::test(flavor = "multi_thread")]
async fn a_channel_hangs_on_a_machine() {
    let province = Province::new(2, 2).await;
    for member in 0..2 {
        let path = province.path(member, "communes/xa_0.toml");
        let text = fs::read_to_string(&path).expect("it was written");
        let hook = text.lines().find(|line| line.starts_with("url = \"http")).expect("the webhook's").to_owned();
        // The modem is played by a webhook of another path.
        let modem = hook.replace("/xa_0\"", "/modem\"");
        let more = format!(
            "[[channel]]\nid = \"modem\"\ntype = \"webhook\"\nmachine = \"may-1\"\n{modem}\n\
             [[person]]\nid = \"an\"\nname = \"An\"\nchannels = [\"modem\", \"hook\"]\n\
             [rotation]\npeople = [\"an\"]\nstart = \"2026-11-02\"\nhandover = \"07:00\"\ndays = 7\n\
             [[escalation]]\nafter = \"0s\"\nto = [\"an\"]\n"
        );
        fs::write(&path, text.replace("channels = [\"hook\"]\n\n", "\n") + &more).expect("a disk");
    }
    let (code, text) = (province.command(0, &["check"]).status.code(), province.command(0, &["check"]).stderr);
    assert_eq!(code, Some(0), "{}", String::from_utf8_lossy(&text));
    // While the machine with the modem is not there, the other one watches, and tells by the next channel.
    let _first = province.start(0);
    province.watched(&[0, 1], &[0]).await;
    province.cameras[0].set_fault(Fault::PortClosed).await.expect("the fault is set");
    eventually("the next channel", async || (province.told(0, "coverage_lost") == 1).then_some(())).await;
    let by_modem = |reason: &str| {
        let told = province.told.lock().expect("no panic");
        told.iter().filter(|(of, body)| of == "modem" && body["reason"] == reason).count()
    };
    assert_eq!(by_modem("coverage_lost"), 0);
    let _second = province.start(1);
    province.watched(&[0], &[1]).await;
    eventually("no fault", async || province.cameras[0].set_fault(Fault::None).await.ok()).await;
    eventually("the modem", async || (by_modem("coverage_restored") == 1).then_some(())).await;
    let status = province.command(0, &["status"]).stdout;
    assert!(String::from_utf8_lossy(&status).contains("kênh nhắn ở may-1"), "{}", String::from_utf8_lossy(&status));
}

/// What dies is started again where it was; what hangs is killed first. Commands say what is wrong.
#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_dies_or_hangs_is_started_again_and_mistakes_are_told() {
    let province = Province::new(2, 1).await;
    let told = |output: Output| {
        let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
        (output.status.code(), text)
    };
    let (code, text) = told(province.command(0, &["status"]));
    assert!(code == Some(0) && text.contains("Tỉnh Thử"), "there is no roll yet: {text}");
    let machine = province.start(0);
    province.watched(&[0], &[0]).await;
    for (number, (how, limit)) in [(Signal::KILL, 10), (Signal::STOP, 30)].into_iter().enumerate() {
        // It has begun, and says so: one that hangs in the midst of a start is given longer.
        eventually("first looks", async || {
            (province.log(0).matches("probe workers are confined").count() > number).then_some(())
        })
        .await;
        let daemon = family(machine.id())[1];
        signal(&[daemon], how);
        let began = Instant::now();
        eventually("another process", async || {
            let now = family(machine.id()).get(1).copied()?;
            (now != daemon && province.is_watched_by(0, 0).await).then_some(())
        })
        .await;
        println!("{how:?}: watched again after {:.1} s", began.elapsed().as_secs_f64());
        assert!(began.elapsed() < Duration::from_secs(limit), "{how:?}");
    }

    // A second machine by the first one's name is told so, changes nothing, and goes on by its own.
    let path = province.path(1, "province.toml");
    let text = fs::read_to_string(&path).expect("it was written");
    fs::write(&path, text.replace("may-1", "may-0")).expect("a disk");
    let twin = province.start(1);
    eventually("that the name is taken", async || {
        province.log(1).contains("another machine is in the roll as \"may-0\"").then_some(())
    })
    .await;
    assert_eq!(reqwest::get(format!("http://{}/-/healthy", province.pages[1])).await.expect("an answer").status(), 503);
    drop(twin);
    assert_eq!(province.held_by(0, 0).await, [0]);
    fs::write(&path, text).expect("a disk");

    for (arguments, wanted) in [
        (&["move", "xa_9"][..], "there is no commune \"xa_9\""),
        (&["move", "xa_0", "--to", "may-9"], "there is no machine \"may-9\" in the roll: name one of may-0"),
    ] {
        let (code, text) = told(province.command(0, arguments));
        assert!(code == Some(2) && text.contains(wanted), "{text}");
    }
    // One commune whose file is broken harms no other, and is named.
    fs::write(province.path(1, "communes/hong.toml"), "[commune]\nnam = 1\n").expect("a disk");
    let (code, text) = told(province.command(1, &["check"]));
    assert!(code == Some(2) && text.contains("hong.toml") && text.contains("1  communes"), "{text}");
    province.postgres.ask("UPDATE camhealth_province.roll SET format = 9").expect("it is so");
    let (code, text) = told(province.command(0, &["move", "xa_0"]));
    assert!(code == Some(3) && text.contains("upgrade this machine"), "{text}");
    province.postgres.ask("UPDATE camhealth_province.roll SET format = 1").expect("it is so");
    province.postgres.stop();
    let (code, text) = told(province.command(0, &["status"]));
    assert!(code == Some(3) && text.contains("see that PostgreSQL runs there"), "{text}");
    // While it is away nobody watches, and the member says why; when it is back all goes on.
    eventually("that it is told", async || {
        let answer = reqwest::get(format!("http://{}/-/healthy", province.pages[0])).await.ok()?;
        (answer.status() == 503).then_some(())
    })
    .await;
    province.postgres.start_again();
    province.watched(&[0], &[0]).await;
    let metrics = reqwest::get(format!("http://{}/metrics", province.pages[0])).await.expect("an answer");
    let metrics = metrics.text().await.expect("text");
    for line in [
        "camhealth_province_communes 1",
        "camhealth_province_communes_unheld 0",
        "camhealth_province_member_cameras{member=\"may-0\"} 1",
        "camhealth_province_roll_fresh 1",
    ] {
        assert!(metrics.lines().any(|known| known == line), "{line}: {metrics}");
    }
}

/// Prometheus finds the communes by the machines' own list, and each query of the province's board has an answer, from Prometheus and
/// from a store of another make.
#[tokio::test(flavor = "multi_thread")]
async fn every_query_of_the_provinces_board_returns_data() {
    let province = Province::new(2, 2).await;
    let _machines = [province.start(0), province.start(1)];
    province.watched(&[0, 1], &[0, 1]).await;
    let file = |name: &str| {
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("config").join(name)).expect("a file")
    };
    let (victoria, config) = (VictoriaMetrics::start(), file("province/prometheus.yml"));
    // The example with other addresses, and quicker than a province needs it.
    let [first, second] = [0, 1].map(|member| province.pages[member].to_string());
    let config =
        config.replace("10.0.0.1:9739", &first).replace("10.0.0.2:9739", &second).replace("10.0.0.3:9739", &second);
    let config = config.replace("10.0.0.4:8428", &victoria.address.to_string()).replace("../prometheus/", "");
    let config = config.replace("interval: 15s", "interval: 1s").replace("interval: 30s", "interval: 1s");
    let quick = |text: String| text.replace("interval: 30s", "interval: 1s").replace("interval: 1m", "interval: 1s");
    let prometheus = Prometheus::start(&[
        ("prometheus.yml", &config),
        ("camhealth.rules.yml", &quick(file("prometheus/camhealth.rules.yml"))),
        ("province.rules.yml", &quick(file("province/province.rules.yml"))),
    ]);
    let folder = dashboards::written();
    let boards = dashboards::boards(folder.path());
    let (_, board) = boards.iter().find(|(path, _)| path.ends_with("vi/province.json")).expect("it is there");
    let queries = dashboards::panel_queries(board);
    assert!(queries.len() >= 11, "{queries:?}");
    for (title, query) in queries {
        for store in [prometheus.address, victoria.address] {
            eventually(&format!("{store}: {title}: {query}"), async || has_data(store, &query).await?.then_some(()))
                .await;
        }
    }
    // A commune's series go on by the same name when it moves.
    let series = async || prometheus.value("count(count_over_time(camhealth_coverage_ratio[2m]))").await;
    assert_eq!(series().await, Some(2.0));
    let from = usize::from(province.held_by(1, 0).await.contains(&0));
    assert!(province.command(0, &["move", "xa_0", "--to", &format!("may-{}", 1 - from)]).status.success());
    province.watched(&[0], &[1 - from]).await;
    let place = format!(
        "up{{commune=\"xa_0\"}} and on () count(camhealth_province_commune_info{{commune=\"xa_0\",holder=\"may-{}\"}}) > 0",
        1 - from
    );
    eventually("a scrape where it went", async || (prometheus.value(&place).await == Some(1.0)).then_some(())).await;
    assert_eq!(series().await, Some(2.0));

    // What the province asks for: an inventory with states, and the month's uptime, of all communes.
    let said = |arguments: &[&str]| {
        let output = province.command(0, arguments);
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    let listed: Vec<Value> = serde_json::from_str(&said(&["inventory", "--format", "json"])).expect("JSON");
    let of = |row: &Value| (row["commune"].clone(), row["camera"].clone(), row["state"].clone(), row["sites"].clone());
    let wanted = |id: &str| (id.into(), "cam".into(), "up".into(), "Chợ".into());
    assert_eq!(listed.iter().map(of).collect::<Vec<_>>(), [wanted("xa_0"), wanted("xa_1")]);
    let table = said(&["inventory"]);
    assert!(table.starts_with("\u{feff}commune,commune_name,camera,name,kind,state,since,"), "{table}");
    assert!(table.contains("xa_1,Xã số 1,cam,Camera 1,public,up,"), "{table}");
    let month = jiff::Timestamp::now().to_string()[..7].to_owned();
    let summary = said(&["report", "--month", &month]);
    assert!(summary.contains("Xã số 0") && summary.contains("NHÀ THẦU"), "{summary}");
    let table = said(&["report", "--month", &month, "--format", "csv"]);
    let lines = |id: &str| table.lines().filter(|line| line.starts_with(&format!("{id},Xã số "))).count();
    assert!(lines("xa_0") > 3 && lines("xa_0") == lines("xa_1"), "{table}");
    assert!(table.lines().next().is_some_and(|head| head.contains("commune,commune_name,month,section")), "{table}");
}

/// The example of `config/province`, as whoever tries it has it: in a network of its own, so that it finds its ports free.
#[test]
fn the_example_brings_a_province_up_and_moves_a_commune() {
    require("/usr/bin/victoria-metrics");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/config/province/loopback");
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = Command::new("unshare");
    command.args(["--net", "sh", "-c", "ip link set lo up && exec \"$0\" --once", script]).stdin(Stdio::null());
    command.env("CAMHEALTH", program()).env("TMPDIR", folder.path());
    // The server's user looks into it, too.
    fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("it is ours");
    let output = command.output().expect("it runs");
    let told = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert!(output.status.success(), "{told}");
    for wanted in ["All communes are watched", "Others watch its communes after", "Xã Diễn Châu", "mất liên lạc"]
    {
        assert!(told.contains(wanted), "{wanted}: {told}");
    }
    let left = fs::read_dir(folder.path()).expect("it is there").count();
    assert_eq!(left, 0, "nothing is left behind");
}

#[test]
fn the_examples_files_are_good() {
    let config = concat!(env!("CARGO_MANIFEST_DIR"), "/config/province/province.toml");
    let output = camhealth(&["province", "check", "--config", config], &[]);
    let told = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert!(output.status.success() && told.contains("3  communes") && told.contains("9  cameras"), "{told}");
}
