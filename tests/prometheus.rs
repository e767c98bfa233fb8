//! A real Prometheus scrapes the daemon and answers a query; promtool likes the metrics.

use crate::{
    daemon::World,
    support::{eventually, free_address, require},
};
use std::{
    io::Write,
    process::{Command, Stdio},
};

#[tokio::test(flavor = "multi_thread")]
async fn prometheus_scrapes_and_answers() {
    require("/usr/bin/prometheus");
    let world = World::new().await;
    let _daemon = world.start();
    world.metric("camhealth_coverage_ratio", 1.0).await;
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("prometheus.yml");
    let text = format!(
        "scrape_configs:\n  - job_name: camhealth\n    scrape_interval: 1s\n    static_configs:\n      \
         - targets: ['{}']\n",
        world.page
    );
    std::fs::write(&config, text).expect("it can be written");
    let listen = free_address();
    let mut prometheus = Command::new("/usr/bin/prometheus")
        .arg(format!("--config.file={}", config.display()))
        .arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()))
        .arg(format!("--web.listen-address={listen}"))
        .arg("--log.level=error")
        .stdin(Stdio::null())
        .spawn()
        .expect("it starts");
    let query = async |expression: &str, wanted: &str| {
        eventually(&format!("{expression} = {wanted}"), async || {
            let mut url = reqwest::Url::parse(&format!("http://{listen}/api/v1/query")).expect("a URL");
            url.query_pairs_mut().append_pair("query", expression);
            let body = reqwest::get(url).await.ok()?.text().await.ok()?;
            let answer: serde_json::Value = serde_json::from_str(&body).ok()?;
            (answer["data"]["result"][0]["value"][1] == wanted).then_some(())
        })
        .await;
    };
    query("up{job=\"camhealth\"}", "1").await;
    query("sum(camhealth_camera_state{state=\"up\"})", "2").await;
    query("camhealth_site_level{site=\"cho\",level=\"full\"}", "1").await;
    world.break_camera(1).await;
    query("camhealth_coverage_ratio", "0.5").await;
    query("camhealth_camera_failure{camera=\"cam-1\",cause=\"refused\"}", "1").await;
    prometheus.kill().expect("it is our child");
    prometheus.wait().expect("it is our child");
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

#[test]
fn each_rule_fires_when_it_should() {
    require("/usr/bin/promtool");
    let file = |name: &str| format!("{}/{name}", env!("CARGO_MANIFEST_DIR"));
    for arguments in [
        ["check", "rules", &file("config/prometheus/camhealth.rules.yml")],
        ["test", "rules", &file("tests/rules/camhealth.test.yml")],
    ] {
        let output = crate::support::run(Command::new("/usr/bin/promtool").args(arguments));
        let said = [output.stdout, output.stderr].concat();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&said));
    }
}
