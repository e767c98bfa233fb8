//! What is told of households, over HTTP and in all that lies on the disk: their ids, and nothing else of them.

use crate::support::{Process, camhealth, eventually, fixture, free_address, program};
use camhealth::sim::{SimCamera, Spec};
use futures_util::StreamExt;
use serde_json::Value;
use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// A marked login, which the households' cameras are looked at with.
const USER: &str = "canary-user-5531";
const PASSWORD: &str = "canary-password-8842";
/// Names and hosts of three households: one is down, one is well, one is in maintenance.
const NAMES: [&str; 3] = ["Nhà bà Quỳnh", "Nhà ông Xuyến", "Nhà cô Vượng"];
/// What stands of one in the owners' file, and nowhere else.
const OWNER: [&str; 4] = ["Trần Thị Quỳnh Canary", "0909-883-221", "Xóm Mắm 7731", "gọi sau 19 giờ canary"];
const HOSTS: [Ipv4Addr; 3] =
    [Ipv4Addr::new(127, 83, 61, 7), Ipv4Addr::new(127, 83, 61, 8), Ipv4Addr::new(127, 83, 61, 9)];

fn configuration(page: SocketAddr, public: &SimCamera, household: &SimCamera) -> String {
    let [first, second, third] = HOSTS.map(|host| host.to_string());
    let (page, seen, seen_too) = (page.to_string(), public.rtsp_url(), household.rtsp_url());
    let values = [
        ("page", page.as_str()),
        ("rtsp", &seen),
        ("rtsp_1", &seen_too),
        ("host_0", &first),
        ("host_1", &second),
        ("host_2", &third),
        ("name_0", NAMES[0]),
        ("name_1", NAMES[1]),
        ("name_2", NAMES[2]),
    ];
    fixture("privacy.toml", &values)
}

async fn text(page: SocketAddr, path: &str) -> String {
    let answer = reqwest::get(format!("http://{page}{path}")).await.expect("an answer");
    let status = answer.status();
    let text = answer.text().await.expect("text");
    assert!(status.is_success(), "{path}: {status} {text}");
    text
}

async fn json(page: SocketAddr, path: &str) -> Value {
    serde_json::from_str(&text(page, path).await).expect("JSON")
}

/// The first event of a stream.
async fn event(page: SocketAddr, path: &str) -> String {
    let answer = reqwest::get(format!("http://{page}{path}")).await.expect("an answer");
    let mut chunks = answer.bytes_stream();
    let mut text = String::new();
    while !text.contains("\n\n") {
        let chunk = tokio::time::timeout(Duration::from_secs(10), chunks.next()).await.expect("an event comes");
        text.push_str(&String::from_utf8_lossy(&chunk.expect("it goes on").expect("bytes")));
    }
    text
}

/// Paths of routes as the sources of `web` name them.
fn routes(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).expect("it is there").map(|entry| entry.expect("an entry").path()) {
        if entry.is_dir() {
            routes(&entry, found);
        } else if entry.extension().is_some_and(|extension| extension == "rs")
            && !entry.to_string_lossy().ends_with("_tests.rs")
        {
            let text = fs::read_to_string(&entry).expect("it can be read");
            let paths = text.split(".route(\"").skip(1).filter_map(|rest| rest.split('"').next());
            found.extend(paths.map(str::to_owned));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_over_http_names_a_household_or_where_it_is() {
    let public = SimCamera::start(Spec::new((Ipv4Addr::LOCALHOST, 0).into())).await.expect("ports");
    let household = SimCamera::start(Spec::new((HOSTS[1], 0).into())).await.expect("ports");
    let (folder, page) = (tempfile::tempdir().expect("a folder"), free_address());
    let config = folder.path().join("camhealth.toml");
    fs::write(&config, configuration(page, &public, &household)).expect("it can be written");
    fs::write(folder.path().join("password"), PASSWORD).expect("it can be written");
    let [name, phone, address, note] = OWNER;
    let owners = folder.path().join("owners.toml");
    let owner = format!("[ho-1]\nname = {name:?}\nphone = {phone:?}\naddress = {address:?}\nnote = {note:?}\n");
    fs::write(&owners, owner).expect("it can be written");
    fs::set_permissions(&owners, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("it is ours");
    let picture = picture(&household).await;
    let log = fs::File::create(folder.path().join("log")).expect("a file");
    let mut command = Command::new(program());
    command.args(["run", "--config"]).arg(&config).env("RUST_LOG", "debug");
    let daemon = Process::start(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log));

    let number =
        eventually("an incident by the household that is down, and a proof by the one that is well", async || {
            reqwest::get(format!("http://{page}/-/ready")).await.ok()?;
            let state = async |id: &str| json(page, &format!("/api/v1/cameras/{id}")).await["state"].clone();
            let incidents = json(page, "/api/v1/incidents").await;
            let all =
                state("ho-0").await == "down" && state("ho-1").await == "up" && state("ho-2").await == "maintenance";
            incidents[0]["number"].as_u64().filter(|_| all)
        })
        .await;
    let explained = json(page, "/api/v1/cameras/ho-0").await;
    assert_eq!((&explained["name"], &explained["host"]), (&"ho-0".into(), &Value::Null));
    let told = explained["recent"][0]["failure"]["detail"].as_str().expect("it failed");
    assert!(told.contains("***"), "its address stood there: {told}");

    let ids = ["ho-0", "ho-1", "ho-2"];
    let month = jiff::Timestamp::now().strftime("%Y-%m").to_string();
    let mut asked: Vec<(String, String)> = Vec::new();
    let mut ask = |route: &str, values: &[&str]| {
        let fill = |value: &str| match route.find('{') {
            // Several places are filled by one value.
            Some(start) => {
                let after = route.rfind('}').map_or("", |end| &route[end + 1..]);
                format!("{}{value}{after}", &route[..start])
            }
            None => route.to_owned(),
        };
        asked.extend(values.iter().map(|value| (route.to_owned(), fill(value))));
    };
    let number = number.to_string();
    for route in [
        "/",
        "/map",
        "/cameras",
        "/sites",
        "/incidents",
        "/contract",
        "/links",
        "/reports",
        "/metrics",
        "/sign-in",
        "/accounts",
        "/audit",
        "/settings",
        "/settings/roster",
        "/roster",
        "/settings/stand-ins",
        "/settings/people",
        "/settings/consent",
        "/settings/maintenance",
        "/settings/sites",
        "/settings/cameras",
        "/-/healthy",
        "/-/ready",
        "/static/wall.css",
        "/static/report.css",
        "/static/wall.js",
        "/static/passkey.js",
        "/api/v1/openapi.json",
    ] {
        ask(route, &[""]);
    }
    ask("/cameras/{id}", &ids);
    ask("/sites/{id}", &["cho"]);
    ask("/links/{id}", &["tu"]);
    let table = format!("{month}.csv");
    ask("/reports/{month}", &[&month, &table]);
    let details = ["cameras", "households", "sites", "areas", "links", "by-link", "incidents"];
    let details = details.map(|table| format!("{month}/{table}"));
    ask("/reports/{month}/{table}", &details.each_ref().map(String::as_str));
    ask("/areas/{id}", &["khu"]);
    ask("/incidents/{id}", &[&number]);
    ask("/incidents/{id}/file", &[&number]);
    let description = json(page, "/api/v1/openapi.json").await;
    for (path, methods) in description["paths"].as_object().expect("paths") {
        let values: &[&str] = match path.as_str() {
            "/api/v1/cameras/{id}" => &ids,
            "/api/v1/sites/{id}" | "/api/v1/sites/{id}/strip" => &["cho"],
            "/api/v1/cameras/{id}/strip" => &ids,
            "/api/v1/links/{id}/strip" => &["tu"],
            "/api/v1/areas/{id}/strip" => &["khu"],
            "/api/v1/incidents/{id}" | "/api/v1/incidents/{id}/timeline" => &[&number],
            "/api/v1/reports/{month}" => &[&month],
            "/api/v1/settings/{kind}" => &["camera_name", "notes", "consent", "site_name", "maintenance"],
            path if path.contains('{') => &[],
            _ => &[""],
        };
        assert!(methods["get"].is_null() || !values.is_empty(), "{path} is asked for nothing");
        ask(path, if methods["get"].is_null() { &[] } else { values });
    }
    // Those that change something, need a signature, stream, are somebody's own, or are what is left over.
    let others = [
        "/events",
        "/incidents/{id}/ack",
        "/incidents/{id}/respond",
        "/incidents/{id}/silence",
        "/sites/{id}/drill",
        "/settings/silences",
        "/settings/silences/{id}/end",
        "/ack/{incident}/{person}/{signature}",
        "/-/reload",
        "/api/v1/{*path}",
        "/sign-in/code",
        "/sign-in/openid",
        "/sign-in/openid/back",
        "/sign-out",
        "/second-step",
        "/passkeys",
        "/passkeys/begin",
        "/passkeys/confirm",
        "/passkeys/drop",
        "/agent/join",
        "/agent/exchange",
        "/sign-in/passkey",
        "/sign-in/passkey/begin",
        "/join/{secret}",
        "/screen/{secret}",
        "/calendar/{secret}",
        "/roster/swap",
        // Served at a port of its own, to an authority (tests/acme.rs).
        "/.well-known/acme-challenge/{name}",
        "/accounts/{name}",
        "/passes",
        "/passes/{id}/end",
        // Where nobody is asked who they are, nobody reads who lends a camera.
        "/owners",
    ];
    let mut known = Vec::new();
    routes(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/web"), &mut known);
    for route in &known {
        assert!(
            others.contains(&route.as_str()) || asked.iter().any(|(asked, _)| asked == route),
            "{route} is not asked"
        );
    }

    let mut answers = Vec::new();
    for (_, path) in &asked {
        for language in ["vi", "en"] {
            answers.push((path.clone(), text(page, &format!("{path}?lang={language}")).await));
        }
    }
    for query in [
        "cameras?kind=household",
        "cameras?area=khu&sort=name",
        "sites?q=ngo",
        "map?area=khu",
        "?range=7d",
        "settings/consent?q=ho",
    ] {
        answers.push((query.to_owned(), text(page, &format!("/{query}")).await));
    }
    // Nor can a name be guessed: whoever searches for it finds nothing.
    for guess in ["Qu%E1%BB%B3nh", "quynh", "nha+ba", "127.83.61.7"] {
        let found = text(page, &format!("/cameras?q={guess}&lang=en")).await;
        assert!(found.contains("Nothing matches.") && !found.contains("camera-ho-0"), "{guess}: {found}");
    }
    let incident = format!("&incident={number}");
    for of in ["", "&map=1", "&site=cho", "&camera=ho-0", "&area=khu", "&list=cameras&kind=household", &incident] {
        let path = format!("/events?lang=en{of}");
        answers.push((path.clone(), event(page, &path).await));
    }
    // Whoever keeps the machine reads it by a command, which leaves a line in the trail, and that names nobody.
    let config = config.to_str().expect("letters");
    for (camera, reason, code) in [("ho-1", "camera rơi", 0), ("ho-1", "", 3), ("cam-1", "thử", 3)] {
        let shown = camhealth(&["owner", camera, "--reason", reason, "--config", config], &[]);
        assert_eq!(shown.status.code(), Some(code), "{shown:?}");
        let out = String::from_utf8_lossy(&shown.stdout).into_owned();
        assert!(OWNER.iter().all(|word| out.contains(word) == (code == 0)), "{out}");
    }
    let trail = json(page, "/api/v1/audit").await;
    let readings = trail["entries"].as_array().expect("entries").iter().filter(|entry| entry["action"] == "read_owner");
    let readings: Vec<_> = readings.map(|entry| (entry["subject"].as_str(), entry["after"].as_str())).collect();
    assert!(matches!(readings[..], [(Some("ho-1"), Some(why))] if why.contains("camera rơi")), "{readings:?}");
    answers.push(("audit".to_owned(), trail.to_string()));
    for line in ["GET", "POST"] {
        let client = reqwest::Client::new();
        let method = line.parse().expect("a method");
        let asked = client.request(method, format!("http://{page}/owners?camera=ho-1")).body("camera=ho-1&reason=x");
        let answer = asked.header("content-type", "application/x-www-form-urlencoded").send().await.expect("an answer");
        assert_eq!(answer.status(), 401, "{line}");
        answers.push((format!("{line} /owners"), answer.text().await.expect("text")));
    }
    assert!(answers.len() > 50, "{} answers", answers.len());
    let hosts = HOSTS.map(|host| host.to_string());
    for (path, answer) in answers {
        for secret in NAMES.iter().copied().chain(OWNER).chain(hosts.iter().map(String::as_str)) {
            assert!(!answer.contains(secret), "{path} tells {secret}: {answer}");
        }
        assert!(!answer.contains(USER) && !answer.contains(PASSWORD), "{path} tells a login: {answer}");
        let silent = !path.contains("http_sd");
        assert!(silent || !answer.contains("ho-") && answer.contains("cam-1"), "{path}: {answer}");
    }

    // Nor does anything that lies on the disk, but for the files that name them on purpose; and a core never does.
    let limits = fs::metadata(format!("/proc/{}/mem", daemon.id())).expect("it runs");
    assert_eq!(std::os::unix::fs::MetadataExt::uid(&limits), 0, "who can be dumped owns its own memory");
    let exported = camhealth(&["export", "--config", config], &[]);
    assert!(exported.status.success(), "{exported:?}");
    assert!(OWNER.iter().all(|word| !String::from_utf8_lossy(&exported.stdout).contains(word)));
    let backup = camhealth(&["backup", "--config", config], &[]);
    assert!(backup.status.success(), "{backup:?}");
    let told = ["json", "csv"].map(|form| {
        let report = camhealth(&["report", "--month", &month, "--format", form, "--config", config], &[]);
        assert!(report.status.success(), "{report:?}");
        report.stdout
    });
    fs::write(folder.path().join("reports"), told.concat()).expect("a disk");
    let mut searched = Vec::new();
    for entry in fs::read_dir(folder.path()).expect("a folder").map(|entry| entry.expect("an entry").path()) {
        let name = entry.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if ["camhealth.toml", "password", "owners.toml"].contains(&name.as_str()) {
            continue;
        }
        let bytes = fs::read(&entry).expect("it is read");
        let words = NAMES.iter().copied().chain(OWNER).chain(hosts.iter().map(String::as_str)).chain([USER, PASSWORD]);
        for secret in words.map(str::as_bytes).chain([&picture[..]]) {
            let held = bytes.windows(secret.len()).any(|window| window == secret);
            assert!(!held, "{name} holds {}", String::from_utf8_lossy(secret));
        }
        searched.push(name);
    }
    for name in ["journal.sqlite3", "journal.sqlite3-wal", "log", "reports", ".backup-"] {
        assert!(searched.iter().any(|searched| searched.contains(name)), "{name} among {searched:?}");
    }
}

/// Bytes of a picture as the camera sends it: the middle of the largest packet.
async fn picture(camera: &SimCamera) -> Vec<u8> {
    let mut stream = tokio::net::TcpStream::connect(camera.rtsp_addr()).await.expect("it listens");
    let url = camera.rtsp_url();
    let (mut heard, mut session) = (Vec::new(), String::new());
    let requests = [
        format!("DESCRIBE {url} RTSP/1.0\r\nCSeq: 1\r\n\r\n"),
        format!("SETUP {url}/trackID=0 RTSP/1.0\r\nCSeq: 2\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n\r\n"),
        format!("PLAY {url} RTSP/1.0\r\nCSeq: 3\r\nSession: @\r\n\r\n"),
    ];
    for (number, request) in (1..).zip(requests) {
        stream.write_all(request.replace('@', &session).as_bytes()).await.expect("it reads");
        let answer = format!("RTSP/1.0 200 OK\r\nCSeq: {number}\r\n");
        // A body may come after its head.
        while !String::from_utf8_lossy(&heard).split_once(&answer).is_some_and(|(_, rest)| rest.contains("\r\n\r\n")) {
            assert!(stream.read_buf(&mut heard).await.expect("it answers") > 0);
        }
        let text = String::from_utf8_lossy(&heard).into_owned();
        let told = text.lines().find_map(|line| line.strip_prefix("Session: ")).unwrap_or_default();
        session = told.split(';').next().unwrap_or_default().to_owned();
    }
    while heard.len() < 20_000 {
        assert!(stream.read_buf(&mut heard).await.expect("it streams") > 0);
    }
    let mut packets = heard.iter().enumerate().filter(|(at, byte)| **byte == b'$' && heard.get(at + 1) == Some(&0));
    // A raw macroblock looks like nothing else.
    let middle = |at: usize| {
        let length = usize::from(u16::from_be_bytes([*heard.get(at + 2)?, *heard.get(at + 3)?]));
        let packet = heard.get(at + 4..at + 4 + length)?;
        let varied = |part: &&[u8]| part.iter().collect::<std::collections::BTreeSet<_>>().len() >= 12;
        packet.get(12..)?.windows(24).find(varied).map(<[u8]>::to_vec)
    };
    packets.find_map(|(at, _)| middle(at)).expect("a picture with something in it")
}
