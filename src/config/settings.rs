//! The tables that only tune: `[health]`, `[schedule]`, `[probe]`, `[report]` and `[metrics]`, all optional.

use super::{
    entry::{Entry, Located},
    tables::Tables,
};
use crate::{
    health, metrics,
    model::{Beacon, LinkKind},
    probe,
    schedule::{self, Cadence},
    topology, uptime,
};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Both together: a look must be due often enough that what it proved is not stale before the next.
pub(super) fn schedule_and_health(tables: &Tables<'_>) -> (schedule::Settings, health::Settings) {
    let mut schedule = schedule::Settings::default();
    if let Some(table) = tables.one("schedule") {
        set_duration(table, "confirm_every", SECOND..=60 * SECOND, &mut schedule.confirm_every);
        set_duration(table, "down_every", SECOND..=DAY, &mut schedule.down_every);
        set_duration(table, "dead_every", SECOND..=DAY, &mut schedule.dead_every);
        set_duration(table, "auth_retry_after", 60 * SECOND..=7 * DAY, &mut schedule.auth_retry_after);
        set(&mut schedule.concurrency, table.number("concurrency", 1..=4096).map(|number| number as usize));
        set(&mut schedule.jitter, table.ratio("jitter"));
        for (name, cadence) in [("public", &mut schedule.public), ("household", &mut schedule.household)] {
            if let Some(table) = table.child(name) {
                read_cadence(&table, cadence, schedule.down_every);
            }
        }
    }
    let mut health = health::Settings::default();
    if let Some(table) = tables.one("health") {
        set(&mut health.bad_to_down, table.number("bad_to_down", 1..=100).map(|number| number as u32));
        set(&mut health.good_to_up, table.number("good_to_up", 1..=100).map(|number| number as u32));
        let ratios = [
            ("loss_ratio", &mut health.loss_ratio),
            ("fps_ratio", &mut health.fps_ratio),
            ("bitrate_ratio", &mut health.bitrate_ratio),
            ("frozen_ratio", &mut health.frozen_ratio),
            ("media_speed", &mut health.media_speed),
            ("clock_drift", &mut health.clock_drift),
        ];
        for (key, ratio) in ratios {
            set(ratio, table.ratio(key));
        }
        set_duration(table, "jitter", Duration::from_millis(1)..=60 * SECOND, &mut health.jitter);
        set(&mut health.reboots, table.number("reboots", 2..=100).map(|number| number as u32));
        set_duration(table, "reboot_window", 60 * SECOND..=30 * DAY, &mut health.reboot_window);
        set_duration(table, "change_shown_for", 60 * SECOND..=365 * DAY, &mut health.change_shown_for);
        set_duration(table, "clock_offset", SECOND..=365 * DAY, &mut health.clock_offset);
        let ages = [
            ("stale_after_public", &mut health.stale_after_public),
            ("stale_after_household", &mut health.stale_after_household),
        ];
        for (key, age) in ages {
            set_duration(table, key, SECOND..=30 * DAY, age);
        }
    }
    let pairs = [
        ("stale_after_public", health.stale_after_public, &schedule.public),
        ("stale_after_household", health.stale_after_household, &schedule.household),
    ];
    for (key, age, cadence) in pairs {
        if age < 2 * cadence.stream {
            let Some(table) = tables.one("health").or(tables.one("schedule")) else { continue };
            let message = format!("{age:?} is less than two stream intervals ({:?} each)", cadence.stream);
            table.problem(
                key,
                table.span(),
                message,
                "raise it, or look more often: cameras would go unknown between looks",
            );
        }
    }
    (schedule, health)
}

/// A budget of looks below what the cadence needs would leave cameras unseen: where none is given it follows the
/// cadence, and one that is too small is refused.
fn looks_budget(table: &Entry<'_>, cadence: &mut Cadence, down_every: Duration) {
    let an_hour = [cadence.liveness, cadence.stream, down_every].map(|every| 3600.0 / every.as_secs_f64());
    let wanted = (an_hour.iter().sum::<f64>() * 1.25).ceil() as u64;
    match table.number("looks_per_hour", 40..=100_000) {
        None => cadence.looks_per_hour = cadence.looks_per_hour.max(wanted),
        Some(given) if given < wanted => {
            let message = format!("{given} looks an hour are fewer than this cadence takes");
            let remedy = format!("write looks_per_hour = {wanted} or more, or look less often");
            table.problem("looks_per_hour", table.place("looks_per_hour"), message, &remedy);
        }
        Some(given) => cadence.looks_per_hour = given,
    }
}

fn read_cadence(table: &Entry<'_>, cadence: &mut Cadence, down_every: Duration) {
    set_duration(table, "liveness", SECOND..=DAY, &mut cadence.liveness);
    set_duration(table, "stream", 5 * SECOND..=DAY, &mut cadence.stream);
    set_duration(table, "survey", 60 * SECOND..=30 * DAY, &mut cadence.survey);
    set_duration(table, "device", 10 * SECOND..=30 * DAY, &mut cadence.device);
    set(&mut cadence.bytes_per_day, table.bytes("bytes_per_day"));
    looks_budget(table, cadence, down_every);
    table.refuse_unread();
}

/// `[monitor]`: when links are down, and by what the monitor tells that its own network works.
pub(super) fn monitor(tables: &Tables<'_>) -> (topology::Settings, Vec<Beacon>) {
    let mut topology = topology::Settings::default();
    let Some(table) = tables.one("monitor") else { return (topology, Vec::new()) };
    set(&mut topology.witnesses, table.number("witnesses", 2..=100).map(|number| number as usize));
    set_duration(table, "confirm_after", SECOND..=600 * SECOND, &mut topology.confirm_after);
    set_duration(table, "hold", Duration::ZERO..=600 * SECOND, &mut topology.hold);
    set_duration(table, "settle", SECOND..=3600 * SECOND, &mut topology.settle);
    let anchors = table.addresses("anchors").into_iter().filter_map(|text| beacon(table, "anchors", text)).collect();
    (topology, anchors)
}

/// `tcp://10.20.0.1:80` or `icmp://10.20.0.1`.
pub(super) fn beacon(table: &Entry<'_>, key: &'static str, text: Located<String>) -> Option<Beacon> {
    let beacon = text.value.parse().ok();
    if beacon.is_none() {
        let message = format!("{} is no address to ask", table.quoted(&text));
        let remedy = "write \"icmp://10.20.0.1\" or \"tcp://10.20.0.1:80\", with an IP address, or \"wireguard://wg0/KEY\" with \
                      a peer's public key";
        table.problem(key, text.span, message, remedy);
    }
    beacon
}

pub(super) fn probe(tables: &Tables<'_>) -> probe::Settings {
    let mut probe = probe::Settings::default();
    if let Some(table) = tables.one("probe") {
        let short = Duration::from_millis(100)..=30 * SECOND;
        set_duration(table, "connect_timeout", short.clone(), &mut probe.connect_timeout);
        set_duration(table, "answer_timeout", short, &mut probe.answer_timeout);
        // Half of the shortest session timeout known (Tapo, 15 s): beyond it, keepalives begin.
        set_duration(table, "media_timeout", SECOND..=7 * SECOND, &mut probe.media_timeout);
        set(&mut probe.frames, table.number("frames", 2..=300).map(|number| number as u32));
        set(&mut probe.workers, table.number("workers", 1..=64).map(|number| number as usize));
        set(&mut probe.worker_memory_mib, table.number("worker_memory_mib", 32..=4096));
    }
    probe
}

/// What grows with the fleet, where the configuration does not say otherwise: looks at once, and workers for those at
/// streams. At the default cadence 1,000 cameras have some four looks at streams under way, and some 80 if all are silent.
pub(super) fn by_size(
    tables: &Tables<'_>,
    cameras: usize,
    schedule: &mut schedule::Settings,
    probe: &mut probe::Settings,
) {
    if !tables.one("schedule").is_some_and(|table| table.has("concurrency")) {
        schedule.concurrency = (cameras / 16).clamp(schedule.concurrency, 4096);
    }
    if !tables.one("probe").is_some_and(|table| table.has("workers")) {
        probe.workers = cameras.div_ceil(1000).clamp(probe.workers, 64);
    }
    schedule.places = probe.places();
}

/// How much is told of each camera.
pub(super) fn metrics(tables: &Tables<'_>) -> metrics::Detail {
    let words = [("full", metrics::Detail::Full), ("lean", metrics::Detail::Lean)];
    tables.one("metrics").and_then(|table| table.word("series", &words)).unwrap_or_default()
}

pub(super) fn report(tables: &Tables<'_>) -> uptime::Settings {
    let mut report = uptime::Settings::default();
    if let Some(table) = tables.one("report") {
        set(&mut report.camera_target, table.ratio("camera_target"));
        set(&mut report.site_target, table.ratio("site_target"));
        set(&mut report.measured_at_least, table.ratio("measured_at_least"));
        if table.has("contractors_links") {
            let kinds = table.texts("contractors_links").into_iter().filter_map(|name| {
                let kind: Option<LinkKind> = name.value.parse().ok();
                if kind.is_none() {
                    let message = format!("{} is no kind of link", table.quoted(&name));
                    let remedy = "write contractors_links = [\"switch\"], of \"uplink\", \"switch\" and \"power\"";
                    table.problem("contractors_links", name.span, message, remedy);
                }
                kind
            });
            report.contractors_links = kinds.collect();
        }
    }
    report
}

fn set<T>(field: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *field = value;
    }
}

fn set_duration(table: &Entry<'_>, key: &'static str, range: std::ops::RangeInclusive<Duration>, field: &mut Duration) {
    set(field, table.duration(key, range).map(|duration| duration.value));
}
