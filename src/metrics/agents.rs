//! Agents and sources: when each was last heard of, what waits with it, and what becomes of what it saw or says.

use super::{cameras::seconds, made::made};
use crate::model::AgentContact;
use jiff::Timestamp;
use prometheus::{GaugeVec, IntCounterVec, IntGaugeVec, Opts, Registry};

/// What is told of agents.
#[derive(Debug)]
pub struct AgentMetrics {
    looks: IntCounterVec,
    refusals: IntCounterVec,
    info: IntGaugeVec,
    heard: GaugeVec,
    backlog: GaugeVec,
    dropped: GaugeVec,
    alarms: GaugeVec,
    offset: GaugeVec,
    claims: IntCounterVec,
    sources_heard: GaugeVec,
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
            refusals: made(IntCounterVec::new(
                Opts::new(
                    "camhealth_agent_refusals_total",
                    "Messages at the address of agents that were refused, by why: unsigned, unknown, time, version, flood or unread.",
                ),
                &["reason"],
            )),
            info: made(IntGaugeVec::new(
                Opts::new(
                    "camhealth_agent_info",
                    "1 for each agent that was heard of, with its program's version, and how that fits the daemon's: same, older, newer or refused.",
                ),
                &["link", "version", "fits"],
            )),
            heard: gauges(
                "camhealth_agent_last_contact_timestamp_seconds",
                "When an agent was last heard of, as Unix time in seconds; 0 where it was not since the start.",
            ),
            backlog: gauges("camhealth_agent_backlog_looks", "Looks that wait with an agent to be sent."),
            offset: gauges(
                "camhealth_agent_clock_offset_seconds",
                "An agent's clock minus the daemon's, with the way of its message; nothing is judged by that clock.",
            ),
            claims: made(IntCounterVec::new(
                Opts::new(
                    "camhealth_source_claims_total",
                    "What sources said of cameras, by what became of it: taken or untaken.",
                ),
                &["link", "outcome"],
            )),
            sources_heard: gauges(
                "camhealth_source_last_contact_timestamp_seconds",
                "When a source last said something, as Unix time in seconds; 0 where it did not since the start.",
            ),
            alarms: gauges(
                "camhealth_agent_alarms",
                "Alarms that an agent told by a channel of its own since it joined, because the daemon could not be reached.",
            ),
            dropped: gauges("camhealth_agent_dropped_looks", "Looks that an agent had to give up since it joined."),
        }
    }
}

impl AgentMetrics {
    pub(super) fn register(&self, registry: &Registry) {
        let gauges = [&self.heard, &self.backlog, &self.dropped, &self.alarms, &self.offset, &self.sources_heard];
        gauges.into_iter().for_each(|one| made(registry.register(Box::new(one.clone()))));
        made(registry.register(Box::new(self.looks.clone())));
        made(registry.register(Box::new(self.refusals.clone())));
        made(registry.register(Box::new(self.claims.clone())));
        made(registry.register(Box::new(self.info.clone())));
    }

    /// Looks: those of the present, of the past, those that were taken before, and those that are refused.
    pub fn looks(&self, counts: [u64; 4]) {
        for (outcome, count) in ["fresh", "late", "repeated", "refused"].into_iter().zip(counts) {
            self.looks.with_label_values(&[outcome]).inc_by(count);
        }
    }

    /// What a source said: how much of it something may follow from, and how much not.
    pub fn claims(&self, link: &str, taken: u64, untaken: u64) {
        for (outcome, count) in [("taken", taken), ("untaken", untaken)] {
            self.claims.with_label_values(&[link, outcome]).inc_by(count);
        }
    }

    /// When each source last said something.
    pub fn set_sources<'a>(&self, sources: impl IntoIterator<Item = (&'a str, Option<Timestamp>)>) {
        self.sources_heard.reset();
        for (link, heard) in sources {
            self.sources_heard.with_label_values(&[link]).set(heard.map_or(0.0, seconds));
        }
    }

    /// A message was refused.
    pub fn refused(&self, reason: &str) {
        self.refusals.with_label_values(&[reason]).inc();
    }

    /// How they stand, by link: what was heard of each that was.
    pub fn set<'a>(&self, agents: impl IntoIterator<Item = (&'a str, Option<&'a AgentContact>)>) {
        // A reload may have taken some away, and a version changes.
        self.info.reset();
        [&self.heard, &self.backlog, &self.dropped, &self.alarms, &self.offset].into_iter().for_each(GaugeVec::reset);
        for (link, contact) in agents {
            let of = |gauge: &GaugeVec, value: f64| gauge.with_label_values(&[link]).set(value);
            let heard = contact.and_then(|contact| contact.heard);
            of(&self.heard, heard.map_or(0.0, seconds));
            let Some(contact) = contact else { continue };
            self.info.with_label_values(&[link, &contact.version, contact.fits.as_str()]).set(1);
            of(&self.backlog, contact.backlog as f64);
            of(&self.dropped, contact.dropped as f64);
            of(&self.alarms, contact.alarms as f64);
            if let Some(offset) = contact.clock_offset_seconds {
                of(&self.offset, offset);
            }
        }
    }
}
