//! People are told by SMS over the gateways of Vietnam, as their documents say that these answer; what a day may cost is
//! kept over a kill -9; who answers to a real gammu-smsd, whose modem is gammu's own dummy, takes an incident on.

use crate::{
    support::{camhealth, eventually, require},
    telling::{ROTATION, Receiver, World, channel, person},
};
use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, Uri},
    routing::any,
};
use camhealth::sim::Fault;
use serde_json::{Value, json};
use std::{
    collections::VecDeque,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
};

/// Both gateways: what they were sent, and what they answer next.
#[derive(Clone, Default)]
struct Gateway {
    taken: Arc<Mutex<Vec<(String, HeaderMap, Value)>>>,
    answers: Arc<Mutex<VecDeque<Value>>>,
    /// What it was asked of messages that it accepted.
    asked: Arc<Mutex<Vec<String>>>,
}

impl Gateway {
    async fn start(&self) -> SocketAddr {
        let serve = async |State(gateway): State<Self>, uri: Uri, headers: HeaderMap, body: Bytes| {
            let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
            if uri.path().ends_with("GetSendStatus") {
                gateway.asked.lock().expect("no panic").push(uri.to_string());
                return json!({
                    "CodeResponse": "100", "SMSID": "d533459ee42b2b9525ba9eabf6a8156", "SendFailed": 0, "SendStatus": 5,
                    "SendSuccess": 1, "TotalPrice": 850.0, "TotalReceiver": 1, "TotalSent": 1,
                })
                .to_string();
            }
            gateway.taken.lock().expect("no panic").push((uri.to_string(), headers, body));
            let next = gateway.answers.lock().expect("no panic").pop_front();
            // eSMS and SpeedSMS in one: each reads its own words.
            let accepted = json!({
                "CodeResult": "100", "CountRegenerate": 0, "SMSID": "d533459ee42b2b9525ba9eabf6a8156",
                "status": "success", "code": "00",
                "data": {"tranId": 123_456, "totalSMS": 1, "totalPrice": 250, "invalidPhone": []},
            });
            next.unwrap_or(accepted).to_string()
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let router = Router::new().fallback(any(serve)).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        address
    }

    fn answers(&self, answer: Value) {
        self.answers.lock().expect("no panic").push_back(answer);
    }

    fn taken(&self) -> Vec<(String, HeaderMap, Value)> {
        self.taken.lock().expect("no panic").clone()
    }

    async fn count(&self, count: usize) -> Vec<(String, HeaderMap, Value)> {
        eventually(&format!("{count} messages"), async || Some(self.taken()).filter(|taken| taken.len() >= count)).await
    }
}

fn esms(here: SocketAddr, rest: &str) -> String {
    let keys = "token_file = \"token\"\nsecret_file = \"whsec\"\nphone = \"+84900000001\"";
    channel("esms", "esms", &format!("url = \"http://{here}\"\n{keys}\n{rest}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn both_gateways_are_spoken_to_as_they_want_it() {
    let gateway = Gateway::default();
    let here = gateway.start().await;
    let contacts = [
        esms(here, "brandname = \"CA HAI BINH\""),
        channel(
            "speed",
            "speedsms",
            &format!("url = \"http://{here}\"\ntoken_file = \"token\"\nphone = \"0900000002\"\ndiacritics = true"),
        ),
        person("an", "Trung úy An", "\"esms\", \"speed\""),
        ROTATION.to_owned(),
    ];
    let world = World::new(&contacts.concat()).await;
    let test = || camhealth(&["oncall", "--test", "an", "--config", &world.config()], &[]);
    let said = String::from_utf8_lossy(&test().stdout).into_owned();
    assert_eq!(said.matches("took it").count(), 2, "{said}");
    let taken = gateway.taken();
    let [(path, _, body), (other, headers, speed)] = &taken[..] else { panic!("{taken:?}") };
    assert_eq!(path, "/MainService.svc/json/SendMultipleMessage_V4_post_json/");
    assert_eq!((&body["ApiKey"], &body["Phone"]), (&json!("canary"), &json!("0900000001")));
    assert_eq!(
        (&body["SmsType"], &body["Brandname"], &body["IsUnicode"]),
        (&json!("2"), &json!("CA HAI BINH"), &json!("0"))
    );
    assert!(body["Content"].as_str().is_some_and(|text| text.starts_with("Tin thu tu camhealth.")), "{body}");
    assert!(body["SecretKey"].as_str().is_some_and(|key| key.starts_with("whsec_")));
    assert_eq!(other, "/index.php/sms/send");
    // The token as a name, and x as its password.
    assert_eq!(headers["authorization"], "Basic Y2FuYXJ5Ong=");
    assert_eq!((&speed["to"], &speed["sms_type"]), (&json!(["84900000002"]), &json!(2)));
    assert!(speed["content"].as_str().is_some_and(|text| text.starts_with("Tin thử từ camhealth.")), "{speed}");

    // Refusals come under HTTP 200 as well, and their own words are shown nowhere: they may hold anything.
    gateway.answers(json!({"CodeResult": "103", "CountRegenerate": 0, "ErrorMessage": "canary says the balance"}));
    gateway.answers(json!({"status": "error", "code": "300", "message": "canary: your account balance not enough"}));
    let output = test();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!((output.status.code(), said.matches("the account is empty: top it up").count()), (Some(3), 2), "{said}");
    assert!(!said.contains("canary"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_account_is_named_and_the_next_channel_takes_over() {
    let (gateway, receiver) = (Gateway::default(), Receiver::default());
    let (here, other) = (gateway.start().await, receiver.start().await);
    gateway.answers(json!({"CodeResult": "103", "CountRegenerate": 0, "ErrorMessage": "Balance not enough"}));
    let contacts = [
        esms(here, ""),
        channel("ntfy", "ntfy", &format!("url = \"http://{other}/ntfy\"\ntopic = \"an\"")),
        person("an", "Trung úy An", "\"esms\", \"ntfy\""),
        ROTATION.to_owned(),
    ];
    let mut world = World::new(&contacts.concat()).await;
    world.start().await;
    world.camera.set_fault(Fault::PortClosed).await.expect("the fault is set");
    receiver.wait("/ntfy", "mù hoàn toàn").await;
    let health = world.get("/api/v1/channels").await;
    let error = health["esms"]["last_error"].as_str().unwrap_or_default();
    assert!(error.contains("the account is empty: top it up (code 103)"), "{health:#}");
    world.metric("camhealth_sms_parts_total{channel=\"esms\"} 0").await;
    // It was filled up: the next is taken, and what the gateway knows already is not told twice.
    gateway.answers(json!({"CodeResult": "124", "ErrorMessage": "Request exist 1", "SendStatus": "5"}));
    world.camera.set_fault(Fault::None).await.expect("the fault is set");
    gateway.count(2).await;
    world.metric("camhealth_sms_parts_total{channel=\"esms\"} 1").await;
    assert_eq!((gateway.taken().len(), receiver.at("/ntfy").len()), (2, 1));
    assert!(!world.log().contains("canary"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_costs_no_more_than_it_may_whatever_becomes_of_the_daemon() {
    let (gateway, receiver) = (Gateway::default(), Receiver::default());
    let (here, other) = (gateway.start().await, receiver.start().await);
    let contacts = [
        esms(here, "per_day = 3"),
        channel("ntfy", "ntfy", &format!("url = \"http://{other}/ntfy\"\ntopic = \"an\"")),
        channel("keeper", "webhook", &format!("url = \"http://{other}/keeper\"")),
        person("an", "Trung úy An", "\"esms\", \"ntfy\""),
        ROTATION.to_owned(),
        "[alert]\nmaintainers = [\"keeper\"]\n".to_owned(),
    ];
    let mut world = World::new(&contacts.concat()).await;
    world.start().await;
    // The alarm and its end: two of three, of which the last is kept for alarms of blind sites.
    world.camera.set_fault(Fault::PortClosed).await.expect("the fault is set");
    gateway.count(1).await;
    world.camera.set_fault(Fault::None).await.expect("the fault is set");
    gateway.count(2).await;
    world.metric("camhealth_sms_parts_total{channel=\"esms\"} 2").await;
    world.metric("camhealth_sms_parts_per_day{channel=\"esms\"} 3").await;
    world.metric("camhealth_coverage_ratio 1").await;
    // kill -9: what was paid stands in the journal.
    let mut daemon = world.daemon.take().expect("it runs");
    daemon.kill().expect("it is our child");
    daemon.wait().expect("it is our child");
    world.start().await;
    world.camera.set_fault(Fault::PortClosed).await.expect("the fault is set");
    let third = gateway.count(3).await.pop().expect("three").2;
    assert!(third["Content"].as_str().is_some_and(|text| text.contains("mu hoan toan")), "{third}");
    let told = receiver.wait("/keeper", "sms_spending").await;
    assert_eq!(
        (&told.body["remark"]["note"]["parts"], &told.body["remark"]["note"]["per_day"]),
        (&json!(3), &json!(3))
    );
    // Now nothing goes any more: what follows takes the next channel.
    let output = camhealth(&["ack", "2", "--by", "Đại úy Bình", "--config", &world.config()], &[]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    receiver.wait("/ntfy", "Đại úy Bình đã nhận").await;
    assert_eq!(gateway.taken().len(), 3, "three were paid");
    assert_eq!(
        receiver.at("/keeper").iter().filter(|taken| taken.text.contains("sms_spending")).count(),
        1,
        "once a day"
    );
    let health = world.get("/api/v1/channels").await;
    assert!(health["esms"]["last_error"].as_str().is_some_and(|error| error.contains("used up (3 of 3")), "{health:#}");
    // Accepted is not arrived: the gateway is asked, and what it says is in the log. Keys are in no log.
    eventually("word that it arrived", async || world.log().contains("an SMS arrived").then_some(())).await;
    let asked = gateway.asked.lock().expect("no panic").clone();
    assert!(asked.iter().all(|uri| uri.contains("RefId=d533459ee42b2b9525ba9eabf6a8156&ApiKey=canary")), "{asked:?}");
    assert!(!world.log().contains("canary"));
}

/// A gammu-smsd with gammu's own dummy for a modem: what is put into it is received, what is sent lies in a folder.
pub(crate) struct Modem {
    folder: tempfile::TempDir,
    smsd: Child,
    received: u32,
}

impl Modem {
    pub(crate) fn start() -> Self {
        require("/usr/bin/gammu-smsd");
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        for number in 1..=5 {
            fs::create_dir_all(at("dummy/sms").join(number.to_string())).expect("a folder");
        }
        for name in ["inbox", "outbox", "sent", "error"] {
            fs::create_dir(at(name)).expect("a folder");
        }
        let root = folder.path().display();
        let config = format!(
            "[gammu]\nport = {root}/dummy\nconnection = none\nmodel = dummy\n[smsd]\nservice = files\n\
             logfile = {root}/log\ninboxpath = {root}/inbox/\noutboxpath = {root}/outbox/\nsentsmspath = {root}/sent/\n\
             errorsmspath = {root}/error/\nchecksecurity = 0\nreceivefrequency = 1\nloopsleep = 1\ninboxformat = unicode\n"
        );
        fs::write(at("smsdrc"), config).expect("it can be written");
        let mut command = Command::new("/usr/bin/gammu-smsd");
        command.args(["-c", &at("smsdrc").display().to_string()]);
        let smsd = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
        Self { folder, smsd, received: 0 }
    }

    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Somebody sends an SMS to the modem.
    fn receives(&mut self, from: &str, text: &str) {
        self.received += 1;
        let hex: String = text.encode_utf16().map(|unit| format!("{unit:04X}")).collect();
        let now = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%S").to_string();
        let sms = format!(
            "[SMSBackup000]\nNumber = \"{from}\"\nSMSC = \"\"\nState = UnRead\nText00 = {hex}\n\
             Coding = Unicode_No_Compression\nFolder = 1\nLength = {}\nClass = -1\nDateTime = {now}\nReplySMSC = False\n\
             RejectDuplicates = False\nReplaceMessage = 0\nMessageReference = 0\n",
            text.encode_utf16().count()
        );
        // As a whole, or gammu reads half of it.
        let part = self.at("part");
        fs::write(&part, sms).expect("it can be written");
        fs::rename(&part, self.at("dummy/sms/1").join(self.received.to_string())).expect("it is there");
    }

    /// What was sent to a number.
    pub(crate) fn sent(&self, to: &str) -> Vec<String> {
        let mut files = names(&self.at("sent"));
        files.retain(|name| name.contains(to));
        files.iter().map(|name| text_of(&fs::read_to_string(self.at("sent").join(name)).unwrap_or_default())).collect()
    }
}

impl Drop for Modem {
    fn drop(&mut self) {
        let _ = self.smsd.kill();
        let _ = self.smsd.wait();
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// The text of a message as gammu keeps it: hexadecimal UTF-16.
fn text_of(backup: &str) -> String {
    // What was sent is appended to what was queued: the same twice.
    let one = backup.split("[SMSBackup000]").nth(1).unwrap_or_default();
    let lines = one.lines().filter(|line| line.starts_with("Text")).filter_map(|line| line.split_once(" = "));
    let hex: String = lines.map(|(_, hex)| hex.trim()).collect();
    let units: Vec<u16> =
        (0..hex.len() / 4).filter_map(|at| u16::from_str_radix(&hex[4 * at..4 * at + 4], 16).ok()).collect();
    String::from_utf16_lossy(&units)
}

#[tokio::test(flavor = "multi_thread")]
async fn who_answers_by_sms_takes_it_on_once_and_a_stranger_nothing() {
    let mut modem = Modem::start();
    let (inbox, config) = (modem.at("inbox").display().to_string(), modem.at("smsdrc").display().to_string());
    let contacts = [
        channel(
            "sms-an",
            "gammu",
            &format!("phone = \"0900000001\"\nconfig = \"{config}\"\ninbox = \"{inbox}\"\ndiacritics = true"),
        ),
        person("an", "Trung úy An", "\"sms-an\""),
        ROTATION.to_owned(),
    ];
    let mut world = World::new(&contacts.concat()).await;
    world.start().await;
    world.camera.set_fault(Fault::PortClosed).await.expect("the fault is set");
    let alarm = eventually("an alarm", async || modem.sent("0900000001").pop()).await;
    assert!(alarm.starts_with("#1 Ngã tư Chợ: mù hoàn toàn.") && alarm.ends_with("Nhận: ok 1"), "{alarm}");

    // Strangers change nothing and are not answered, whatever they write; nor are people who say something else.
    for (from, text) in [("+84900000666", "ok 1"), ("Viettel", "ok 1"), ("+84900000001", "ok")] {
        modem.receives(from, text);
        let inbox = modem.at("inbox");
        let count = modem.received as usize;
        eventually("it is received", async || (names(&inbox).len() >= count).then_some(())).await;
    }
    modem.receives("+84900000001", "nhận 1");
    let answer = "Đã ghi nhận: Trung úy An nhận sự cố #1.";
    let answers =
        || modem.sent("0900000001").into_iter().filter(|text| text.starts_with("Đã ghi") || text.contains("#7"));
    eventually("an answer", async || (answers().collect::<Vec<_>>() == [answer]).then_some(())).await;
    let incident = world.get("/api/v1/incidents/1").await;
    let acknowledged = &incident["acknowledged"];
    assert_eq!((&acknowledged["by"], &acknowledged["via"]), (&json!("Trung úy An"), &json!("sms-an")));
    let aside = modem.at("inbox/camhealth");
    eventually("it is put aside", async || (names(&aside).len() == 1).then_some(())).await;
    assert_eq!(names(&modem.at("inbox")).iter().filter(|name| name.starts_with("IN")).count(), 3, "others stay");
    assert!(modem.sent("666").is_empty());

    // kill -9: nothing is read again. The answer after it shows that the inbox was.
    let mut daemon = world.daemon.take().expect("it runs");
    daemon.kill().expect("it is our child");
    daemon.wait().expect("it is our child");
    let log = world.log();
    let config = world.config();
    let file = fs::File::create(world.folder.path().join("log")).expect("a file");
    let mut command = Command::new(crate::support::program());
    command.args(["run", "--config", &config]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(file);
    world.daemon = Some(command.spawn().expect("it starts"));
    modem.receives("+84900000001", "OK 7");
    let answers =
        || modem.sent("0900000001").into_iter().filter(|text| text.starts_with("Đã ghi") || text.contains("#7"));
    let both = eventually("another", async || Some(answers().collect::<Vec<_>>()).filter(|all| all.len() >= 2)).await;
    assert_eq!(both, [answer, "Không có sự cố #7 đang mở."]);
    world.metric("camhealth_sms_parts_total{channel=\"sms-an\"} 1").await;
    assert!(!log.contains("0900000001") && !log.contains("900000666"), "numbers are in no log: {log}");
}
