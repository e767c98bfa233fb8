//! The daemon's own work: counters and gauges in a registry of their own, each series there before its first event.

use super::{agents::AgentMetrics, certificate::CertificateMetrics, made::made};
use crate::model::{ChannelId, Check};
use jiff::Timestamp;
use prometheus::{
    Gauge, GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts,
    Registry, core::Collector, proto::MetricFamily,
};
use serde::Serialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

/// Upper bounds of delays, in seconds: a quarter of a second is on time.
const DELAY_BUCKETS: [f64; 10] = [0.001, 0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 5.0, 15.0, 60.0];
/// Bounds in seconds from a loopback answer to the longest look.
const PROBE_BUCKETS: [f64; 10] = [0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// Bounds in seconds from an SSD's commit to a disk in trouble.
const COMMIT_BUCKETS: [f64; 7] = [0.001, 0.005, 0.02, 0.1, 0.5, 2.0, 10.0];

/// How a channel fared.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ChannelHealth {
    /// When it last took something.
    pub last_success: Option<Timestamp>,
    /// Since when it takes nothing.
    pub failing_since: Option<Timestamp>,
    /// Its last error; kept when it works again.
    pub last_error: Option<String>,
}

/// Counters of the daemon's own work.
#[derive(Debug)]
pub struct Own {
    registry: Registry,
    in_flight: IntGauge,
    lag: Gauge,
    delay_seconds: Histogram,
    probe_seconds: HistogramVec,
    commit_seconds: Histogram,
    journal_errors: IntCounter,
    sent: IntCounterVec,
    failed: IntCounterVec,
    success_at: GaugeVec,
    sms_parts: IntCounterVec,
    sms_per_day: IntGaugeVec,
    errors: Mutex<BTreeMap<ChannelId, ChannelHealth>>,
    heartbeat_ok: IntGauge,
    heartbeat_at: Gauge,
    pending: IntGauge,
    unwritten: AtomicI64,
    queued: AtomicI64,
    watching: IntGauge,
    set_aside: IntGauge,
    skipped: IntGauge,
    reload_ok: IntGauge,
    reload_at: Gauge,
    worker_deaths: IntCounterVec,
    culprits: IntGaugeVec,
    /// What is told of agents.
    pub agents: AgentMetrics,
    /// What is told of the pages' certificate.
    pub certificate: CertificateMetrics,
    sandbox: IntGaugeVec,
    named: Mutex<BTreeSet<(String, &'static str)>>,
    queue_used: IntGauge,
    queue_capacity: IntGauge,
    task_up: IntGaugeVec,
    trunk_up: IntGaugeVec,
    deadlines: IntGaugeVec,
}

impl Own {
    /// Counters at zero. `channels` are those of the configuration, so that each has its series from the start.
    pub fn new(channels: impl IntoIterator<Item = (ChannelId, &'static str)>) -> Self {
        let registry = Registry::new();
        let own = Self {
            in_flight: int_gauge("camhealth_probes_in_flight", "Looks under way."),
            lag: gauge("camhealth_probe_lag_seconds", "How late the most overdue look is, in seconds."),
            delay_seconds: made(Histogram::with_opts(
                HistogramOpts::new(
                    "camhealth_probe_start_delay_seconds",
                    "How much later looks began than they might have, in seconds.",
                )
                .buckets(DELAY_BUCKETS.to_vec()),
            )),
            probe_seconds: made(HistogramVec::new(
                HistogramOpts::new("camhealth_probe_duration_seconds", "Time that looks take, in seconds.")
                    .buckets(PROBE_BUCKETS.to_vec()),
                &["check"],
            )),
            commit_seconds: made(Histogram::with_opts(
                HistogramOpts::new("camhealth_journal_commit_duration_seconds", "Time of durable writes, in seconds.")
                    .buckets(COMMIT_BUCKETS.to_vec()),
            )),
            journal_errors: made(IntCounter::new("camhealth_journal_errors_total", "Writes that failed.")),
            sent: counters("camhealth_notices_sent_total", "Notices that a channel took.", &["channel"]),
            failed: counters("camhealth_notice_failures_total", "Tries that a channel did not take.", &["channel"]),
            success_at: made(GaugeVec::new(
                Opts::new(
                    "camhealth_channel_last_success_timestamp_seconds",
                    "When a channel last took something, as Unix time in seconds; 0 until then.",
                ),
                &["channel"],
            )),
            sms_parts: counters(
                "camhealth_sms_parts_total",
                "Parts of SMS that a channel took, each of which is paid.",
                &["channel"],
            ),
            sms_per_day: made(IntGaugeVec::new(
                Opts::new("camhealth_sms_parts_per_day", "Parts of SMS that a channel may send in a day."),
                &["channel"],
            )),
            errors: Mutex::default(),
            named: Mutex::default(),
            heartbeat_ok: int_gauge("camhealth_heartbeat_successful", "1 if the last heartbeat was taken."),
            heartbeat_at: gauge(
                "camhealth_heartbeat_last_success_timestamp_seconds",
                "When a heartbeat was last taken, as Unix time in seconds.",
            ),
            pending: int_gauge(
                "camhealth_notices_pending",
                "Notices that wait in the outbox, or to be written into it.",
            ),
            set_aside: int_gauge(
                "camhealth_journal_set_aside",
                "1 if the journal was found damaged since the start, and a new one made of what could be read.",
            ),
            skipped: int_gauge(
                "camhealth_journal_rows_skipped",
                "Rows of the journal that could not be read and were left out.",
            ),
            unwritten: AtomicI64::new(0),
            queued: AtomicI64::new(0),
            watching: int_gauge(
                "camhealth_watching",
                "1 while every part of the daemon gets on with its work and remembers it, as /-/healthy says.",
            ),
            agents: AgentMetrics::default(),
            certificate: CertificateMetrics::default(),
            reload_ok: int_gauge("camhealth_config_last_reload_successful", "1 if the last reload was accepted."),
            reload_at: gauge(
                "camhealth_config_last_reload_success_timestamp_seconds",
                "When a configuration was last accepted, as Unix time in seconds.",
            ),
            worker_deaths: counters(
                "camhealth_probe_worker_deaths_total",
                "Worker processes that died, by cause; killed and gave_up are not a camera's doing.",
                &["cause"],
            ),
            culprits: made(IntGaugeVec::new(
                Opts::new(
                    "camhealth_camera_workers_ended",
                    "Probe workers that what the camera sent has ended in the last six hours; of cameras that ended any.",
                ),
                &["camera", "protocol"],
            )),
            sandbox: made(IntGaugeVec::new(
                Opts::new(
                    "camhealth_probe_worker_sandbox_enforced",
                    "1 for a layer of the probe workers' confinement that is in force, else 0.",
                ),
                &["layer"],
            )),
            queue_used: int_gauge("camhealth_event_queue_used", "Observations that wait for the event loop."),
            queue_capacity: int_gauge("camhealth_event_queue_capacity", "Observations that may wait."),
            trunk_up: made(IntGaugeVec::new(
                Opts::new(
                    "camhealth_trunk_up",
                    "1 if a telephone exchange answered when it was last asked, or knows us where it wants to.",
                ),
                &["trunk"],
            )),
            deadlines: made(IntGaugeVec::new(
                Opts::new(
                    "camhealth_contract_deadlines",
                    "Deadlines of open incidents, by what the contractor is to do (respond, repair) and how they stand (running, paused, kept, missed).",
                ),
                &["duty", "stands"],
            )),
            task_up: made(IntGaugeVec::new(
                Opts::new("camhealth_task_up", "1 while a part of the daemon runs; without it the daemon stops."),
                &["task"],
            )),
            registry,
        };
        let build = made(GaugeVec::new(Opts::new("camhealth_build_info", "The program; always 1."), &["version"]));
        build.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1.0);
        for check in Check::ALL {
            own.probe_seconds.with_label_values(&[check.as_str()]);
        }
        for (channel, _) in channels {
            own.sent.with_label_values(&[channel.as_str()]);
            own.failed.with_label_values(&[channel.as_str()]);
            own.success_at.with_label_values(&[channel.as_str()]);
        }
        own.register(build);
        own.register(own.in_flight.clone());
        own.register(own.lag.clone());
        own.register(own.delay_seconds.clone());
        own.register(own.probe_seconds.clone());
        own.register(own.commit_seconds.clone());
        own.register(own.journal_errors.clone());
        own.register(own.sent.clone());
        own.register(own.failed.clone());
        own.register(own.success_at.clone());
        own.register(own.sms_parts.clone());
        own.register(own.sms_per_day.clone());
        own.register(own.heartbeat_ok.clone());
        own.register(own.heartbeat_at.clone());
        own.register(own.pending.clone());
        own.register(own.watching.clone());
        own.register(own.set_aside.clone());
        own.register(own.skipped.clone());
        own.certificate.register(&own.registry);
        own.agents.register(&own.registry);
        own.register(own.reload_ok.clone());
        own.register(own.reload_at.clone());
        own.register(own.worker_deaths.clone());
        own.register(own.culprits.clone());
        own.register(own.sandbox.clone());
        own.register(own.queue_used.clone());
        own.register(own.queue_capacity.clone());
        own.register(own.task_up.clone());
        own.register(own.trunk_up.clone());
        own.register(own.deadlines.clone());
        own
    }

    /// How the scheduler fares.
    pub fn set_probes(&self, in_flight: usize, lag: Duration) {
        self.in_flight.set(in_flight as i64);
        self.lag.set(lag.as_secs_f64());
    }

    /// A look began, so much later than it might have.
    pub fn probe_began(&self, delay: Duration) {
        self.delay_seconds.observe(delay.as_secs_f64());
    }

    /// A look ended.
    pub fn observe_probe(&self, check: Check, took: Duration) {
        self.probe_seconds.with_label_values(&[check.as_str()]).observe(took.as_secs_f64());
    }

    /// A durable write ended.
    pub fn journal_commit(&self, took: Duration, ok: bool) {
        self.commit_seconds.observe(took.as_secs_f64());
        self.journal_errors.inc_by(u64::from(!ok));
    }

    /// A try to tell somebody ended, with an error if it failed.
    pub fn notice(&self, channel: &ChannelId, error: Option<&str>, now: Timestamp) {
        let counters = if error.is_none() { &self.sent } else { &self.failed };
        counters.with_label_values(&[channel.as_str()]).inc();
        let mut channels = self.errors.lock().unwrap_or_else(PoisonError::into_inner);
        let health = channels.entry(channel.clone()).or_default();
        match error {
            None => {
                health.failing_since = None;
                health.last_success = Some(now);
                let seconds = now.as_millisecond() as f64 / 1000.0;
                self.success_at.with_label_values(&[channel.as_str()]).set(seconds);
            }
            Some(error) => {
                health.failing_since.get_or_insert(now);
                health.last_error = Some(error.to_owned());
            }
        }
    }

    /// A channel took so many parts of SMS, of those that it may send in a day.
    pub fn sms(&self, channel: &ChannelId, parts: u32, per_day: u32) {
        self.sms_parts.with_label_values(&[channel.as_str()]).inc_by(parts.into());
        self.sms_per_day.with_label_values(&[channel.as_str()]).set(per_day.into());
    }

    /// How each channel fared that was used.
    pub fn channels(&self) -> BTreeMap<ChannelId, ChannelHealth> {
        self.errors.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A heartbeat was taken, or was not.
    pub fn heartbeat(&self, ok: bool, now: Timestamp) {
        self.heartbeat_ok.set(i64::from(ok));
        if ok {
            self.heartbeat_at.set(now.as_millisecond() as f64 / 1000.0);
        }
    }

    /// How many notices wait in the outbox.
    pub fn set_notices_pending(&self, waiting: usize) {
        self.queued.store(waiting as i64, Ordering::Relaxed);
        self.pending.set(waiting as i64 + self.unwritten.load(Ordering::Relaxed));
    }

    /// How many notices wait to be written into the outbox.
    pub fn set_notices_unwritten(&self, waiting: usize) {
        self.unwritten.store(waiting as i64, Ordering::Relaxed);
        self.pending.set(waiting as i64 + self.queued.load(Ordering::Relaxed));
    }

    /// Whether the journal was found damaged, and how many of its rows cannot be read.
    pub fn set_journal(&self, set_aside: bool, rows_skipped: u64) {
        self.set_aside.set(i64::from(set_aside));
        self.skipped.set(i64::try_from(rows_skipped).unwrap_or(i64::MAX));
    }

    /// Whether the daemon does its work.
    pub fn set_watching(&self, watching: bool) {
        self.watching.set(i64::from(watching));
    }

    /// A configuration was accepted or refused.
    pub fn reload(&self, ok: bool, now: Timestamp) {
        self.reload_ok.set(i64::from(ok));
        if ok {
            self.reload_at.set(now.as_millisecond() as f64 / 1000.0);
        }
    }

    /// How many workers have died of each cause so far.
    pub fn set_worker_deaths(&self, deaths: impl IntoIterator<Item = (&'static str, u64)>) {
        for (cause, deaths) in deaths {
            let counter = self.worker_deaths.with_label_values(&[cause]);
            counter.inc_by(deaths.saturating_sub(counter.get()));
        }
    }

    /// Which cameras ended workers lately, over which protocol and how often. Who does it no more has no series.
    pub fn set_culprits<'c>(&self, culprits: impl IntoIterator<Item = (&'c str, &'static str, usize)>) {
        let mut named = BTreeSet::new();
        for (camera, protocol, count) in culprits {
            self.culprits.with_label_values(&[camera, protocol]).set(count as i64);
            named.insert((camera.to_owned(), protocol));
        }
        let mut before = self.named.lock().unwrap_or_else(PoisonError::into_inner);
        for (camera, protocol) in before.difference(&named) {
            // It fails only for a series that is gone already.
            let _ = self.culprits.remove_label_values(&[camera.as_str(), protocol]);
        }
        *before = named;
    }

    /// Which layers confine the workers.
    pub fn set_sandbox(&self, layers: impl IntoIterator<Item = (&'static str, bool)>) {
        for (layer, enforced) in layers {
            self.sandbox.with_label_values(&[layer]).set(i64::from(enforced));
        }
    }

    /// How full the event queue is.
    pub fn set_event_queue(&self, used: usize, capacity: usize) {
        self.queue_used.set(used as i64);
        self.queue_capacity.set(capacity as i64);
    }

    /// How many deadlines of the contract there are, by what is to be done and how they stand.
    pub fn set_deadlines<'d>(&self, counts: impl IntoIterator<Item = (&'d str, &'d str, usize)>) {
        // Without a contract there are none.
        self.deadlines.reset();
        for (duty, stands, count) in counts {
            self.deadlines.with_label_values(&[duty, stands]).set(count as i64);
        }
    }

    /// Which telephone exchanges are there, or know us where they want to.
    pub fn set_trunks<'t>(&self, trunks: impl IntoIterator<Item = (&'t str, bool)>) {
        // A reload may have taken some away.
        self.trunk_up.reset();
        for (trunk, up) in trunks {
            self.trunk_up.with_label_values(&[trunk]).set(i64::from(up));
        }
    }

    /// A task of the daemon began or ended.
    pub fn task_up(&self, task: &str, up: bool) {
        self.task_up.with_label_values(&[task]).set(i64::from(up));
    }

    pub(super) fn gather(&self) -> Vec<MetricFamily> {
        self.registry.gather()
    }

    fn register(&self, collector: impl Collector + 'static) {
        self.registry.register(Box::new(collector)).expect("each name is declared once, here");
    }
}

fn int_gauge(name: &str, help: &str) -> IntGauge {
    made(IntGauge::new(name, help))
}

fn gauge(name: &str, help: &str) -> Gauge {
    made(Gauge::new(name, help))
}

fn counters(name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
    made(IntCounterVec::new(Opts::new(name, help), labels))
}

#[cfg(test)]
mod tests {
    use super::*;
    use prometheus::{Encoder, TextEncoder};

    fn text(own: &Own) -> String {
        let mut text = Vec::new();
        TextEncoder::new().encode(&own.gather(), &mut text).expect("memory can be written to");
        String::from_utf8(text).expect("metrics are text")
    }

    #[test]
    fn a_camera_is_named_as_long_as_it_ends_workers() {
        let own = Own::new([]);
        assert!(!text(&own).contains("camhealth_camera_workers_ended{"));
        own.set_culprits([("a", "rtsp", 3), ("b", "onvif", 1)]);
        let named = text(&own);
        assert!(named.contains("camhealth_camera_workers_ended{camera=\"a\",protocol=\"rtsp\"} 3"), "{named}");
        own.set_culprits([("b", "onvif", 2)]);
        let named = text(&own);
        assert!(!named.contains("camera=\"a\""), "{named}");
        assert!(named.contains("camhealth_camera_workers_ended{camera=\"b\",protocol=\"onvif\"} 2"), "{named}");
    }

    #[test]
    fn the_layers_that_confine_workers_are_shown() {
        let own = Own::new([]);
        assert!(!text(&own).contains("sandbox_enforced{"), "nothing is claimed before a worker has told");
        own.set_sandbox([("files", false), ("system_calls", true)]);
        let text = text(&own);
        assert!(text.contains("camhealth_probe_worker_sandbox_enforced{layer=\"files\"} 0"), "{text}");
        assert!(text.contains("camhealth_probe_worker_sandbox_enforced{layer=\"system_calls\"} 1"), "{text}");
    }

    #[test]
    fn deaths_are_counted_by_cause() {
        let own = Own::new([]);
        own.set_worker_deaths([("crashed", 0), ("killed", 0)]);
        own.set_worker_deaths([("crashed", 2), ("killed", 0)]);
        own.set_worker_deaths([("crashed", 3), ("killed", 0)]);
        let text = text(&own);
        assert!(text.contains("camhealth_probe_worker_deaths_total{cause=\"crashed\"} 3"), "{text}");
        assert!(text.contains("camhealth_probe_worker_deaths_total{cause=\"killed\"} 0"), "{text}");
    }
}
