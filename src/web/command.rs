//! What people ask of the daemon over HTTP: the one way from a page back to the event loop.

use crate::model::Scope;
use jiff::Timestamp;
use tokio::sync::oneshot;

/// A wish of somebody's.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Read the configuration anew.
    Reload {
        /// Whatever it takes away.
        force: bool,
    },
    /// Take an incident on.
    Acknowledge {
        /// Its id or number.
        incident: String,
        /// Who takes it on.
        by: String,
        /// How that reached us.
        via: String,
    },
    /// Take something out of service.
    Silence {
        /// What.
        scope: Scope,
        /// From when; from now on when `None`.
        from: Option<Timestamp>,
        /// Until when.
        until: Timestamp,
        /// Who decides it.
        author: String,
        /// Why.
        reason: String,
    },
    /// End a window early.
    Unsilence(String),
}

/// A wish with the place where its outcome goes: what was done, or why not, for people.
#[derive(Debug)]
pub struct Request {
    /// What is asked.
    pub command: Command,
    /// Where the outcome goes. It is sent when what was done is durable.
    pub answer: oneshot::Sender<Result<String, Refusal>>,
}

/// Why a wish cannot be confirmed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It was not done, for this reason.
    #[error("{0}")]
    Refused(String),
    /// It was done, and a restart would forget it.
    #[error("it is done, but cannot be remembered until the journal can be written")]
    NotRemembered,
}
