//! What others build on, as golden files: the description of the API and the list of metrics. A change of either is seen
//! in review.
//!
//! `CAMHEALTH_BLESS=1 cargo test interfaces` writes them anew; read the difference, and note in CHANGELOG.md what goes
//! away or changes its meaning.

use crate::{daemon::World, support::eventually};
use camhealth::{
    config,
    metrics::{self, Own},
    model::{
        Check, Codec, Detail, DeviceFacts, Failure, FailureKind, Held, Observation, Restored, Scope, Sighting,
        Snapshot, Span, StreamFacts, Window,
    },
    monitor::{Event, Monitor, Settings},
    schedule,
    topology::Voice,
};
use jiff::Timestamp;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn text(name: &str) -> String {
    fs::read_to_string(file(name)).unwrap_or_default()
}

/// Compares a golden file with what is true now, or writes it.
fn golden(name: &str, now: &str) {
    if std::env::var_os("CAMHEALTH_BLESS").is_some() {
        fs::write(file(name), now).expect("it can be written");
        return;
    }
    let known = text(name);
    let first = known.lines().zip(now.lines()).find(|(known, now)| known != now);
    assert!(
        known == now,
        "{name} is not what the program says; the first difference is {first:?}. If the change is meant, write it anew \
         by CAMHEALTH_BLESS=1 cargo test interfaces, and note it in CHANGELOG.md."
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_is_described_as_reviewed() {
    let world = World::new().await;
    let _daemon = world.start();
    let described = eventually("the description", async || world.get("/api/v1/openapi.json").await).await;
    let json: serde_json::Value = serde_json::from_str(&described).expect("JSON");
    golden("docs/openapi.json", &(serde_json::to_string_pretty(&json).expect("JSON") + "\n"));
}

#[test]
fn the_metrics_are_those_listed() {
    golden("docs/metrics.txt", &listed(&rendered()));
}

/// What boards and rules ask for exists, and what the code names is brought about by [`everything`].
#[test]
fn no_metric_is_asked_for_that_is_not_there_and_none_is_left_out_of_the_list() {
    let known: BTreeSet<String> = families(&rendered()).into_keys().collect();
    let mut missing = Vec::new();
    for name in files("src/metrics", "rs").iter().flat_map(|source| named(source, '"')) {
        if !known.contains(&name) {
            missing.push(format!("{name} has no series in this test: let `everything` bring it about"));
        }
    }
    // Those of a machine that shares a province: docs/province.md lists them.
    let of_a_member: BTreeSet<String> =
        files("src/province", "rs").iter().flat_map(|source| named(source, '"')).collect();
    let page = fs::read_to_string(file("docs/province.md")).expect("a page");
    missing.extend(of_a_member.iter().filter(|name| !page.contains(&format!("| `{name}"))).cloned());
    let known: BTreeSet<String> = known.union(&of_a_member).cloned().collect();
    let rules = [files("config/prometheus", "yml"), files("config/province", "yml")].concat();
    let boards = [files("dashboards", "json"), rules, files("docs", "md")].concat();
    for name in boards.iter().flat_map(|board| named(board, '\0')) {
        let of = ["_bucket", "_sum", "_count"].iter().find_map(|part| name.strip_suffix(part)).unwrap_or(&name);
        if !known.contains(of) && !known.contains(&name) {
            missing.push(format!("{name} is asked for and does not exist"));
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

/// The texts of all files of a kind below a folder.
fn files(folder: &str, extension: &str) -> Vec<String> {
    let mut folders = vec![file(folder)];
    let mut texts = Vec::new();
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(&folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|known| known == extension) {
                texts.push(fs::read_to_string(&path).expect("text"));
            }
        }
    }
    assert!(!texts.is_empty(), "{folder} holds none");
    texts
}

/// Names of metrics in a text, between two of `quote`; with `'\0'` wherever they stand.
fn named(text: &str, quote: char) -> Vec<String> {
    let mut names = Vec::new();
    for (at, _) in text.match_indices("camhealth_") {
        let name: String = text[at..].chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect();
        let (before, after) = (text[..at].chars().next_back(), text[at + name.len()..].chars().next());
        let inside = before.is_some_and(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | ':' | '/'))
            || after.is_some_and(|c| matches!(c, ':' | '{') && name.ends_with('_') || c == ':');
        let quoted = quote == '\0' || (before == Some(quote) && after == Some(quote));
        if quoted && !inside && !name.ends_with('_') {
            names.push(name);
        }
    }
    names
}

/// A metric family as Prometheus' text format tells it.
#[derive(Default)]
struct Family {
    kind: String,
    help: String,
    labels: BTreeSet<String>,
}

fn families(text: &str) -> BTreeMap<String, Family> {
    let mut families: BTreeMap<String, Family> = BTreeMap::new();
    for line in text.lines() {
        if let Some((name, help)) = line.strip_prefix("# HELP ").and_then(|rest| rest.split_once(' ')) {
            families.entry(name.to_owned()).or_default().help = help.to_owned();
        } else if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) {
            families.entry(name.to_owned()).or_default().kind = kind.to_owned();
        } else if let Some((series, labels)) = line.split_once('{') {
            let of = ["_bucket", "_sum", "_count"].iter().find_map(|part| series.strip_suffix(part));
            let of = of.filter(|of| families.contains_key(*of)).unwrap_or(series);
            let family = families.get_mut(of).unwrap_or_else(|| panic!("{series} has no HELP before it"));
            // No label's value of this fleet holds a comma or a brace.
            let labels = labels.split_once('}').expect("it ends").0.split(',');
            family.labels.extend(labels.filter_map(|label| label.split_once('=')).map(|(name, _)| name.to_owned()));
        }
    }
    families
}

fn listed(text: &str) -> String {
    let mut list = "# Each metric of /metrics: its name, type and labels, and what it means. Written by\n\
                    # CAMHEALTH_BLESS=1 cargo test interfaces; series that are absent while nothing is to be told are listed too.\n"
        .to_owned();
    for (name, Family { kind, help, labels }) in families(text) {
        assert!(!kind.is_empty() && !help.is_empty(), "{name} says what it is");
        let labels = labels.into_iter().filter(|label| label != "le").collect::<Vec<_>>().join(",");
        let labels = if labels.is_empty() { labels } else { format!("{{{labels}}}") };
        let _ = writeln!(list, "\n{name}{labels} {kind}\n    {help}");
    }
    list
}

fn rendered() -> String {
    let (snapshot, own) = everything();
    metrics::render(&snapshot, &own)
}

/// Second 0 is a Monday noon in the commune.
fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_792_990_800 + second).expect("a time in this century")
}

fn look(check: Check, second: i64, failure: Option<FailureKind>) -> Observation {
    let stream = StreamFacts {
        proven: true,
        frames: 30,
        keyframes: 2,
        packets: 90,
        width: Some(640),
        height: Some(360),
        fps: Some(15.0),
        bytes_per_second: Some(32_000.0),
        keyframe_interval_seconds: Some(2.0),
        delta_frame_bytes: Some(900.0),
        jitter_seconds: Some(0.003),
        media_speed: Some(1.0),
        sender_clock_seconds: Some(0.1),
        ..StreamFacts::new(Codec::H264)
    };
    let device = DeviceFacts {
        manufacturer: "Hãng".into(),
        model: "Mẫu 1".into(),
        firmware: "1.0".into(),
        serial: "1".into(),
        ..DeviceFacts::default()
    };
    let good = failure.is_none();
    Observation {
        took: Duration::from_millis(300),
        failure: failure.map(|kind| Failure::new(kind, Detail::plain("như đã thấy"))),
        stream: (good && check.sees_media()).then_some(stream),
        device: (good && check == Check::Device).then_some(device),
        clock_offset_seconds: (check == Check::Device).then_some(0.2),
        bytes: 20_000,
        ..Observation::new(check, at(second))
    }
}

/// A small commune of which everything can be told: one camera is well, one is down, one was never seen; something is out
/// of service, and looks are held back.
fn everything() -> (Snapshot, Own) {
    let secrets = |name: &str| (name == "CAMHEALTH_PASSWORD").then(|| "canary".to_owned());
    let plan = config::load_with(&file("tests/fixtures/everything.toml"), &secrets)
        .unwrap_or_else(|problems| panic!("{problems}"));
    let settings = Settings { health: plan.health, topology: plan.topology, alert: plan.alert };
    let (mut monitor, _) = Monitor::new(plan.fleet.clone(), settings, Restored::default(), at(0));
    let mut happen = |second: i64, event: Event| drop(monitor.handle(at(second), event));
    for second in [1, 11, 21, 31] {
        for check in [Check::Liveness, Check::Stream, Check::Survey, Check::Device] {
            happen(second, Event::Seen(Sighting::own("cho-01".into(), Box::new(look(check, second, None)))));
        }
        let silent = look(Check::Stream, second, Some(FailureKind::Timeout));
        happen(second, Event::Seen(Sighting::own("cho-02".into(), Box::new(silent))));
    }
    happen(32, Event::Heard(Voice::Link("cap-quang".into()), true));
    happen(32, Event::Heard(Voice::Anchors, true));
    let window = Window {
        id: "w".into(),
        scope: Scope::Camera("ho-01".into()),
        span: Span::Once { from: at(0), until: at(3600) },
        author: "An".into(),
        reason: "thay nguồn".into(),
    };
    happen(33, Event::Silence(window));
    happen(40, Event::Tick);

    let mut schedule = schedule::Plan::new(plan.schedule, &plan.fleet, &[], at(0), 1);
    let mut outlooks = schedule.outlooks(at(40));
    outlooks.cameras.get_mut("cho-02").expect("a camera").held = Some(Held::LinkRate);
    let snapshot = Snapshot { outlooks: Arc::new(outlooks), ..monitor.snapshot(at(40)) };

    let channels = plan.deliver.channels.iter().map(|(id, channel)| (id.clone(), channel.target.as_str()));
    let own = Own::new(channels);
    for check in Check::ALL {
        own.observe_probe(check, Duration::from_millis(300));
    }
    own.journal_commit(Duration::from_millis(3), true);
    own.notice(&"hook".into(), None, at(5));
    own.sms(&"sms".into(), 1, 100);
    own.certificate.ordered(true);
    own.agents.looks([1, 1, 1, 1]);
    own.agents.refused("unsigned");
    own.agents.claims("cloud", 1, 1);
    own.agents.set_sources([("cloud", None)]);
    let agent = camhealth::model::AgentContact {
        heard: Some(at(40)),
        version: "0.1.0".into(),
        fits: camhealth::model::Fits::Same,
        backlog: 0,
        dropped: 0,
        alarms: 0,
        clock_offset_seconds: Some(0.2),
    };
    own.agents.set([("hem-7", Some(&agent))]);
    own.set_worker_deaths([("crashed", 1)]);
    own.set_culprits([("cho-02", "rtsp", 1)]);
    own.set_sandbox([("files", true)]);
    own.task_up("event_loop", true);
    own.set_trunks([("tong-dai", true)]);
    own.set_deadlines([("repair", "missed", 1)]);
    (snapshot, own)
}
