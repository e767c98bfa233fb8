//! What is told to single people beside news of incidents: that money runs out, what became of their answer, that their shift
//! begins, that nobody can be reached on one.

use super::{ChannelId, Level, closed::closed, language::worded};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One such thing. As JSON it says by `what` which it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Note {
    /// The SMS that a channel may send today are nearly used up.
    Spending {
        /// Which channel.
        channel: ChannelId,
        /// Parts that it sent today.
        parts: u32,
        /// Parts that it may send in a day.
        per_day: u32,
    },
    /// What became of an answer by SMS.
    Answer {
        /// The incident's number, as they wrote it.
        number: u32,
        /// What became of it.
        outcome: Answered,
        /// Who has taken it on, where somebody has.
        by: String,
    },
    /// Somebody's shift begins soon.
    Handover {
        /// In which rotation.
        rotation: String,
        /// When it begins.
        from: Timestamp,
        /// When it ends.
        until: Timestamp,
        /// The first few incidents that are open.
        open: Vec<OpenLine>,
        /// How many there are.
        count: usize,
    },
    /// A shift falls to somebody who cannot be told of anything.
    Gap {
        /// In which rotation.
        rotation: String,
        /// Whom it falls to, by name or id; nothing where it falls to nobody.
        person: String,
        /// When it begins.
        from: Timestamp,
        /// When it ends.
        until: Timestamp,
        /// Why they cannot.
        why: GapKind,
    },
    /// An agent that cannot reach the daemon tells by itself of a site that is blind, or is so no more.
    CutOff {
        /// The site, for people.
        place: String,
        /// The agent, for people.
        agent: String,
        /// Since when it is, or was, blind.
        since: Timestamp,
        /// Whether it is seen again.
        over: bool,
    },
}

impl Note {
    /// Why it is told, by the name that receivers know.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Spending { .. } => "sms_spending",
            Self::Answer { .. } => "answer",
            Self::Handover { .. } => "handover",
            Self::Gap { .. } => "roster_gap",
            Self::CutOff { .. } => "agent_cut_off",
        }
    }
}

/// An open incident in a notice of a shift.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenLine {
    /// Its number.
    pub number: u32,
    /// What failed, for people.
    pub place: String,
    /// The worst level that was told of it.
    pub level: Level,
    /// Who has taken it on.
    pub taken_on_by: Option<String>,
}

closed! {
    /// What became of an answer.
    pub enum Answered {
        /// They have taken it on.
        Taken "taken",
        /// Somebody has taken it on before.
        TakenBefore "taken_before",
        /// They have, and it cannot be remembered.
        NotDurable "not_durable",
        /// There is no such open incident.
        Unknown "unknown",
        /// It could not be done.
        Refused "refused",
    }
}

closed! {
    /// Why nobody can be told in a shift.
    #[derive(PartialOrd, Ord)]
    pub enum GapKind {
        /// The rotation names nobody.
        Nobody "nobody",
        /// It names somebody whom the configuration does not know.
        Gone "gone",
        /// None of their channels is there.
        Unreachable "unreachable",
        /// Whoever has the turn is away, and nobody stands in.
        Open "open",
    }
}

worded!(GapKind::text {
    Nobody => "không có ai trong lịch", "nobody is on the roster";
    Gone => "người này không còn trong cấu hình", "the configuration no longer has them";
    Unreachable => "người này không có kênh nào để báo", "no channel reaches them";
    Open => "người có ca vắng mặt, chưa có ai trực thay", "whoever has the turn is away, and nobody stands in";
});
