//! Grafana's published schema on the dashboards, and each of their queries against a real Prometheus that scrapes the
//! demo.

use crate::support::{
    DEMO, Process, Prometheus, VictoriaMetrics, eventually_within, free_address, has_data, program, run, tool,
};
use serde_json::Value;
use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

fn root(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

pub fn boards(folder: &Path) -> Vec<(PathBuf, Value)> {
    let mut boards = Vec::new();
    for language in ["vi", "en"] {
        for entry in std::fs::read_dir(folder.join(language)).expect("a folder") {
            let path = entry.expect("an entry").path();
            let text = std::fs::read_to_string(&path).expect("a file");
            boards.push((path, serde_json::from_str(&text).expect("JSON")));
        }
    }
    assert_eq!(boards.len(), 12);
    boards
}

/// Writes them by the command, as a user would.
pub fn written() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let done = run(Command::new(program()).args(["dashboards", "--out"]).arg(folder.path()));
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    folder
}

fn checked(folder: &Path, files: &[PathBuf]) -> (bool, String) {
    let modules = tool("target/test-npm/node_modules");
    let work = tempfile::tempdir_in(modules.parent().expect("a folder")).expect("a folder");
    let mut check = Command::new("node");
    check.arg(root("tests/npm/dashboards.mjs")).arg(&modules).arg(work.path()).args(files).current_dir(folder);
    let done = run(&mut check);
    (done.status.success(), String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned())
}

#[test]
fn grafanas_schema_knows_every_key() {
    let folder = written();
    let files: Vec<PathBuf> = boards(folder.path()).into_iter().map(|(path, _)| path).collect();
    let (good, said) = checked(folder.path(), &files);
    assert!(good && said.starts_with("12 dashboards, "), "{said}");
    // The check can fail: a key that Grafana does not know, a value of the wrong type.
    for (good, bad) in [("\"colorMode\"", "\"colourMode\""), ("\"decimals\": 1", "\"decimals\": \"1\"")] {
        let text = std::fs::read_to_string(folder.path().join("en/wall.json")).expect("a file");
        assert!(text.contains(good));
        let broken = folder.path().join("broken.json");
        std::fs::write(&broken, text.replacen(good, bad, 1)).expect("it can be written");
        let (passed, said) = checked(folder.path(), &[broken]);
        assert!(!passed && said.contains("Coverage of the commune"), "{said}");
    }
}

/// A query with its variables as Grafana fills them in.
fn filled(expr: &Value) -> String {
    let mut text = expr.as_str().expect("a query").to_owned();
    for (variable, value) in [("$camera", "cam-01"), ("$__rate_interval", "20s"), ("$__range", "5m")] {
        text = text.replace(variable, value);
    }
    for variable in ["$instance", "$hamlet", "$kind", "$link", "$site"] {
        text = text.replace(variable, ".*");
    }
    assert!(!text.contains('$'), "a variable is left: {text}");
    text
}

/// Every query of a board's panels with its panel.
pub fn panel_queries(board: &Value) -> Vec<(String, String)> {
    let panels = board["panels"].as_array().expect("panels").iter();
    let of_panels = panels.flat_map(|panel| {
        let targets = panel["targets"].as_array().expect("targets").iter();
        targets.map(|target| (panel["title"].to_string(), filled(&target["expr"])))
    });
    of_panels.collect()
}

/// Every query with what it stands in.
fn queries(board: &Value) -> Vec<(String, String)> {
    let annotations = board["annotations"]["list"].as_array().expect("annotations").iter();
    let annotations = annotations.map(|one| (one["name"].to_string(), filled(&one["expr"])));
    panel_queries(board).into_iter().chain(annotations).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_query_of_every_panel_returns_data() {
    let _alone = DEMO.lock().await;
    let demo = free_address();
    let mut watch = Command::new(program());
    watch.args(["demo", "--agents", "1", "--listen", &demo.to_string()]).stdin(Stdio::null()).stdout(Stdio::null());
    let _demo = Process::start(watch.stderr(Stdio::null()));

    // Our own configuration, with quicker intervals than a commune needs.
    let config = |name: &str| std::fs::read_to_string(root("config/prometheus").join(name)).expect("a file");
    let quicker = |text: String| text.replace("interval: 15s", "interval: 1s").replace("interval: 30s", "interval: 1s");
    let rules = quicker(config("camhealth.rules.yml")).replace("interval: 1m", "interval: 1s");
    let scrape = quicker(config("prometheus.yml")).replace("127.0.0.1:9740", &demo.to_string());
    // A store of another make is handed all of it, and must answer the same questions.
    let victoria = VictoriaMetrics::start();
    let scrape = scrape + &victoria.remote_write();
    let prometheus = Prometheus::start(&[("prometheus.yml", &scrape), ("camhealth.rules.yml", &rules)]);

    // Something is in maintenance, so that annotations have what to show.
    let http = reqwest::Client::new();
    let until = jiff::Timestamp::now() + Duration::from_secs(600);
    let silence = serde_json::json!({
        "scope": { "kind": "site", "id": "site-14" }, "until": until, "author": "An", "reason": "thay nguồn",
    });
    eventually_within(Duration::from_secs(60), "the demo takes a silence", async || {
        let request = http.post(format!("http://{demo}/api/v1/silences")).body(silence.to_string());
        let answer = request.header("content-type", "application/json").send().await.ok()?;
        answer.status().is_success().then_some(())
    })
    .await;

    let folder = written();
    let mut wanted: Vec<(String, String)> = Vec::new();
    // What a province's board asks is asked of a province (tests/province.rs).
    let of_a_commune = boards(folder.path()).into_iter().filter(|(path, _)| !path.ends_with("province.json"));
    for (path, board) in of_a_commune {
        let queries = queries(&board).into_iter();
        wanted.extend(queries.map(|(title, query)| (format!("{}: {title}", path.display()), query)));
    }
    assert!(wanted.len() > 100, "{} queries", wanted.len());
    wanted.sort_by(|a, b| a.1.cmp(&b.1));
    wanted.dedup_by(|a, b| a.1 == b.1);
    let stores = vec![prometheus.address, victoria.address];
    let mut wanted: Vec<_> = wanted.into_iter().map(|(place, query)| (place, query, stores.clone())).collect();
    let mut last = Vec::new();
    // The demo's script breaks cameras, a login and a fibre within its first minute, and begins anew each two.
    let deadline = tokio::time::Instant::now() + Duration::from_secs(360);
    while !wanted.is_empty() {
        let now = tokio::time::Instant::now();
        assert!(now < deadline, "these queries return nothing: {last:#?}");
        let mut left = Vec::new();
        for (place, query, stores) in wanted {
            let mut still = Vec::new();
            for store in stores {
                if has_data(store, &query).await != Some(true) {
                    still.push(store);
                }
            }
            if !still.is_empty() {
                left.push((place, query, still));
            }
        }
        last.clone_from(&left);
        wanted = left;
        tokio::time::sleep_until(now + Duration::from_secs(2)).await;
    }
}
