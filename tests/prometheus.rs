//! A real Prometheus scrapes the daemon and answers a query; promtool likes the metrics.

use crate::{
    daemon::World,
    support::{Prometheus, eventually, require},
};
use std::{
    io::Write,
    process::{Command, Stdio},
};

#[tokio::test(flavor = "multi_thread")]
async fn prometheus_scrapes_and_answers() {
    let world = World::new().await;
    let _daemon = world.start();
    world.metric("camhealth_coverage_ratio", 1.0).await;
    let prometheus = Prometheus::scraping(world.page);
    let query = async |expression: &str, wanted: f64| {
        let seen = async || (prometheus.value(expression).await == Some(wanted)).then_some(());
        eventually(&format!("{expression} = {wanted}"), seen).await;
    };
    query("up{job=\"camhealth\"}", 1.0).await;
    query("sum(camhealth_camera_state{state=\"up\"})", 2.0).await;
    query("camhealth_site_level{site=\"cho\",level=\"full\"}", 1.0).await;
    world.break_camera(1).await;
    query("camhealth_coverage_ratio", 0.5).await;
    query("camhealth_camera_failure{camera=\"cam-1\",cause=\"refused\"}", 1.0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn promtool_finds_no_fault_with_the_metrics() {
    require("/usr/bin/promtool");
    let world = World::new().await;
    let _daemon = world.start();
    world.metric("camhealth_coverage_ratio", 1.0).await;
    let metrics = world.get("/metrics").await.expect("metrics");
    let mut promtool = Command::new("/usr/bin/promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    promtool.stdin.take().expect("it is piped").write_all(metrics.as_bytes()).expect("it reads");
    let output = promtool.wait_with_output().expect("it ends");
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success() && said.is_empty(), "{}", String::from_utf8_lossy(&said));
}

/// Prometheus reads leniently; the reference reader in Python refuses whatever the standard does not allow.
#[tokio::test(flavor = "multi_thread")]
async fn a_strict_reader_takes_open_metrics_packed_or_not() {
    const PYTHON: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/test-venv/bin/python");
    const READ: &str = "import sys\n\
        from prometheus_client.openmetrics.parser import text_string_to_metric_families as read\n\
        names = {family.name: family.type for family in read(sys.stdin.read())}\n\
        assert names['camhealth_camera_transitions'] == 'counter', names\n\
        assert names['camhealth_probe_start_delay_seconds'] == 'histogram', names\n\
        print(len(names))";
    require(PYTHON);
    let world = World::new().await;
    let _daemon = world.start();
    world.metric("camhealth_coverage_ratio", 1.0).await;
    let ask = async |encoding: &str| {
        let request = reqwest::Client::new()
            .get(format!("http://{}/metrics", world.page))
            .header("accept", "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5")
            .header("accept-encoding", encoding);
        let response = request.send().await.expect("an answer");
        let header = |name: &str| response.headers().get(name).map(|value| value.to_str().unwrap_or("?").to_owned());
        let about = (header("content-type"), header("content-encoding"));
        (about, response.bytes().await.expect("a body"))
    };
    let kind = Some("application/openmetrics-text; version=1.0.0; charset=utf-8".to_owned());
    let (about, plain) = ask("identity").await;
    assert_eq!(about, (kind.clone(), None));
    let mut python = Command::new(PYTHON)
        .args(["-c", READ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    python.stdin.take().expect("it is piped").write_all(&plain).expect("it reads");
    let output = python.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let (about, packed) = ask("gzip").await;
    assert_eq!(about, (kind, Some("gzip".to_owned())));
    assert!(4 * packed.len() < plain.len() && packed.starts_with(&[0x1f, 0x8b]), "{}", packed.len());
}

fn file(name: &str) -> String {
    format!("{}/{name}", env!("CARGO_MANIFEST_DIR"))
}

fn said_well(program: &str, arguments: &[&str]) -> String {
    let output = crate::support::run(Command::new(program).args(arguments));
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{arguments:?}: {said}");
    said
}

#[test]
fn each_rule_is_tested_and_says_what_to_do() {
    const PROMTOOL: &str = "/usr/bin/promtool";
    require(PROMTOOL);
    said_well(PROMTOOL, &["check", "config", &file("config/prometheus/prometheus.yml")]);
    let tests = ["tests/rules/camhealth.test.yml", "tests/rules/slo.test.yml", "tests/rules/province.test.yml"];
    for test in tests {
        said_well(PROMTOOL, &["test", "rules", &file(test)]);
    }
    let read = |name: &str| std::fs::read_to_string(file(name)).expect("a file");
    let tested = tests.map(read).concat();
    let rules = ["config/prometheus/camhealth.rules.yml", "config/province/province.rules.yml"].map(read).concat();
    let runbooks = read("docs/runbooks.md");
    let mut alerts = 0;
    for line in rules.lines() {
        if let Some(record) = line.trim().strip_prefix("- record: ") {
            assert!(
                tested.contains(&format!("expr: {record}")) || tested.contains(&format!("expr: round({record}")),
                "{record}"
            );
        }
        if let Some(alert) = line.trim().strip_prefix("- alert: ") {
            assert!(
                tested.contains(&format!("alertname: {alert}\n        exp_alerts:")),
                "{alert} is never seen to fire"
            );
            assert!(tested.contains(&format!("alertname: {alert}}}")), "{alert} is never seen to be silent");
            assert!(runbooks.contains(&format!("\n## {alert}\n")), "{alert} has no runbook");
            let link = format!("runbook_url: docs/runbooks.md#{}\n", alert.to_lowercase());
            assert!(rules.contains(&link), "{alert} does not link to its runbook");
            alerts += 1;
        }
    }
    assert_eq!(alerts, 24);
}

#[test]
fn alertmanager_takes_the_configuration_and_routes_by_it() {
    const AMTOOL: &str = "/usr/bin/amtool";
    require(AMTOOL);
    let config = file("config/alertmanager/alertmanager.yml");
    said_well(AMTOOL, &["check-config", &config]);
    for (labels, receiver) in [
        (["alertname=CamhealthWatchdog", "severity=none"], "dead-mans-switch"),
        (["alertname=CamhealthIncident", "severity=warning"], "oncall"),
        (["alertname=CamhealthAbsent", "severity=critical"], "oncall"),
        (["alertname=CamhealthCamerasBurnFast", "severity=warning"], "contractor"),
        (["alertname=CamhealthCamerasBurnSlow", "severity=info"], "contractor"),
    ] {
        let test = format!("--verify.receivers={receiver}");
        let config = format!("--config.file={config}");
        said_well(AMTOOL, &[["config", "routes", "test", &config, &test].as_slice(), &labels].concat());
    }
}
