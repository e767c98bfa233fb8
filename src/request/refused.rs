//! Why a request was not done, or cannot be confirmed.

use crate::{
    edits,
    model::{Scope, closed},
    rights::{Denied, Wrong},
};
use std::fmt;

/// Why a request was not done, or cannot be confirmed. As text it is for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// What it names is not there.
    #[error("{0}")]
    Unknown(Unknown),
    /// The incident is over.
    #[error("there is no open incident {0}")]
    Over(String),
    /// The incident's escalation has no further step, or took it already.
    #[error("there is nobody further to be told of incident {0}")]
    NoNext(String),
    /// It can be understood and cannot be done.
    #[error("{0}")]
    Invalid(Invalid),
    /// There are as many as there may be.
    #[error("{0}")]
    TooMany(TooMany),
    /// The configuration cannot be taken over, in the words of whoever read it: they quote nothing of the files.
    #[error("{0}")]
    Configuration(String),
    /// Whoever asks may not.
    #[error("{0}")]
    Denied(Denied),
    /// It cannot be done about accounts.
    #[error("{0}")]
    People(Wrong),
    /// It cannot be edited so.
    #[error("{0}")]
    Edit(edits::Refusal),
    /// It was done, and a restart would forget it.
    #[error("it is done, but cannot be remembered until the journal can be written")]
    NotDurable,
    /// It waited for something that cannot be remembered, and was not begun.
    #[error(
        "nothing was changed: the journal cannot be written, and another change waits for that; try again when it can"
    )]
    JournalFails,
    /// The daemon is stopping, and may or may not have done it.
    #[error("camhealth is stopping")]
    Stopping,
}

/// What a request names and is not there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unknown {
    /// An incident by its id or number.
    #[error("there is no open incident {0}")]
    Incident(String),
    /// What is to be taken out of service.
    #[error("there is no such {}", .0.kind())]
    Scope(Scope),
    /// A window; those of the configuration are ended there.
    #[error("there is no window {0:?} that was set by somebody")]
    Window(String),
}

/// What is wrong with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// A name or a reason has no letter that can be seen.
    #[error("{0}: it is empty: give a name or a reason that people can read")]
    Empty(Field),
    /// A length that is no whole number of minutes, or too long.
    #[error("minutes: a whole number, at least 1, at most 44640 (31 days)")]
    Minutes,
    /// No end was given, or two.
    #[error("give either until or minutes")]
    End,
    /// It lasts for too long.
    #[error("at most 31 days; longer maintenance belongs into the configuration")]
    Longer,
    /// Nothing is left of it.
    #[error("the end lies in the past, or before the beginning")]
    Past,
    /// It begins too late.
    #[error("it begins more than 90 days from now: longer plans belong into the configuration")]
    TooFar,
}

/// Of what there are as many as there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TooMany {
    /// So many windows are set and not over.
    #[error("{0} windows are set already, which is the limit: end some of them first")]
    Windows(usize),
    /// So many windows were set lately.
    #[error("{0} windows were set within a day, which is the limit")]
    WindowsADay(u32),
    /// Edits that wait to be checked.
    #[error("too many edits wait already; send yours again in a moment")]
    Edits,
    /// Reloads that wait: the next one will do for all.
    #[error("too many reloads wait already; yours is not needed")]
    Reloads,
}

closed! {
    /// What people fill in.
    pub enum Field {
        /// Who takes an incident on.
        By "by",
        /// Who decides that something is out of service.
        Author "author",
        /// Why it is.
        Reason "reason",
        /// What a program or a screen is called.
        Label "label",
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
