//! What an agent in a house and the daemon tell each other, and what is kept of what came late.

use super::{CameraId, Check, FailureKind, Fits, Observation};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A look that an agent made, as it sends it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AgentLook {
    /// Its number among the agent's looks, from 1; it never has the same twice.
    pub number: u64,
    /// Which camera.
    pub camera: CameraId,
    /// Milliseconds from its end until it was sent, by a clock that nobody sets.
    pub age: u64,
    /// By how many milliseconds that may be wrong: more than a moment where the agent was started anew in between.
    pub error: u64,
    /// What was seen.
    pub seen: Observation,
    /// Whether that is larger than any look is, as the edge finds that reads it: it would fill pages, memory and the journal.
    #[serde(skip)]
    pub oversized: bool,
}

/// What an agent sends.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AgentMessage {
    /// Its program's version.
    pub version: String,
    /// What its plan is known by; empty before it has one.
    pub plan: String,
    /// Looks that wait to be sent behind these.
    pub backlog: u64,
    /// Looks that it had to give up since it joined.
    pub dropped: u64,
    /// Seconds for which the answer may be kept back while there is nothing to say.
    pub wait: u64,
    /// What its clock shows as it sends, in milliseconds since 1970; none from those that do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<i64>,
    /// Alarms that it told by a channel of its own since it joined.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub alarms: u64,
    /// Looks, by number.
    pub looks: Vec<AgentLook>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl AgentMessage {
    /// For how long an answer is kept back, in seconds: less than the minute after which proxies give up.
    pub const LONGEST_WAIT: u64 = 44;
}

/// What the daemon answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentAnswer {
    /// The number up to which all looks are on the daemon's disk, or were refused for good.
    pub taken: u64,
    /// Another plan than the agent's, if there is one.
    pub plan: Option<AgentPlan>,
}

/// What an agent is to do: a configuration of its own cameras, and what it names by variables.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentPlan {
    /// By which it is known.
    pub print: String,
    /// TOML, as the daemon's files have it.
    pub text: String,
    /// Passwords, by the names of the variables that stand for them.
    pub secrets: BTreeMap<String, String>,
}

impl std::fmt::Debug for AgentPlan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AgentPlan").field("print", &self.print).finish_non_exhaustive()
    }
}

/// What was last heard of an agent.
#[derive(Debug, Clone, PartialEq)]
pub struct AgentContact {
    /// When a message of it was taken last since the daemon runs; never where its version is refused.
    pub heard: Option<Timestamp>,
    /// Its program's version.
    pub version: String,
    /// How that fits the daemon's.
    pub fits: Fits,
    /// Looks that wait with it.
    pub backlog: u64,
    /// Looks that it had to give up since it joined.
    pub dropped: u64,
    /// Alarms that it told by a channel of its own since it joined.
    pub alarms: u64,
    /// Its clock minus ours, in seconds, with the way that a message takes.
    pub clock_offset_seconds: Option<f64>,
}

impl AgentContact {
    /// How far its clock is off, for people, to a tenth of a second; less than that has no sign.
    pub fn clock_off(seconds: f64) -> String {
        let tenths = (seconds * 10.0).round();
        if tenths == 0.0 { "0.0 s".to_owned() } else { format!("{:+.1} s", tenths / 10.0) }
    }
}

/// What is kept of a look that came too late for the present: enough to say what was in its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LateLook {
    /// Which camera.
    pub camera: CameraId,
    /// When it ended, by our clock.
    pub at: Timestamp,
    /// How deep it was.
    pub check: Check,
    /// What was wrong.
    pub failure: Option<FailureKind>,
    /// Whether media was seen to arrive.
    pub proves: bool,
}

/// How far an agent's looks were taken in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentMark {
    /// By what it is known: another key begins anew.
    pub print: String,
    /// The number up to which they were.
    pub taken: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_right_is_neither_before_nor_behind() {
        let shown = [-0.04, 0.0, 0.04, -0.06, 2.25, -3600.0].map(AgentContact::clock_off);
        assert_eq!(shown, ["0.0 s", "0.0 s", "0.0 s", "-0.1 s", "+2.3 s", "-3600.0 s"]);
    }
}
