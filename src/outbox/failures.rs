//! Channels that keep failing: each is reported once, until it takes something again.

use crate::model::{ChannelId, Notice};
use std::collections::BTreeMap;

/// Failures in a row after which a channel is reported.
const REPORTED_AFTER: u32 = 3;

/// How channels fared lately.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Failures(BTreeMap<ChannelId, Streak>);

/// Failures in a row.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Streak {
    count: u32,
    reported: bool,
}

impl Failures {
    /// Notes whether a channel took what it was told: a notice, or with `None` a state. Whether the channel is to be
    /// reported now.
    pub fn note(&mut self, channel: &ChannelId, ok: bool, told: Option<&Notice>) -> bool {
        if ok {
            self.0.remove(channel);
            return false;
        }
        let streak = self.0.entry(channel.clone()).or_default();
        streak.count = streak.count.saturating_add(1);
        // That a report cannot be told is not reported: it would go round for ever.
        let is_report = matches!(told, Some(Notice::Channel(_)));
        let reports = streak.count >= REPORTED_AFTER && !streak.reported && !is_report;
        streak.reported |= reports;
        reports
    }
}
