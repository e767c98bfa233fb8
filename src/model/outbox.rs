//! Rows of the outbox as plain data: what the journal stores of messages on their way, and what it is told to note.

use super::{ChannelId, IncidentId, Notice, Reason, Recipient};
use jiff::Timestamp;
use std::{collections::BTreeMap, time::Duration};

/// All that one recipient is told of one incident, in order: of what waits in it only the newest is told.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Thread {
    /// Of which incident.
    pub incident: IncidentId,
    /// Whose, by [`Recipient::key`].
    pub recipient: String,
}

/// Over which of a recipient's channels a row goes, and how it fared so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Where to.
    pub channel: ChannelId,
    /// Which of the recipient's channels that is, from 0.
    pub nth: usize,
    /// Tries that failed, over any channel. One that is left at its first failure counts as used up.
    pub attempts: u32,
}

/// A row that waits, such as the one that has waited longest for a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The row's number: rows that were queued later have higher ones.
    pub id: i64,
    /// What it belongs to.
    pub thread: Thread,
    /// Where it waits.
    pub place: Place,
    /// When it is to be tried again, if it was tried before.
    pub due: Timestamp,
}

/// A row that waits behind another, of a recipient who has further channels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Behind {
    /// The row.
    pub row: Head,
    /// Who it is for, and all their channels.
    pub recipient: Recipient,
}

/// The newest row that waits in a thread, with what bears on how it is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Newest {
    /// The row's number.
    pub id: i64,
    /// Where it waits.
    pub place: Place,
    /// Who it is for, and all their channels.
    pub recipient: Recipient,
    /// What to tell.
    pub notice: Notice,
    /// Whether older rows of the thread wait too.
    pub has_older: bool,
    /// Why the recipient was to be told since they last were, without this row; oldest first.
    pub unheard: Vec<Reason>,
    /// What each channel called the first message of the thread that it took.
    pub first: BTreeMap<ChannelId, String>,
}

/// What the journal is to note of rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mark {
    /// A channel took it.
    Sent {
        /// Which row.
        id: i64,
        /// What the channel called it.
        receipt: Option<String>,
    },
    /// All that waits in a thread and is older than a row is not told: that row says all that it would have.
    Superseded {
        /// Which thread.
        thread: Thread,
        /// Rows with lower numbers than this.
        before: i64,
    },
    /// It waits at another place, or for another time.
    Waits {
        /// Which row.
        id: i64,
        /// Where.
        place: Place,
        /// When it is to be tried.
        due: Timestamp,
        /// Why, if something failed; for people who look into the journal.
        error: Option<String>,
    },
    /// It is told no more: the configuration has none of the recipient's channels, or nobody answers their calls.
    Abandoned {
        /// Which row.
        id: i64,
        /// Why, if something failed.
        error: Option<String>,
    },
}

/// Why a notice could not be handed over. Holds no address and no token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Refusal {
    /// For people.
    pub reason: String,
    /// How long the receiver asks us to wait.
    pub wait: Option<Duration>,
    /// The same message will never be taken over this channel as it is configured.
    pub permanent: bool,
    /// The channel did its work and the person was not reached: the line was busy, nobody answered.
    pub unreached: bool,
}

impl Refusal {
    /// A refusal that may pass.
    pub fn passing(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), wait: None, permanent: false, unreached: false }
    }
}
