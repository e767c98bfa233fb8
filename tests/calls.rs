//! Telephones ring for a blind site: SIPp is the telephones and the exchange, baresip a telephone behind a real registrar
//! (kamailio). What somebody presses, what becomes of it, and what each way of not being reached leads to.

use crate::{
    support::{Process, camhealth, eventually, fixture, free_address, require, run},
    telling::{ROTATION, Receiver, World, channel, hook, person},
};
use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, Uri},
    routing::{get, post},
};
use camhealth::sim::{Fault, SimCamera, Spec};
use serde_json::{Value, json};
use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    process::{Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU16, Ordering},
    },
    time::{Duration, Instant},
};

/// Takes the incident on, told as most exchanges tell keys (RFC 4733); SIPp needs root for it, else it tells them by INFO.
fn press(key: char) -> String {
    let recorded = format!("/usr/share/sip-tester/dtmf_2833_{key}.pcap");
    match rustix::process::geteuid().is_root() {
        true => format!("<nop><action><exec play_pcap_audio=\"{recorded}\"/></action></nop>"),
        false => inform(key),
    }
}

/// The same by a request of SIP.
fn inform(key: char) -> String {
    fixture("sip/info.xml", &[("key", &key.to_string())])
}

/// Telephones of which each does the same: SIPp.
pub struct Phones {
    at: SocketAddr,
    folder: tempfile::TempDir,
    _process: Process,
}

impl Phones {
    fn start(scenario: &str, transport: &str) -> Self {
        require("/usr/bin/sipp");
        let (at, folder) = (free_address(), tempfile::tempdir().expect("a folder"));
        std::fs::write(folder.path().join("scenario.xml"), scenario).expect("it is written");
        let (ip, port) = (at.ip().to_string(), at.port().to_string());
        let mut command = Command::new("/usr/bin/sipp");
        command.args(["-sf", "scenario.xml", "-i", &ip, "-p", &port, "-t", transport, "-aa", "-nostdin", "-trace_msg"]);
        command.args(["-message_file", "messages", "-mp", &media_port().to_string()]);
        command.current_dir(folder.path()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Self { at, _process: Process::start(&mut command), folder }
    }

    fn answering(early: &str, then: &str) -> Self {
        Self::start(&fixture("sip/answer.xml", &[("early", early), ("then", then)]), "u1")
    }

    /// Answered at once by somebody who presses 1.
    pub fn brief() -> Self {
        Self::start(&fixture("sip/brief.xml", &[]), "u1")
    }

    fn refusing(status: &str) -> Self {
        Self::start(&fixture("sip/refuse.xml", &[("status", status)]), "u1")
    }

    fn messages(&self) -> String {
        let bytes = std::fs::read(self.folder.path().join("messages")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// How many different calls there were; a request that is sent again is the same call.
    pub fn calls(&self) -> usize {
        let messages = self.messages();
        let blocks = messages.split("-----------------------------------------------");
        let invites = blocks.filter(|block| block.lines().any(|line| line.starts_with("INVITE ")));
        let ids = invites.filter_map(|block| block.lines().find(|line| line.starts_with("Call-ID:")));
        ids.collect::<std::collections::BTreeSet<_>>().len()
    }

    async fn wait(&self, what: &str) {
        eventually(what, async || self.messages().lines().any(|line| line.starts_with(what)).then_some(())).await;
    }

    /// An exchange and a telephone behind it.
    pub fn trunk(&self, id: &str, rest: &str) -> String {
        let (host, port) = (self.at.ip(), self.at.port());
        format!("[[trunk]]\nid = \"{id}\"\nhost = \"{host}\"\nport = {port}\nfrom = \"02383860000\"\n{rest}\n")
            + &channel(
                &format!("goi-{id}"),
                "sip",
                &format!("trunk = \"{id}\"\nphone = \"0900000001\"\nring = \"10s\""),
            )
    }
}

/// Ports of SIPp's sound: it takes four from here on, and ends where one is taken.
fn media_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    12_000 + 8 * ((std::process::id() % 500) as u16 + NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Somebody whose telephone hangs at a trunk of the same name.
pub fn called(id: &str, name: &str) -> String {
    person(id, name, "\"hook\"") + &format!("calls = [\"goi-{id}\"]\n")
}

fn escalation(after: &str) -> String {
    format!("[[escalation]]\nto = [\"oncall\"]\n[[escalation]]\nafter = \"{after}\"\nto = [\"dung\"]\n")
}

async fn acknowledged(world: &World) -> serde_json::Value {
    eventually("somebody takes it on", async || {
        let incident = world.get("/api/v1/incidents/1").await;
        incident["acknowledged"].is_object().then(|| incident["acknowledged"].clone())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn key_one_takes_the_incident_on_and_everything_stops() {
    let receiver = Receiver::default();
    let here = receiver.start().await;
    let an = Phones::answering("180 Ringing", &press('1'));
    let dung = Phones::start(&fixture("sip/ring.xml", &[]), "u1");
    // The chief's telephone rings as soon as An's does, and stops when An presses the key.
    let contacts = [
        hook(here),
        an.trunk("an", ""),
        dung.trunk("dung", ""),
        called("an", "Trung úy An"),
        called("dung", "Đại úy Dũng"),
        ROTATION.to_owned(),
        "[[escalation]]\nto = [\"oncall\", \"dung\"]\n".to_owned(),
    ];
    let mut world = World::new(&contacts.concat()).await;
    world.start().await;
    world.camera.set_fault(Fault::PortClosed).await.expect("the fault is set");
    receiver.wait("/hook", "coverage_lost").await;
    let decided = Instant::now();
    an.wait("INVITE ").await;
    println!("from decision to INVITE: {} ms", decided.elapsed().as_millis());
    let ack = acknowledged(&world).await;
    let taken = Instant::now();
    assert_eq!((&ack["by"], &ack["via"]), (&json!("Trung úy An"), &json!("goi-an")));
    dung.wait("CANCEL ").await;
    assert!(taken.elapsed() < Duration::from_secs(2), "it rang on for {:?}", taken.elapsed());
    an.wait("BYE ").await;
    receiver.wait("/hook", "acknowledged").await;
    // Its end rings nobody.
    world.camera.set_fault(Fault::None).await.expect("the fault is set");
    receiver.wait("/hook", "coverage_restored").await;
    assert_eq!((an.calls(), dung.calls()), (1, 1));
    assert!(!world.log().contains("0900000001"), "numbers are no affair of the log's: {}", world.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn key_two_passes_it_on_at_once() {
    let receiver = Receiver::default();
    let here = receiver.start().await;
    let (an, dung) =
        (Phones::answering("183 Session Progress", &inform('2')), Phones::answering("180 Ringing", &inform('1')));
    let contacts = [
        hook(here),
        an.trunk("an", ""),
        dung.trunk("dung", ""),
        called("an", "Trung úy An"),
        called("dung", "Đại úy Dũng"),
        ROTATION.to_owned(),
        escalation("30m"),
    ];
    let mut world = World::new(&contacts.concat()).await;
    world.start().await;
    world.camera.set_fault(Fault::PortClosed).await.expect("the fault is set");
    assert_eq!(acknowledged(&world).await["by"], json!("Đại úy Dũng"));
    an.wait("BYE ").await;
    dung.wait("BYE ").await;
    assert_eq!((an.calls(), dung.calls()), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_busy_leads_to_the_next_step_and_a_call_is_taken_back() {
    let receiver = Receiver::default();
    let here = receiver.start().await;
    let (an, dung) = (Phones::refusing("486 Busy Here"), Phones::start(&fixture("sip/ring.xml", &[]), "u1"));
    let contacts = [
        hook(here),
        an.trunk("an", ""),
        dung.trunk("dung", ""),
        called("an", "Trung úy An"),
        called("dung", "Đại úy Dũng"),
        ROTATION.to_owned(),
        escalation("30m"),
    ];
    let mut world = World::new(&contacts.concat()).await;
    world.start().await;
    world.camera.set_fault(Fault::PortClosed).await.expect("the fault is set");
    dung.wait("INVITE ").await;
    let health = world.get("/api/v1/channels").await;
    assert_eq!(health["goi-an"]["last_error"], json!("busy"));
    // Somebody sees it on the wall meanwhile.
    let taken = camhealth(&["ack", "1", "--by", "Bình", "--url", &format!("http://{}", world.page)], &[]);
    assert!(taken.status.success(), "{}", String::from_utf8_lossy(&taken.stderr));
    dung.wait("CANCEL ").await;
    assert_eq!(dung.calls(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_way_of_not_being_reached_is_told_from_the_others() {
    let login = |password: &str| {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("sip"), password).expect("it is written");
        let rest = format!("username = \"camhealth\"\npassword_file = \"{}\"", folder.path().join("sip").display());
        (folder, rest)
    };
    let (_good, known) = login("canary-sip");
    let (_bad, unknown) = login("canary-wrong");
    let asks = || Phones::start(&fixture("sip/login.xml", &[]), "u1");
    let cases = [
        (Phones::refusing("486 Busy Here"), String::new(), "busy"),
        (Phones::refusing("603 Decline"), String::new(), "the call was declined"),
        (Phones::refusing("480 Temporarily Unavailable"), String::new(), "switched off or out of reach"),
        (Phones::refusing("404 Not Found"), String::new(), "there is no such number"),
        (Phones::refusing("503 Service Unavailable"), String::new(), "the exchange cannot put the call through"),
        (Phones::start(&fixture("sip/ring.xml", &[]), "u1"), String::new(), "no answer"),
        (asks(), known.clone(), "busy"),
        (asks(), unknown, "the exchange refuses our login"),
        (asks(), String::new(), "the exchange refuses our login"),
        (
            Phones::start(&fixture("sip/refuse.xml", &[("status", "486 Busy Here")]), "t1"),
            "transport = \"tcp\"".into(),
            "busy",
        ),
    ];
    let mut worlds = Vec::new();
    for (phones, rest, said) in &cases {
        let contacts = hook("127.0.0.1:9".parse().expect("an address")) + &phones.trunk("an", rest);
        worlds.push((World::new(&(contacts + &called("an", "An") + ROTATION)).await, *said));
    }
    // An exchange that is not there, over both.
    for transport in ["udp", "tcp"] {
        let nowhere = free_address();
        let trunk = format!(
            "[[trunk]]\nid = \"an\"\nhost = \"127.0.0.1\"\nport = {}\nfrom = \"1\"\ntransport = \"{transport}\"\n",
            nowhere.port()
        );
        let phone = channel("goi-an", "sip", "phone = \"0900000001\"\n");
        let contacts =
            hook("127.0.0.1:9".parse().expect("an address")) + &trunk + &phone + &called("an", "An") + ROTATION;
        worlds.push((World::new(&contacts).await, "the exchange does not answer"));
    }
    let asked: Vec<_> = (worlds.iter())
        .map(|(world, said)| {
            let (config, said) = (world.config(), *said);
            std::thread::spawn(move || (camhealth(&["oncall", "--test", "an", "--config", &config], &[]), said))
        })
        .collect();
    for asked in asked {
        let (output, said) = asked.join().expect("no panic");
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        let line = told.lines().find(|line| line.contains("goi-an")).unwrap_or_default();
        assert!(line.contains(said), "{said:?} is not in {told:?}");
        assert!(!told.contains("canary"), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_are_called_at_once_and_one_takes_it_on() {
    let receiver = Receiver::default();
    let here = receiver.start().await;
    let phones = Phones::answering("180 Ringing", &inform('1'));
    let mut contacts = hook(here) + &phones.trunk("an", "");
    let names: Vec<String> = (1..=10).map(|number| format!("p{number}")).collect();
    for name in &names {
        contacts += &channel(&format!("goi-{name}"), "sip", "phone = \"0900000002\"");
        contacts += &called(name, name);
    }
    let all = names.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
    contacts += &format!("[rotation]\npeople = [\"p1\"]\nstart = \"2026-11-02\"\n[[escalation]]\nto = [{all}]\n");
    let mut world = World::new(&contacts).await;
    world.start().await;
    world.camera.set_fault(Fault::PortClosed).await.expect("the fault is set");
    let by = acknowledged(&world).await["by"].clone();
    assert!(by.as_str().is_some_and(|by| by.starts_with('p')), "{by}");
    eventually("all calls", async || (phones.calls() == 10).then_some(())).await;
    eventually("their ends", async || {
        let messages = phones.messages();
        (messages.lines().filter(|line| line.starts_with("BYE ") || line.starts_with("CANCEL ")).count() >= 10)
            .then_some(())
    })
    .await;
}

/// kamailio, which knows two telephones by their passwords, and baresip, which answers whoever calls.
struct Exchange {
    at: SocketAddr,
    folder: tempfile::TempDir,
    processes: Vec<Process>,
}

impl Exchange {
    fn start() -> Self {
        require("/usr/sbin/kamailio");
        require("/usr/bin/baresip");
        let (at, folder) = (free_address(), tempfile::tempdir().expect("a folder"));
        let text = fixture("sip/kamailio.cfg", &[("listen", &at.to_string()), ("port", &at.port().to_string())]);
        let path = folder.path().join("kamailio.cfg");
        std::fs::write(&path, text).expect("it is written");
        let mut exchange = Self { at, folder, processes: Vec::new() };
        let (log, runtime) = (exchange.file("kamailio.log"), exchange.folder.path().display().to_string());
        let mut command = Command::new("/usr/sbin/kamailio");
        command.args([
            "-DD",
            "-E",
            "-f",
            &path.display().to_string(),
            "-Y",
            &runtime,
            "-w",
            &runtime,
            "-m",
            "16",
            "-M",
            "4",
        ]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        exchange.processes.push(Process::start(&mut command));
        exchange
    }

    fn file(&self, name: &str) -> std::fs::File {
        std::fs::File::create(self.folder.path().join(name)).expect("a file")
    }

    fn telephone(&mut self) -> PathBuf {
        let home = self.folder.path().join("baresip");
        std::fs::create_dir(&home).expect("a folder");
        let account = fixture("sip/baresip.accounts", &[("exchange", &self.at.to_string())]);
        std::fs::write(home.join("accounts"), account).expect("it is written");
        // It takes the next port too, for TLS.
        let listen = format!("127.0.0.1:{}", media_port());
        // Forty seconds of silence: a header, and samples of 16 bits at 8 kHz.
        let header =
            b"RIFF\x24\xc4\x09\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data\0\xc4\x09\0";
        let silence = [&header[..], &[0; 640_000]].concat();
        std::fs::write(home.join("silence.wav"), silence).expect("it is written");
        let values = [("listen", listen.as_str()), ("home", &home.display().to_string())];
        std::fs::write(home.join("config"), fixture("sip/baresip.config", &values)).expect("it is written");
        let said = home.join("said");
        let out = std::fs::File::create(&said).expect("a file");
        let mut command = Command::new("/usr/bin/baresip");
        command.args(["-f", &home.display().to_string()]);
        command.stdin(Stdio::piped()).stdout(out.try_clone().expect("a file")).stderr(out);
        self.processes.push(Process::start(&mut command));
        said
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registrar_knows_us_and_puts_us_through_to_a_real_telephone() {
    let receiver = Receiver::default();
    let here = receiver.start().await;
    let mut exchange = Exchange::start();
    let said = exchange.telephone();
    let (host, port) = (exchange.at.ip(), exchange.at.port());
    let contacts = [
        hook(here),
        format!(
            "[[trunk]]\nid = \"an\"\nhost = \"{host}\"\nport = {port}\nusername = \"camhealth\"\npassword_file = \"token\"\n\
             register = true\n"
        ),
        channel("goi-an", "sip", "phone = \"1001\""),
        called("an", "Trung úy An"),
        ROTATION.to_owned(),
    ];
    let mut world = World::new(&contacts.concat()).await;
    world.start().await;
    world.metric("camhealth_trunk_up{trunk=\"an\"} 1").await;
    let log = || std::fs::read_to_string(&said).unwrap_or_default();
    eventually("the telephone is registered", async || log().contains("200 OK").then_some(())).await;
    world.camera.set_fault(Fault::PortClosed).await.expect("the fault is set");
    eventually("the telephone answers", async || log().contains("Call established").then_some(())).await;
    // Said twice, and no key: it was heard, and nothing is taken on.
    world.metric("camhealth_notices_sent_total{channel=\"goi-an\"} 1").await;
    assert!(world.get("/api/v1/incidents/1").await["acknowledged"].is_null());
    eventually("the end of the call", async || log().contains("terminated").then_some(())).await;
    assert!(!world.log().contains("canary"));
}

/// An exchange over TLS that is busy, and its certificate's fingerprint.
fn busy_over_tls() -> (SocketAddr, String) {
    use sha2::{Digest, Sha256};
    let made = rcgen::generate_simple_self_signed(vec!["localhost".into()]).expect("a certificate");
    let print: String = Sha256::digest(made.cert.der()).iter().map(|byte| format!("{byte:02x}")).collect();
    let provider = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], made.signing_key.into())
        .expect("a configuration");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let at = listener.local_addr().expect("an address");
    let config = std::sync::Arc::new(config);
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            let Ok(mut session) = rustls::ServerConnection::new(config.clone()) else { return };
            let mut tls = rustls::Stream::new(&mut session, &mut stream);
            let (mut text, mut chunk) = (String::new(), [0; 4096]);
            while let Ok(size @ 1..) = std::io::Read::read(&mut tls, &mut chunk) {
                text += &String::from_utf8_lossy(&chunk[..size]);
                if !text.starts_with("INVITE ") || !text.contains("\r\n\r\n") {
                    continue;
                }
                let kept = ["Via:", "From:", "To:", "Call-ID:", "CSeq:"];
                let headers = text.lines().filter(|line| kept.iter().any(|name| line.starts_with(name)));
                let headers: String = headers.map(|line| line.to_owned() + "\r\n").collect();
                let answer = format!("SIP/2.0 486 Busy Here\r\n{headers}Content-Length: 0\r\n\r\n");
                let _ = std::io::Write::write_all(&mut tls, answer.as_bytes());
                text.clear();
            }
        }
    });
    (at, format!("sha256:{print}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exchange_over_tls_is_known_by_its_certificate() {
    let (at, print) = busy_over_tls();
    let wrong = format!("sha256:{}", "0".repeat(64));
    for (certificate, said) in [
        (format!("certificate = \"{print}\""), "busy"),
        (format!("certificate = \"{wrong}\""), "the exchange does not answer"),
        // No authority has signed it.
        (String::new(), "the exchange does not answer"),
    ] {
        let trunk = format!(
            "[[trunk]]\nid = \"an\"\nhost = \"localhost\"\nport = {}\nfrom = \"1\"\ntransport = \"tls\"\n{certificate}\n",
            at.port()
        );
        let phone = channel("goi-an", "sip", "phone = \"0900000001\"\n");
        let contacts =
            hook("127.0.0.1:9".parse().expect("an address")) + &trunk + &phone + &called("an", "An") + ROTATION;
        let world = World::new(&contacts).await;
        let output = camhealth(&["oncall", "--test", "an", "--config", &world.config()], &[]);
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(told.lines().any(|line| line.contains("goi-an") && line.contains(said)), "{certificate}: {told}");
    }
}

/// How soon a telephone rings for a blind site at the built-in defaults, from the fault to the exchange's INVITE: so many
/// sites go blind one after the other as `CAMHEALTH_RINGS` says, and somebody takes each of them on. Without it one does.
#[tokio::test(flavor = "multi_thread")]
async fn how_soon_it_rings_at_the_defaults() {
    let count: usize = std::env::var("CAMHEALTH_RINGS").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    let receiver = Receiver::default();
    let here = receiver.start().await;
    let an = Phones::answering("180 Ringing", &inform('1'));
    let (mut cameras, mut sites) = (Vec::new(), String::new());
    for number in 0..count {
        let camera = SimCamera::start(Spec::new((Ipv4Addr::LOCALHOST, 0).into())).await.expect("ports");
        sites += &format!(
            "[[camera]]\nid = \"c-{number}\"\nname = \"C {number}\"\nkind = \"public\"\nrtsp = \"{}\"\n\
             [[site]]\nid = \"s-{number}\"\nname = \"S {number}\"\nhamlet = \"T\"\n[[site.view]]\nname = \"v\"\n\
             cameras = [\"c-{number}\"]\n",
            camera.rtsp_url()
        );
        cameras.push(camera);
    }
    let contacts = [hook(here), an.trunk("an", ""), called("an", "Trung úy An"), ROTATION.to_owned(), sites].concat();
    let mut world = World::new(&contacts).await;
    let path = world.folder.path().join("camhealth.toml");
    let text = std::fs::read_to_string(&path).expect("it is read");
    let (before, after) = text.split_once("[schedule]").expect("it has a cadence of its own");
    let after = after.split_once("[[camera]]").expect("and a camera").1;
    std::fs::write(&path, format!("{before}[[camera]]{after}")).expect("it is written");
    world.start().await;
    let mut seconds = Vec::new();
    for (number, camera) in cameras.iter().enumerate() {
        // Looks come at times of their own: the pause before each fault differs.
        tokio::time::sleep(Duration::from_millis(3_000 + (number as u64 * 3_700) % 10_000)).await;
        let began = Instant::now();
        camera.set_fault(Fault::PortClosed).await.expect("the fault is set");
        eventually("it rings", async || (an.calls() > number).then_some(())).await;
        seconds.push(began.elapsed().as_secs_f64());
        let number = number + 1;
        eventually("it is taken on", async || {
            let incident = world.get(&format!("/api/v1/incidents/{number}")).await;
            incident["acknowledged"].is_object().then_some(())
        })
        .await;
    }
    seconds.sort_by(f64::total_cmp);
    let at = |share: f64| seconds[((seconds.len() - 1) as f64 * share).round() as usize];
    println!(
        "from the fault to the ringing, {count} times: p50 {:.1} s, p95 {:.1} s, worst {:.1} s",
        at(0.5),
        at(0.95),
        at(1.0)
    );
}

/// Stringee as it is published: what it was asked for, and what its log says of the call.
#[derive(Clone, Default)]
struct Provider {
    asked: Arc<Mutex<Vec<(String, Value)>>>,
    answered: Arc<AtomicBool>,
    refuses: Arc<AtomicBool>,
}

impl Provider {
    async fn start(&self) -> SocketAddr {
        let call = async |State(provider): State<Provider>, headers: HeaderMap, Json(body): Json<Value>| {
            let token = headers["x-stringee-auth"].to_str().expect("text").to_owned();
            provider.asked.lock().expect("no panic").push((token, body));
            match provider.refuses.load(Ordering::Relaxed) {
                true => Json(json!({"r": 7, "message": "canary"})),
                false => Json(json!({"r": 0, "message": "Success", "callId": "call-1"})),
            }
        };
        let log = async |State(provider): State<Provider>, uri: Uri| {
            assert!(uri.query().is_some_and(|query| query.contains("to_number=84900000001")), "{uri}");
            let answered = if provider.answered.load(Ordering::Relaxed) { 1_795_000_005_000_u64 } else { 0 };
            let other = json!({"id": "call-0", "answer_time": 1, "stop_time": 2});
            let ours = json!({"id": "call-1", "answer_time": answered, "stop_time": 1_795_000_030_000_u64});
            Json(json!({"r": 0, "message": "Load call(s) success", "data": {"calls": [other, ours]}}))
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let router = Router::new().route("/v1/call2/callout", post(call)).route("/v1/call/log", get(log));
        let router = router.with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        address
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_calls_and_says_whether_somebody_answered() {
    let provider = Provider::default();
    let there = provider.start().await;
    let rest = format!(
        "url = \"http://{there}/\"\nsid = \"SK.1\"\nsecret_file = \"token\"\nfrom = \"842471000000\"\nphone = \"0900000001\""
    );
    let contacts = hook("127.0.0.1:9".parse().expect("an address"))
        + &channel("goi-an", "stringee", &rest)
        + &called("an", "An")
        + ROTATION;
    let world = World::new(&contacts).await;
    let test = || {
        let output = camhealth(&["oncall", "--test", "an", "--config", &world.config()], &[]);
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let told = test();
    assert!(told.contains("goi-an (stringee): no answer"), "{told}");
    provider.answered.store(true, Ordering::Relaxed);
    let told = test();
    assert!(told.contains("goi-an (stringee) took it"), "{told}");
    provider.refuses.store(true, Ordering::Relaxed);
    let told = test();
    assert!(told.contains("Stringee says error 7") && !told.contains("canary"), "{told}");
    let asked = provider.asked.lock().expect("no panic").clone();
    let (token, body) = &asked[0];
    assert_eq!(body["to"][0]["number"], json!("84900000001"));
    assert_eq!(body["actions"][0]["text"], json!("Đây là cuộc gọi thử của hệ thống camera."));
    // An implementation of JSON Web Tokens that is not ours reads it.
    let script = "import jwt, sys; print(jwt.decode(sys.argv[1], 'canary', algorithms=['HS256'])['iss'], \
                  jwt.get_unverified_header(sys.argv[1])['cty'])";
    let venv = concat!(env!("CARGO_MANIFEST_DIR"), "/target/test-venv/bin/python");
    let read = run(Command::new(venv).args(["-c", script, token]));
    assert_eq!(String::from_utf8_lossy(&read.stdout).trim(), "SK.1 stringee-api;v=1", "{read:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exercise_rings_says_so_and_leaves_its_times() {
    let receiver = Receiver::default();
    let here = receiver.start().await;
    let an = Phones::answering("180 Ringing", &press('1'));
    let contacts = [hook(here), an.trunk("an", ""), called("an", "Trung úy An"), ROTATION.to_owned()].concat();
    let mut world = World::new(&contacts).await;
    world.start().await;
    let drill = |site: &str| {
        camhealth(&["drill", "--site", site, "--by", "Dũng", "--url", &format!("http://{}", world.page)], &[])
    };
    let begun = drill("cho");
    assert!(begun.status.success(), "{begun:?}");
    let told = receiver.wait("/hook", "\"drill\"").await;
    assert_eq!(told.body["title"], json!("DIỄN TẬP – Ngã tư Chợ"));
    assert!(!drill("cho").status.success(), "one at a time");
    an.wait("INVITE ").await;
    // Nothing is lost meanwhile.
    world.metric("camhealth_coverage_ratio 1").await;
    let over = receiver.wait("/hook", "drill_over").await;
    let title = over.body["title"].as_str().expect("text");
    assert!(title.starts_with("DIỄN TẬP – Ngã tư Chợ: Trung úy An đã nhận sau "), "{title}");
    let incident = world.get("/api/v1/incidents/1").await;
    assert_eq!((&incident["cause"]["kind"], &incident["acknowledged"]["by"]), (&json!("drill"), &json!("Trung úy An")));
    let month = jiff::Timestamp::now().strftime("%Y-%m").to_string();
    let report = world.get(&format!("/api/v1/reports/{month}")).await;
    assert_eq!((&report["drills"]["incidents"], &report["answers"]["incidents"]), (&json!(1), &json!(0)), "{report:#}");
    assert!(report["drills"]["taken_on"]["worst_seconds"].is_u64());
    let nowhere = drill("nirgends");
    assert!(String::from_utf8_lossy(&nowhere.stderr).contains("there is no such site"), "{nowhere:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_stops_takes_its_call_back() {
    let receiver = Receiver::default();
    let here = receiver.start().await;
    let an = Phones::start(&fixture("sip/ring.xml", &[]), "u1");
    let contacts = [hook(here), an.trunk("an", ""), called("an", "Trung úy An"), ROTATION.to_owned()].concat();
    let mut world = World::new(&contacts).await;
    world.start().await;
    world.camera.set_fault(Fault::PortClosed).await.expect("the fault is set");
    an.wait("INVITE ").await;
    an.wait("SIP/2.0 180").await;
    let id = rustix::process::Pid::from_child(world.daemon.as_ref().expect("it runs"));
    rustix::process::kill_process(id, rustix::process::Signal::TERM).expect("it is our child");
    an.wait("CANCEL ").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_with_one_line_is_given_one_call_at_a_time() {
    let receiver = Receiver::default();
    let here = receiver.start().await;
    let phones = Phones::answering("180 Ringing", &inform('1'));
    let contacts = [
        hook(here),
        phones.trunk("an", "lines = 1"),
        channel("goi-binh", "sip", "phone = \"0900000002\""),
        called("an", "Trung úy An"),
        called("binh", "Thiếu úy Bình"),
        "[rotation]\npeople = [\"an\"]\nstart = \"2026-11-02\"\n[[escalation]]\nto = [\"an\", \"binh\"]\n".to_owned(),
    ];
    let mut world = World::new(&contacts.concat()).await;
    world.start().await;
    world.camera.set_fault(Fault::PortClosed).await.expect("the fault is set");
    acknowledged(&world).await;
    phones.wait("BYE ").await;
    world.camera.set_fault(Fault::None).await.expect("the fault is set");
    receiver.wait("/hook", "coverage_restored").await;
    assert_eq!(phones.calls(), 1, "whoever waited for the line needs not be called any more");
}
