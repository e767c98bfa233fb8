//! A month of history in a journal, as a fleet with ten changes of each camera leaves it, the report of it, and the strips
//! that pages show.

use super::fleet::{folder, urls, written};
use camhealth::{
    config,
    journal::{Batch, Journal, Settings},
    model::{Detail, FailureKind, Level, SiteRecord, State, Transition},
    uptime::{self, Of, Range},
};
use jiff::Timestamp;
use std::time::{Duration, Instant};

const DAY: i64 = 24 * 3600;
const DAYS: i64 = 30;
/// Changes of a camera, and of a site, in a month: some cameras flap, most do not.
const OF_A_CAMERA: i64 = 10;
const OF_A_SITE: i64 = 4;
/// Noon of the first of October in Vietnam.
const START: i64 = 1_790_827_200;

pub async fn measure(size: usize) -> String {
    let folder = folder(size);
    let path = written(&folder, &urls(size), "127.0.0.1:0");
    let config = config::load(&path).expect("a configuration");
    let at = |second: i64| Timestamp::from_second(START + second).expect("a time in this century");
    let file = folder.join("month.sqlite3");
    let (journal, _) =
        Journal::open(&Settings { path: Some(file.clone()), ..Settings::default() }, at(0)).expect("a journal");
    let (mut rows, cameras, sites) = (0, &config.fleet.cameras, &config.fleet.sites);
    for day in 0..DAYS {
        let mut batch = Batch::default();
        for (number, id) in (0i64..).zip(cameras.keys()) {
            // Spread over the days; each change lasts for minutes.
            for one in (0..OF_A_CAMERA).filter(|one| (number + one * DAYS / OF_A_CAMERA) % DAYS == day) {
                let second = day * DAY + (number * 977) % DAY;
                let down = one % 2 == 0;
                batch.transitions.push(Transition {
                    camera: id.clone(),
                    from: if down { State::Up } else { State::Down },
                    to: if down { State::Down } else { State::Up },
                    cause: down.then_some(FailureKind::Timeout),
                    detail: if down {
                        Detail::plain("no answer to a TCP connect within 3 s")
                    } else {
                        Detail::default()
                    },
                    since: at(second - 6),
                    decided: at(second),
                });
            }
        }
        for (number, id) in (0i64..).zip(sites.keys()) {
            for one in (0..OF_A_SITE).filter(|one| (number + one * DAYS / OF_A_SITE) % DAYS == day) {
                let level = if one % 2 == 0 { Level::Blind } else { Level::Full };
                let since = at(day * DAY + (number * 977) % DAY);
                batch.sites.push(SiteRecord { site: id.clone(), level, since, alert: None, ended: Vec::new() });
            }
        }
        rows += batch.transitions.len() + batch.sites.len();
        journal.commit(batch).await.expect("it is written");
        journal.keep(at(day * DAY + DAY - 1), Settings::default()).await.expect("it is kept");
    }
    let now = at(DAYS * DAY);
    let bytes = std::fs::metadata(&file).map_or(0, |known| known.len())
        + std::fs::metadata(folder.join("month.sqlite3-wal")).map_or(0, |known| known.len());
    let month: uptime::Month = "2026-10".parse().expect("a month");
    let began = Instant::now();
    let (from, until) = uptime::reach(&config.fleet, month, now);
    let history = journal.history(from, until).await.expect("history");
    let read = began.elapsed();
    let began = Instant::now();
    let report = uptime::of_month(&config.fleet, &history, month, &config.uptime, now);
    let worked_out = began.elapsed();
    assert_eq!(report.cameras.len(), size);
    let past = past(&journal, &config, now).await;
    let ended = journal.ended();
    drop(journal);
    let _ = tokio::time::timeout(Duration::from_secs(10), ended).await;
    let _ = std::fs::remove_dir_all(&folder);
    let mega = bytes as f64 / 1e6;
    format!(
        "| {size} | {mega:.1} MB | {rows} | {:.2} s | {:.2} s | {:.0} MB | {past} |",
        read.as_secs_f64(),
        worked_out.as_secs_f64(),
        mega * 12.0
    )
}

/// How long it takes to read and work out thirty days of a camera and of a site, and all sites' day and thirty days.
async fn past(journal: &Journal, config: &config::Config, now: Timestamp) -> String {
    let (fleet, settings) = (&config.fleet, &config.uptime);
    let zone = &fleet.commune.timezone;
    let since = |range: Range| Timestamp::from_second(range.begins(now, zone)).expect("a time");
    let (camera, site) = (fleet.cameras.keys().nth(7), fleet.sites.keys().nth(3));
    let mut told = Vec::new();
    for of in [camera.cloned().map(Of::Camera), site.cloned().map(Of::Site)].into_iter().flatten() {
        let began = Instant::now();
        let bearing = of.bearing(fleet).expect("the fleet has it");
        let history = journal.history_of(bearing, since(Range::Month), now).await.expect("history");
        let strip = of.strip(fleet, &history, Range::Month, settings, now).expect("the fleet has it");
        assert!(strip.spells.len() > 1);
        told.push(format!("{:.1} ms", began.elapsed().as_secs_f64() * 1000.0));
    }
    for range in [Range::Day, Range::Month] {
        let began = Instant::now();
        let history = journal.history(since(range), now).await.expect("history");
        let all = uptime::together(fleet, &history, range, settings, now);
        assert_eq!(all.sites.len(), fleet.sites.len());
        told.push(format!("{:.0} ms", began.elapsed().as_secs_f64() * 1000.0));
    }
    told.join(" | ")
}
