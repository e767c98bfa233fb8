//! The uptime report on the command line, beside what a real Prometheus counted.

use crate::{
    daemon::World,
    support::{Prometheus, camhealth, eventually, program, require},
};
use camhealth::{
    clock::Clock,
    config, journal,
    uptime::{self, Month, Report},
};
use serde_json::Value;
use std::process::{Command, Output};

/// Seconds that a camera was down.
fn down(report: &Report, camera: &str) -> i64 {
    report.cameras.iter().find(|line| line.id == camera).expect("it is in the report").seconds.down
}

#[tokio::test(flavor = "multi_thread")]
async fn the_report_agrees_with_prometheus_within_a_scrape_interval() {
    let world = World::new().await;
    let _daemon = world.start();
    world.metric("camhealth_coverage_ratio", 1.0).await;
    let prometheus = Prometheus::scraping(world.page);
    let query = async |expression: &str| prometheus.value(expression).await;
    let state = |state: &str| format!("camhealth_camera_state{{camera=\"cam-1\",kind=\"public\",state=\"{state}\"}}");
    let is = async |wanted: &str| {
        eventually(wanted, async || (query(&state(wanted)).await == Some(1.0)).then_some(())).await;
    };
    let seen_down = format!("sum_over_time({}[10m])", state("down"));
    is("up").await;
    world.break_camera(1).await;
    is("down").await;
    eventually("some seconds of it", async || query(&seen_down).await.filter(|seconds| *seconds >= 8.0)).await;
    world.mend_camera(1).await;
    is("up").await;
    let counted = query(&seen_down).await.expect("a count");

    let plan = config::load(&world.config()).expect("a good configuration");
    let now = Clock::system().now();
    let month = Month::of(now, &plan.fleet.commune.timezone);
    let (from, until) = uptime::reach(&plan.fleet, month, now);
    let mut history = journal::history(&plan.journal, from, until).expect("a journal");
    let of = |history: &_| uptime::of_month(&plan.fleet, history, month, &plan.uptime, now);
    let report = of(&history);
    // Prometheus knows of a change when it was decided; the report counts from the first look that failed.
    let mut late = 0;
    for row in history.transitions.iter_mut().filter(|row| row.camera.as_str() == "cam-1") {
        late += row.decided.as_second() - row.since.as_second();
        row.since = row.decided;
    }
    let decided = down(&of(&history), "cam-1") as f64;
    assert!((decided - counted).abs() <= 2.0, "{decided} s in the journal, {counted} scrapes a second apart");
    assert!((down(&report, "cam-1") as f64 - counted).abs() <= 2.0 + late as f64, "{late} s of confirmation");

    // The page of the running daemon and the command on its journal tell the same.
    let page = world.get(&format!("/api/v1/reports/{month}")).await.expect("the API");
    let page: Value = serde_json::from_str(&page).expect("JSON");
    let told = ask(&world, &["--month", &month.to_string(), "--format", "json"]);
    let told: Value = serde_json::from_slice(&told.stdout).expect("JSON");
    for report in [&page, &told] {
        let line = report["cameras"].as_array().expect("cameras").iter().find(|line| line["id"] == "cam-1");
        let seconds = line.expect("it is in the report")["seconds"].clone();
        assert_eq!(seconds["down"], down(&history_report(&plan, month, now), "cam-1"), "{report}");
        let total: i64 = seconds.as_object().expect("seconds").values().filter_map(Value::as_i64).sum();
        let until: jiff::Timestamp = report["until"].as_str().and_then(|text| text.parse().ok()).expect("a time");
        let from: jiff::Timestamp = report["from"].as_str().and_then(|text| text.parse().ok()).expect("a time");
        assert_eq!(total, until.as_second() - from.as_second(), "they add up to the period");
    }
    assert_eq!(page["incidents"][0]["place"], "Ngã tư Chợ");
}

fn history_report(plan: &config::Config, month: Month, now: jiff::Timestamp) -> Report {
    let (from, until) = uptime::reach(&plan.fleet, month, now);
    let history = journal::history(&plan.journal, from, until).expect("a journal");
    uptime::of_month(&plan.fleet, &history, month, &plan.uptime, now)
}

fn ask(world: &World, arguments: &[&str]) -> Output {
    let config = world.config();
    let config = config.to_str().expect("UTF-8");
    camhealth(&[&["report", "--config", config], arguments].concat(), &[])
}

#[tokio::test(flavor = "multi_thread")]
async fn the_report_is_written_in_every_form_and_says_what_is_missing() {
    require("/usr/bin/chromium");
    let world = World::new().await;
    let said = |output: &Output| String::from_utf8_lossy(&output.stderr).into_owned();
    let early = ask(&world, &[]);
    assert!(early.status.code() == Some(3) && said(&early).contains("that camhealth ran"), "{}", said(&early));
    {
        let _daemon = world.start();
        world.metric("camhealth_coverage_ratio", 1.0).await;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let month = Clock::system().now().strftime("%Y-%m").to_string();
    for (format, beginning) in [("html", "<!doctype html>"), ("csv", "\u{feff}month,"), ("json", "{"), ("pdf", "%PDF-")]
    {
        let path = folder.path().join(format!("report.{format}"));
        let name = path.to_str().expect("UTF-8");
        let done = ask(&world, &["--month", &month, "--format", format, "--out", name]);
        assert_eq!(done.status.code(), Some(0), "{format}: {}", said(&done));
        let bytes = std::fs::read(&path).expect("a file");
        assert!(bytes.starts_with(beginning.as_bytes()), "{format}");
        let again = ask(&world, &["--month", &month, "--format", format, "--out", name]);
        assert!(again.status.code() == Some(3) && said(&again).contains("does not exist yet"), "{}", said(&again));
    }
    let html = std::fs::read_to_string(folder.path().join("report.html")).expect("a file");
    assert!(!html.contains("<script") && !html.contains("http://") && html.contains("Mức sẵn sàng"));
    let summary = ask(&world, &["--month", &month, "--lang", "en"]);
    let summary = String::from_utf8_lossy(&summary.stdout).into_owned();
    assert!(summary.contains("All cameras") && summary.contains("Xã Thử"), "{summary}");
    let no_name = ask(&world, &["--month", &month, "--format", "pdf"]);
    assert!(no_name.status.code() == Some(3) && said(&no_name).contains("--out"), "{}", said(&no_name));
    let wrong = ask(&world, &["--month", "2026-13"]);
    assert!(wrong.status.code() == Some(2) && said(&wrong).contains("write it as 2026-10"), "{}", said(&wrong));
    let early = ask(&world, &["--month", "2999-01"]);
    assert!(early.status.code() == Some(3) && said(&early).contains("has not begun"), "{}", said(&early));
    // Without a browser it says what to do.
    let config = world.config();
    let mut pdf = Command::new(program());
    pdf.args(["report", "--format", "pdf", "--out", "x.pdf", "--config"]).arg(&config).env("PATH", "/nonexistent");
    let done = crate::support::run(&mut pdf);
    assert!(done.status.code() == Some(3) && said(&done).contains("apt install chromium"), "{}", said(&done));
}
