//! Agents: when each was last heard of, what waits with it, and what becomes of its looks.

use super::made::made;
use jiff::Timestamp;
use prometheus::{GaugeVec, IntCounterVec, IntGaugeVec, Opts, Registry};

/// What is told of agents.
#[derive(Debug)]
pub struct AgentMetrics {
    looks: IntCounterVec,
    info: IntGaugeVec,
    heard: GaugeVec,
    backlog: GaugeVec,
    dropped: GaugeVec,
}

fn gauges(name: &str, help: &str) -> GaugeVec {
    made(GaugeVec::new(Opts::new(name, help), &["link"]))
}

impl Default for AgentMetrics {
    fn default() -> Self {
        Self {
            looks: made(IntCounterVec::new(
                Opts::new(
                    "camhealth_agent_looks_total",
                    "Looks that agents sent, by what became of them: fresh, late, repeated or refused.",
                ),
                &["outcome"],
            )),
            info: made(IntGaugeVec::new(
                Opts::new("camhealth_agent_info", "1 for each agent, with its program's version."),
                &["link", "version"],
            )),
            heard: gauges(
                "camhealth_agent_last_contact_timestamp_seconds",
                "When an agent was last heard of, as Unix time in seconds; 0 where it was not since the start.",
            ),
            backlog: gauges("camhealth_agent_backlog_looks", "Looks that wait with an agent to be sent."),
            dropped: gauges("camhealth_agent_dropped_looks", "Looks that an agent had to give up since it joined."),
        }
    }
}

impl AgentMetrics {
    pub(super) fn register(&self, registry: &Registry) {
        let gauges = [&self.heard, &self.backlog, &self.dropped];
        gauges.into_iter().for_each(|one| made(registry.register(Box::new(one.clone()))));
        made(registry.register(Box::new(self.looks.clone())));
        made(registry.register(Box::new(self.info.clone())));
    }

    /// Looks: those of the present, of the past, those that were taken before, and those that are refused.
    pub fn looks(&self, counts: [u64; 4]) {
        for (outcome, count) in ["fresh", "late", "repeated", "refused"].into_iter().zip(counts) {
            self.looks.with_label_values(&[outcome]).inc_by(count);
        }
    }

    /// How they stand: link, version, when each was heard of, what waits with it and what it gave up.
    pub fn set<'a>(&self, agents: impl IntoIterator<Item = (&'a str, &'a str, Option<Timestamp>, u64, u64)>) {
        // A reload may have taken some away, and a version changes.
        self.info.reset();
        [&self.heard, &self.backlog, &self.dropped].into_iter().for_each(GaugeVec::reset);
        for (link, version, heard, backlog, dropped) in agents {
            self.info.with_label_values(&[link, version]).set(1);
            let heard = heard.map_or(0.0, |heard| heard.as_millisecond() as f64 / 1000.0);
            self.heard.with_label_values(&[link]).set(heard);
            self.backlog.with_label_values(&[link]).set(backlog as f64);
            self.dropped.with_label_values(&[link]).set(dropped as f64);
        }
    }
}
