//! The JSON API against its own description, by schemathesis; and Prometheus discovering targets by it.

use crate::{
    daemon::World,
    support::{Prometheus, eventually, run_within, tool},
};
use serde_json::Value;
use std::{process::Command, time::Duration};

#[tokio::test(flavor = "multi_thread")]
async fn schemathesis_finds_no_answer_that_is_not_described() {
    let schemathesis = tool("target/test-venv/bin/schemathesis");
    let world = World::new().await;
    let _daemon = world.start();
    world.metric("camhealth_coverage_ratio", 1.0).await;
    world.break_camera(1).await;
    world.metric("camhealth_incidents_open{cause=\"site\"}", 1.0).await;
    let mut check = Command::new(schemathesis);
    let root = env!("CARGO_MANIFEST_DIR");
    check.arg(format!("--config-file={root}/tests/schemathesis.toml"));
    check.args(["run", "--max-examples=40", "--seed=1", "--suppress-health-check=all", "--no-color"]);
    check.arg(format!("http://{}/api/v1/openapi.json", world.page));
    let folder = tempfile::tempdir().expect("a folder");
    let done = run_within(Duration::from_secs(400), check.current_dir(folder.path()));
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success(), "{said}{}", String::from_utf8_lossy(&done.stderr));
    // After all that the daemon still watches.
    assert!(world.get("/-/ready").await.is_some());
    let status: Value = serde_json::from_str(&world.get("/api/v1/status").await.expect("JSON")).expect("JSON");
    assert_eq!(status["commune"], "Xã Thử");
}

#[tokio::test(flavor = "multi_thread")]
async fn prometheus_discovers_cameras_over_http() {
    let world = World::new().await;
    let _daemon = world.start();
    world.metric("camhealth_coverage_ratio", 1.0).await;
    let config = format!(
        "scrape_configs:\n  - job_name: cameras\n    http_sd_configs:\n      - url: http://{}/api/v1/http_sd\n        \
         refresh_interval: 1s\n    relabel_configs:\n      \
         - {{source_labels: [__meta_camhealth_camera], target_label: camera}}\n",
        world.page
    );
    let prometheus = Prometheus::start(&[("prometheus.yml", &config)]);
    eventually("both cameras as targets", async || {
        let answer = prometheus.ask("targets", &[]).await?;
        let targets = answer["data"]["activeTargets"].as_array()?;
        let camera = |target: &Value| target["labels"]["camera"].as_str().map(str::to_owned);
        let mut cameras: Vec<String> = targets.iter().filter_map(camera).collect();
        cameras.sort_unstable();
        let hamlet = |target: &Value| target["discoveredLabels"]["__meta_camhealth_hamlet"] == "Thôn Đông";
        (cameras == ["cam-1", "cam-2"] && targets.iter().all(hamlet)).then_some(())
    })
    .await;
}
