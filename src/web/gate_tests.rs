//! What does not get past the gate, and what a flood of what does costs.

use crate::{
    model::State as CameraState,
    request::Request,
    web::{
        Limits,
        router::{
            router,
            tests::{Behind, snapshot, state},
        },
        street::Street,
    },
};
use std::{net::IpAddr, sync::atomic::Ordering, time::Duration};
use tokio::time::Instant;

fn open() -> (Street, Behind) {
    let (state, behind) = state();
    (Street::open(router(state), Limits::default()), behind)
}

const IP: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));
const OTHER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 2));

fn asked(behind: &Behind) -> Vec<Request> {
    std::mem::take(&mut *behind.asked.lock().expect("no panic"))
}

fn status(answer: &str) -> &str {
    answer.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)).unwrap_or(answer)
}

/// A request that names a host, with an equal origin, as a browser sends it after DNS rebinding.
async fn as_host(street: &Street, line: &str, host: &str) -> String {
    let mut visitor = street.visit(IP);
    let head = format!("{line} HTTP/1.1\r\nhost: {host}\r\norigin: http://{host}\r\nconnection: close\r\n");
    visitor.say(&format!("{head}content-type: application/json\r\ncontent-length: 0\r\n\r\n")).await;
    visitor.rest().await
}

#[tokio::test(start_paused = true)]
async fn a_name_that_is_led_to_our_address_reads_and_changes_nothing() {
    let (street, behind) = open();
    let lines =
        ["GET /", "GET /metrics", "GET /events", "POST /-/reload", "POST /incidents/17/ack", "GET /static/wall.js"];
    for line in lines {
        let answer = as_host(&street, line, "evil.example:9740").await;
        assert_eq!(status(&answer), "421", "{line}: {answer}");
        assert!(
            answer.contains("\"evil.example:9740\"") && answer.contains("thêm tên này vào [web] hosts"),
            "{answer}"
        );
        assert!(answer.contains("add the name to [web] hosts") && !answer.contains("Hải Bình"), "{answer}");
    }
    let answer = as_host(&street, "POST /api/v1/silences", "evil.example").await;
    assert!(status(&answer) == "421" && answer.contains("{\"error\":\"camhealth is not known as"), "{answer}");
    assert_eq!(asked(&behind), []);
    // What its own users send goes through.
    for host in ["10.20.0.2:9740", "[::1]:9740", "localhost:9740", "giamsat.xa", "may-chu.lan:9740"] {
        assert_eq!(status(&as_host(&street, "GET /", host).await), "200", "{host}");
        assert_eq!(status(&as_host(&street, "POST /-/reload", host).await), "400", "{host}");
        assert_eq!(asked(&behind), [Request::Reload { force: false }], "{host}");
    }
    let mut old = street.visit(IP);
    old.say("GET /-/healthy HTTP/1.0\r\n\r\n").await;
    assert!(old.rest().await.contains(" 200 "), "a program that names no host");
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_wishes_is_refused_and_keeps_nobody_else_out() {
    let (street, behind) = open();
    let wish = "content-length: 0\r\n\r\n";
    let mut refused = 0;
    for _ in 0..100 {
        let answer = street.ask(IP, "POST /-/reload", wish).await;
        if status(&answer) == "429" {
            refused += 1;
            assert!(answer.contains("retry-after: 1\r\n") && answer.contains("hãy thử lại sau 1 giây"), "{answer}");
        }
    }
    // A few come back while the test runs, by the real clock.
    let taken = asked(&behind).len();
    assert!(taken >= 20 && taken + refused == 100 && refused > 30, "{taken} taken, {refused} refused");
    assert_eq!(status(&street.get(IP, "/").await), "200", "pages are shown");
    assert_eq!(status(&street.ask(IP, "POST /", wish).await), "405", "what nobody hears is told");
    let third = std::net::IpAddr::from([10, 0, 0, 3]);
    let mut guesses = 0;
    for _ in 0..60 {
        guesses += usize::from(status(&street.ask(third, "POST /ack/cho-1/an/guessed", wish).await) == "404");
    }
    assert!((20..50).contains(&guesses), "{guesses} signatures were tried");
    assert_eq!(status(&street.ask(OTHER, "POST /-/reload", wish).await), "400", "another address is heard");
}

#[tokio::test(start_paused = true)]
async fn bodies_are_bounded_in_size_and_time() {
    let (street, behind) = open();
    let large = "x".repeat(64 * 1024 + 1);
    let told = format!("content-length: {}\r\n\r\n{large}", large.len());
    let chunked = format!("transfer-encoding: chunked\r\n\r\n{:x}\r\n{large}\r\n0\r\n\r\n", large.len());
    for rest in [told, chunked] {
        let answer = street.ask(IP, "POST /api/v1/silences", &rest).await;
        assert!(status(&answer) == "413" && answer.contains("64 KiB"), "{answer}");
    }
    let began = Instant::now();
    let answer = street.ask(IP, "POST /api/v1/silences", "content-length: 60\r\n\r\n{").await;
    assert!(status(&answer) == "408" && answer.contains("\"error\""), "{answer}");
    assert_eq!(began.elapsed().as_secs(), 10);
    assert_eq!(asked(&behind), []);
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_requests_costs_one_rendering_of_a_snapshot() {
    let (street, behind) = open();
    for _ in 0..50 {
        assert!(street.get(IP, "/metrics").await.ends_with("up 1\n"));
    }
    assert_eq!(behind.metrics.load(Ordering::SeqCst), 1);
    behind.publish.send_replace(snapshot(CameraState::Down, 1000));
    street.get(IP, "/metrics").await;
    assert_eq!(behind.metrics.load(Ordering::SeqCst), 2, "another snapshot is shown at once");
    tokio::time::sleep(Duration::from_secs(2)).await;
    street.get(IP, "/metrics").await;
    assert_eq!(behind.metrics.load(Ordering::SeqCst), 3, "what the daemon counts is not old");
    assert!(street.get(IP, "/?lang=en").await.contains("camera down"), "pages follow the snapshot");
}

#[tokio::test(start_paused = true)]
async fn many_readers_cost_one_report() {
    let (street, behind) = open();
    let paths = ["/reports/2026-09", "/reports/2026-09?lang=en", "/reports/2026-09.csv", "/api/v1/reports/2026-09"];
    let asks = (0..8).map(|number| street.get(IP, paths[number % 4]));
    let answers = futures_util::future::join_all(asks).await;
    for (number, answer) in answers.iter().enumerate() {
        assert_eq!(status(answer), "200", "{answer}");
        let content = ["Báo cáo", "Uptime report of 09/2026", "\n2026-09,camera,cho-01,", "\"verdict\""][number % 4];
        assert!(answer.contains(content), "{}: {answer}", paths[number % 4]);
    }
    assert_eq!(behind.reports.load(Ordering::SeqCst), 1);
    // Last month does not change by the minute; this one does.
    street.get(IP, "/reports/2026-08").await;
    assert_eq!(behind.reports.load(Ordering::SeqCst), 2);
    tokio::time::sleep(Duration::from_secs(61)).await;
    street.get(IP, "/reports/2026-08").await;
    assert_eq!(behind.reports.load(Ordering::SeqCst), 2);
    street.get(IP, "/reports/2026-09.csv").await;
    assert_eq!(behind.reports.load(Ordering::SeqCst), 3);
    tokio::time::sleep(Duration::from_secs(600)).await;
    street.get(IP, "/reports/2026-08").await;
    assert_eq!(behind.reports.load(Ordering::SeqCst), 4);
    // A reload may have renamed all.
    behind.publish.send_replace(snapshot(CameraState::Up, 1000));
    street.get(IP, "/reports/2026-08").await;
    assert_eq!(behind.reports.load(Ordering::SeqCst), 5);
}

#[tokio::test(start_paused = true)]
async fn reports_are_worked_out_one_at_a_time_also_when_those_who_asked_go_away() {
    let (street, behind) = open();
    behind.desk.forget_permits(1000);
    let mut waiting = Vec::new();
    for month in 1..=9 {
        let mut visitor = street.visit(IP);
        visitor.say(&format!("GET /reports/2026-0{month}.csv HTTP/1.1\r\nhost: localhost\r\n\r\n")).await;
        waiting.push(visitor);
    }
    tokio::time::sleep(Duration::from_millis(1)).await;
    let answer = street.get(OTHER, "/api/v1/reports/2025-01").await;
    assert!(status(&answer) == "503" && answer.contains("retry-after: 5"), "{answer}");
    assert_eq!(behind.reports.load(Ordering::SeqCst), 1);
    drop(waiting);
    tokio::time::sleep(Duration::from_millis(1)).await;
    let mut next = street.visit(OTHER);
    next.say("GET /reports/2025-01.csv HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!(behind.reports.load(Ordering::SeqCst), 1, "the first is still being worked out");
    behind.desk.add_permits(1000);
    next.hears("\n2025-01,").await;
    assert_eq!(behind.reports.load(Ordering::SeqCst), 2, "nobody waits for the others any more");
}

#[tokio::test(start_paused = true)]
async fn a_page_of_another_site_does_not_have_reports_worked_out() {
    let (street, behind) = open();
    let from = |mode: &str, dest: &str| {
        format!("sec-fetch-site: cross-site\r\nsec-fetch-mode: {mode}\r\nsec-fetch-dest: {dest}\r\n\r\n")
    };
    for path in ["/reports", "/reports/2026-09", "/reports/2026-09.csv", "/api/v1/reports/2026-09"] {
        for (mode, dest) in [("no-cors", "image"), ("cors", "empty"), ("navigate", "iframe")] {
            let answer = street.ask(IP, &format!("GET {path}"), &from(mode, dest)).await;
            assert_eq!(status(&answer), "403", "{path}: {mode}: {answer}");
        }
        assert_eq!(behind.reports.load(Ordering::SeqCst), 0);
    }
    let answer = street.ask(IP, "GET /reports/2026-09", &from("navigate", "document")).await;
    assert_eq!(status(&answer), "200", "a link leads there");
}
