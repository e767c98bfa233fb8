//! People are told over every kind of channel by the real programs and real HTTP, take incidents on by answering, and
//! are reached another way when a channel fails.

use crate::support::{Server, camhealth, clock_of, eventually, fixture, free_address, program, require};
use axum::{
    Router,
    body::Bytes,
    extract::{Path as Part, State},
    http::{HeaderMap, StatusCode, Uri},
    response::IntoResponse,
    routing::{any, post},
};
use camhealth::sim::{Fault, SimCamera, Spec};
use serde_json::{Value, json};
use std::{
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

/// One request that a receiver took.
#[derive(Debug, Clone)]
pub struct Taken {
    pub path: String,
    pub headers: HeaderMap,
    pub body: Value,
    pub text: String,
}

/// Everybody's receiver: webhooks, ntfy, an SMS gateway, and the bot APIs of Zalo and Telegram.
#[derive(Clone, Default)]
pub struct Receiver {
    taken: Arc<Mutex<Vec<Taken>>>,
    /// What somebody says to the bot next.
    said: Arc<Mutex<Vec<Value>>>,
    /// How the bot's `sendMessage` fails, if it does.
    refusal: Arc<Mutex<Option<(StatusCode, &'static str)>>>,
}

impl Receiver {
    pub async fn start(&self) -> SocketAddr {
        let other = async |State(receiver): State<Receiver>, uri: Uri, headers: HeaderMap, body: Bytes| {
            receiver.note(uri.path(), headers, &body);
            StatusCode::OK
        };
        let bot = async |State(receiver): State<Receiver>,
                         Part((bot, method)): Part<(String, String)>,
                         headers: HeaderMap,
                         body: Bytes| {
            assert!(bot.ends_with("canary"), "the token is part of the path");
            match method.as_str() {
                "sendMessage" => {
                    if let Some((status, wait)) = *receiver.refusal.lock().expect("no panic") {
                        return (status, [("retry-after", wait)], String::new()).into_response();
                    }
                    let number = receiver.note("bot", headers, &body);
                    json!({"ok": true, "result": {"message_id": number}}).to_string().into_response()
                }
                _ => {
                    let said = receiver.said.lock().expect("no panic").pop();
                    if said.is_none() {
                        tokio::time::sleep(Duration::from_millis(200)).await;
                    }
                    let answer = said
                        .map_or(json!({"ok": false, "error_code": 408}), |said| json!({"ok": true, "result": said}));
                    answer.to_string().into_response()
                }
            }
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let router = Router::new().route("/{bot}/{method}", post(bot)).fallback(any(other)).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        address
    }

    pub fn note(&self, path: &str, headers: HeaderMap, body: &[u8]) -> usize {
        let text = String::from_utf8(body.to_vec()).expect("UTF-8");
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        let mut taken = self.taken.lock().expect("no panic");
        taken.push(Taken { path: path.to_owned(), headers, body, text });
        taken.len()
    }

    pub fn at(&self, path: &str) -> Vec<Taken> {
        self.taken.lock().expect("no panic").iter().filter(|taken| taken.path == path).cloned().collect()
    }

    pub async fn wait(&self, path: &str, what: &str) -> Taken {
        eventually(what, async || self.at(path).into_iter().find(|taken| taken.text.contains(what))).await
    }
}

/// A site seen by one camera, and a daemon that watches it.
pub struct World {
    pub folder: tempfile::TempDir,
    pub camera: SimCamera,
    pub page: SocketAddr,
    pub daemon: Option<Child>,
}

impl World {
    pub async fn new(contacts: &str) -> Self {
        let camera = SimCamera::start(Spec::new((Ipv4Addr::LOCALHOST, 0).into())).await.expect("ports");
        let (folder, page) = (tempfile::tempdir().expect("a folder"), free_address());
        let (seen, listen) = (camera.rtsp_url(), page.to_string());
        let text = fixture("telling.toml", &[("page", &listen), ("rtsp", &seen)]) + contacts;
        std::fs::write(folder.path().join("camhealth.toml"), text).expect("it can be written");
        for secret in ["token", "whsec"] {
            let value = if secret == "token" { "canary" } else { "whsec_Y2FuYXJ5LWNhbmFyeS1jYW5hcnktY2FuYXJ5" };
            std::fs::write(folder.path().join(secret), value).expect("it can be written");
        }
        Self { folder, camera, page, daemon: None }
    }

    pub fn config(&self) -> String {
        self.folder.path().join("camhealth.toml").display().to_string()
    }

    pub async fn start(&mut self) {
        let log = std::fs::File::create(self.folder.path().join("log")).expect("a file");
        let mut command = Command::new(program());
        command.args(["run", "--config", &self.config()]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        self.daemon = Some(command.spawn().expect("it starts"));
        self.metric("camhealth_coverage_ratio 1").await;
    }

    pub async fn metric(&self, wanted: &str) {
        eventually(wanted, async || {
            let text = reqwest::get(format!("http://{}/metrics", self.page)).await.ok()?.text().await.ok()?;
            text.lines().any(|line| line == wanted).then_some(())
        })
        .await;
    }

    pub async fn get(&self, path: &str) -> Value {
        let answer = reqwest::get(format!("http://{}{path}", self.page)).await.expect("an answer");
        serde_json::from_str(&answer.text().await.expect("text")).expect("JSON")
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).expect("it is read")
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some(daemon) = &mut self.daemon {
            let _ = daemon.kill();
            let _ = daemon.wait();
        }
    }
}

pub fn channel(id: &str, kind: &str, rest: &str) -> String {
    format!("[[channel]]\nid = \"{id}\"\ntype = \"{kind}\"\n{rest}\n")
}

pub fn person(id: &str, name: &str, channels: &str) -> String {
    format!("[[person]]\nid = \"{id}\"\nname = \"{name}\"\nchannels = [{channels}]\n")
}

/// A webhook that is told of everything.
pub fn hook(here: SocketAddr) -> String {
    channel("hook", "webhook", &format!("url = \"http://{here}/hook\"")) + "[alert]\nchannels = [\"hook\"]\n"
}

/// Trung úy An's Zalo.
fn zalo_an(here: SocketAddr) -> String {
    channel("zalo-an", "zalo", &format!("url = \"http://{here}\"\ntoken_file = \"token\"\nchat = \"z1\""))
}

pub const ROTATION: &str = "[rotation]\npeople = [\"an\"]\nstart = \"2026-11-02\"\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_test_message_arrives_over_every_kind_of_channel() {
    require("/usr/bin/gammu-smsd-inject");
    let receiver = Receiver::default();
    let here = receiver.start().await;
    let venv = concat!(env!("CARGO_MANIFEST_DIR"), "/target/test-venv/bin/python");
    let mut smtp = Server::start(venv, &[concat!(env!("CARGO_MANIFEST_DIR"), "/tests/servers/smtp.py")]);
    let smtp_port = smtp.url.rsplit(':').next().expect("a port").to_owned();
    let spool = tempfile::tempdir().expect("a folder");
    let folder = format!("{}/", spool.path().display());
    let gammu = format!("[gammu]\nport = /dev/null\nconnection = at\n[smsd]\nservice = files\noutboxpath = {folder}\n");
    std::fs::write(spool.path().join("smsdrc"), gammu).expect("it can be written");
    let contacts = [
        channel("zalo", "zalo", &format!("url = \"http://{here}\"\ntoken_file = \"token\"\nchat = \"z1\"")),
        channel("ntfy", "ntfy", &format!("url = \"http://{here}/ntfy\"\ntopic = \"an\"\ntoken_file = \"token\"")),
        channel("modem", "gammu", &format!("phone = \"+84900000001\"\nconfig = \"{folder}smsdrc\"")),
        channel("sms", "sms_http", &format!("url = \"http://{here}/sms\"\nphone = \"+84900000002\"")),
        channel(
            "mail",
            "email",
            &format!(
                "host = \"127.0.0.1\"\nport = {smtp_port}\ntls = \"none\"\nfrom = \"camhealth@xa.lan\"\nto = \"an@xa.lan\""
            ),
        ),
        channel(
            "hook",
            "webhook",
            &format!("url = \"http://{here}/hook\"\nsecret_file = \"whsec\"\nlanguage = \"en\""),
        ),
        channel("telegram", "telegram", &format!("url = \"http://{here}\"\ntoken_file = \"token\"\nchat = \"42\"")),
        person("an", "Trung úy An", "\"zalo\", \"ntfy\", \"modem\", \"sms\", \"mail\", \"hook\", \"telegram\""),
        ROTATION.to_owned(),
    ];
    let world = World::new(&contacts.concat()).await;
    let output = camhealth(&["oncall", "--test", "an", "--config", &world.config()], &[]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(said.matches("took it").count(), 7, "{said}");

    let bots = receiver.at("bot");
    assert_eq!((&bots[0].body["chat_id"], &bots[1].body["chat_id"]), (&json!("z1"), &json!("42")));
    assert!(bots[0].body["text"].as_str().expect("text").starts_with("Tin thử từ camhealth\n"));
    let ntfy = &receiver.at("/ntfy")[0];
    assert_eq!((&ntfy.body["topic"], &ntfy.body["title"]), (&json!("an"), &json!("Tin thử từ camhealth")));
    assert_eq!(ntfy.headers["authorization"], "Bearer canary");
    let sms = &receiver.at("/sms")[0].body;
    assert!(
        sms["to"] == "+84900000002" && sms["text"].as_str().is_some_and(|text| text.is_ascii() && text.len() <= 160)
    );
    let hook = &receiver.at("/hook")[0];
    assert_eq!(hook.body["title"], "A test from camhealth");
    assert!(hook.headers["webhook-signature"].to_str().is_ok_and(|text| text.starts_with("v1,")));
    let mail: Value = serde_json::from_str(&smtp.wait_for("MAIL")).expect("JSON");
    assert_eq!((&mail["subject"], &mail["to"]), (&json!("Tin thử từ camhealth"), &json!("an@xa.lan")));
    assert!(mail["body"].as_str().expect("text").contains("kênh báo tin của bạn hoạt động"));
    let queued = std::fs::read_dir(spool.path()).expect("a folder").filter_map(Result::ok);
    let queued = queued.filter(|file| file.file_name().to_string_lossy().contains("+84900000001")).count();
    assert_eq!(queued, 1, "gammu-smsd has it in its queue");

    let output = camhealth(&["oncall", "--test", "nobody", "--config", &world.config()], &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("known: an"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_officer_answers_ok_and_the_chief_is_left_in_peace() {
    let receiver = Receiver::default();
    let here = receiver.start().await;
    let contacts = [
        zalo_an(here),
        channel("chief", "webhook", &format!("url = \"http://{here}/chief\"")),
        person("an", "Trung úy An", "\"zalo-an\""),
        person("dung", "Đại úy Dũng", "\"chief\""),
        ROTATION.to_owned(),
        "[[escalation]]\nto = [\"oncall\"]\n[[escalation]]\nafter = \"6s\"\nto = [\"dung\"]\n".to_owned(),
        "[alert]\npage = \"http://may-chu.lan:9740/\"\n".to_owned(),
    ];
    let mut world = World::new(&contacts.concat()).await;
    world.start().await;
    let broken = Instant::now();
    world.camera.set_fault(Fault::PortClosed).await.expect("the fault is set");
    let alarm = receiver.wait("bot", "mù hoàn toàn").await;
    assert!(broken.elapsed() < Duration::from_secs(30), "told after {:?}", broken.elapsed());
    assert!(alarm.body["text"].as_str().expect("text").contains("Trả lời \"ok 1\" để nhận."));
    receiver.said.lock().expect("no panic").extend([
        json!({"message": {"chat": {"id": "z1"}, "text": "Ok 1"}}),
        // A stranger cannot take anything on.
        json!({"message": {"chat": {"id": "stranger"}, "text": "ok 1"}}),
    ]);
    receiver.wait("bot", "Đã ghi nhận: Trung úy An nhận sự cố #1.").await;
    let incident = world.get("/api/v1/incidents/1").await;
    assert_eq!(
        (&incident["acknowledged"]["by"], &incident["acknowledged"]["via"]),
        (&json!("Trung úy An"), &json!("zalo-an"))
    );
    // Past the time of the next step, in which the camera comes back.
    world.camera.set_fault(Fault::None).await.expect("the fault is set");
    receiver.wait("bot", "đã quan sát lại được").await;
    assert!(receiver.at("/chief").is_empty(), "{:?}", receiver.at("/chief"));
    assert!(!world.log().contains("canary"));
}

#[tokio::test(flavor = "multi_thread")]
async fn when_a_channel_fails_the_next_one_is_used_and_the_failure_is_told() {
    let receiver = Receiver::default();
    let here = receiver.start().await;
    *receiver.refusal.lock().expect("no panic") = Some((StatusCode::TOO_MANY_REQUESTS, "3600"));
    let contacts = [
        zalo_an(here),
        channel("ntfy-an", "ntfy", &format!("url = \"http://{here}/ntfy\"\ntopic = \"an\"")),
        channel("nha-thau", "webhook", &format!("url = \"http://{here}/contractor\"")),
        person("an", "Trung úy An", "\"zalo-an\", \"ntfy-an\""),
        ROTATION.to_owned(),
        "[alert]\npage = \"http://may-chu.lan:9740/\"\nmaintainers = [\"nha-thau\"]\n".to_owned(),
    ];
    let mut world = World::new(&contacts.concat()).await;
    world.start().await;
    // Three times down and up: each time the first channel wants to be left alone, and the second has it at once.
    for _ in 0..3 {
        let before = receiver.at("/ntfy").len();
        world.camera.set_fault(Fault::PortClosed).await.expect("the fault is set");
        let began = Instant::now();
        eventually("the second channel", async || (receiver.at("/ntfy").len() > before).then_some(())).await;
        assert!(began.elapsed() < Duration::from_secs(30), "after {:?}", began.elapsed());
        world.camera.set_fault(Fault::None).await.expect("the fault is set");
        world.metric("camhealth_coverage_ratio 1").await;
    }
    let told = receiver.wait("/contractor", "zalo-an").await;
    assert_eq!((&told.body["reason"], &told.body["remark"]["channel"]), (&json!("channel_failing"), &json!("zalo-an")));
    let first = &receiver.at("/ntfy")[0].body;
    let ack = &first["actions"][0];
    assert!(ack["url"].as_str().is_some_and(|url| url.starts_with("http://may-chu.lan:9740/ack/1/")), "{first:#}");
    let health = world.get("/api/v1/channels").await;
    assert!(health["zalo-an"]["last_error"].as_str().is_some_and(|error| error.contains("429")), "{health:#}");
    assert!(health["ntfy-an"]["last_success"].is_string());
    assert!(!world.log().contains("canary"));

    // The button's link takes the incident on; its host is not ours here, its path is.
    world.camera.set_fault(Fault::PortClosed).await.expect("the fault is set");
    let open = eventually("an open incident", async || {
        let incidents = world.get("/api/v1/incidents").await;
        incidents.as_array()?.iter().find(|incident| incident["closed"].is_null()).cloned()
    })
    .await;
    let latest = eventually("its message", async || {
        let path = format!("/ack/{}/", open["number"]);
        receiver
            .at("/ntfy")
            .into_iter()
            .find(|taken| taken.body["actions"][0]["url"].as_str().is_some_and(|url| url.contains(&path)))
    })
    .await;
    let path = latest.body["actions"][0]["url"].as_str().expect("a link").trim_start_matches("http://may-chu.lan:9740");
    let answer = reqwest::Client::new().post(format!("http://{}{path}", world.page)).send().await.expect("an answer");
    assert!(answer.status().is_success(), "{}", answer.status());
    let taken = world.get(&format!("/api/v1/incidents/{}", open["number"])).await;
    assert_eq!(taken["acknowledged"]["by"], "Trung úy An");
}

#[tokio::test(flavor = "multi_thread")]
async fn something_is_silenced_and_an_incident_taken_on_from_the_command_line() {
    let receiver = Receiver::default();
    let here = receiver.start().await;
    let heartbeat = format!("[heartbeat]\nurl = \"http://{here}/beat\"\nevery = \"10s\"\n");
    let mut world = World::new(&(hook(here) + &heartbeat)).await;
    world.start().await;
    eventually("a heartbeat", async || receiver.at("/beat").first().cloned()).await;
    let config = world.config();
    let ask = |arguments: &[&str]| {
        let output = camhealth(&[arguments, &["--config", &config]].concat(), &[]);
        let text = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8_lossy(&text).into_owned())
    };
    let (code, said) = ask(&["silence", "--site", "chợ", "--for", "2h", "--by", "An", "--reason", "thay camera"]);
    assert!(code == Some(3) && said.contains("no such site"), "{said}");
    let (code, said) = ask(&["silence", "--site", "cho", "--for", "2h"]);
    assert!(code == Some(2) && said.contains("--by is missing"), "{said}");
    let (code, said) = ask(&["silence", "--site", "cho", "--for", "2h", "--by", "An", "--reason", "thay camera"]);
    assert_eq!(code, Some(0), "{said}");
    let id = said.trim().to_owned();
    world.metric("camhealth_camera_state{camera=\"cam-1\",kind=\"public\",state=\"maintenance\"} 1").await;
    world.camera.set_fault(Fault::PortClosed).await.expect("the fault is set");
    world.metric("camhealth_site_level{level=\"blind\",site=\"cho\"} 1").await;
    let (_, said) = ask(&["silence"]);
    assert!(said.contains("open") && said.contains("site cho") && said.contains("An: thay camera"), "{said}");
    assert!(receiver.at("/hook").is_empty(), "it is silenced");
    let (code, said) = ask(&["silence", "--end", &id]);
    assert_eq!(code, Some(0), "{said}");
    receiver.wait("/hook", "coverage_lost").await;
    let (code, said) = ask(&["ack", "1", "--by", "Trung úy An"]);
    assert!(code == Some(0) && said.contains("incident #1 is taken on"), "{said}");
    receiver.wait("/hook", "acknowledged").await;
    let (code, said) = ask(&["ack", "#1", "--by", "Đại úy Bình"]);
    assert!(code == Some(0) && said.contains("incident #1 is already taken on by Trung úy An"), "{said}");
    let (code, said) = ask(&["ack", "7", "--by", "An"]);
    assert!(code == Some(3) && said.contains("no such incident"), "{said}");
    let (code, said) = ask(&["whatif", "--down", "cam-1"]);
    assert!(code == Some(0) && said.contains("Ngã tư Chợ  blind"), "{said}");
    let (code, said) = ask(&["whatif", "--down", "nothing"]);
    assert!(code == Some(2) && said.contains("no camera or link"), "{said}");
    assert!(Path::new(&config).exists());
}

/// A full disk and a locked file are the same to us: the journal cannot be written.
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_remembered_is_told_as_soon_as_it_can() {
    let receiver = Receiver::default();
    let here = receiver.start().await;
    let mut world = World::new(&hook(here)).await;
    world.start().await;
    let journal = rusqlite::Connection::open(world.folder.path().join("journal.sqlite3")).expect("it opens");
    journal.execute_batch("BEGIN IMMEDIATE").expect("it is ours now");
    world.camera.set_fault(Fault::PortClosed).await.expect("the fault is set");
    // The wall shows what is known, and nothing is told that would be forgotten.
    world.metric("camhealth_site_level{level=\"blind\",site=\"cho\"} 1").await;
    eventually("a failed write", async || world.log().contains("nothing can be remembered").then_some(())).await;
    assert!(receiver.at("/hook").is_empty());
    journal.execute_batch("ROLLBACK").expect("it is theirs again");
    receiver.wait("/hook", "coverage_lost").await;
    world.camera.set_fault(Fault::None).await.expect("the fault is set");
    receiver.wait("/hook", "coverage_restored").await;
    assert_eq!(receiver.at("/hook").len(), 2);
}

/// What is due was planned by the old time: nothing would be looked at for an hour.
#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_set_back_by_an_hour_blinds_nobody() {
    let receiver = Receiver::default();
    let here = receiver.start().await;
    let mut world = World::new(&hook(here)).await;
    let time = world.folder.path().join("time");
    std::fs::write(&time, "+0").expect("it can be written");
    let log = std::fs::File::create(world.folder.path().join("log")).expect("a file");
    let mut command = Command::new(program());
    command.args(["run", "--config", &world.config()]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
    clock_of(&mut command, &time);
    world.daemon = Some(command.spawn().expect("it starts"));
    world.metric("camhealth_coverage_ratio 1").await;
    std::fs::write(&time, "-3600").expect("it can be written");
    eventually("a new start", async || world.log().contains("the clock was set back").then_some(())).await;
    world.camera.set_fault(Fault::PortClosed).await.expect("the fault is set");
    receiver.wait("/hook", "coverage_lost").await;
}
