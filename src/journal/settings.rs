//! Where the journal lies and how long it remembers, kind by kind.

use super::server::Server;
use crate::model::closed;
use std::{path::PathBuf, sync::Arc, time::Duration};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

closed! {
    /// A kind of what is kept, by the key of `[journal]` that says for how long.
    pub enum Keep {
        /// Transcripts of looks that found nothing wrong.
        Good "keep_good",
        /// Transcripts of failures.
        Failures "keep_failures",
        /// What each camera, site and link was, incidents, windows that people set, and when the daemon ran: all that
        /// reports are made from.
        History "keep_history",
        /// What was told to whom.
        Messages "keep_messages",
        /// Who changed what.
        Audit "keep_audit",
        /// What looks measured, by the minute.
        Minutes "keep_minutes",
        /// The same by the hour.
        Hours "keep_hours",
    }
}

impl Keep {
    /// How long, where nobody says otherwise.
    ///
    /// Thirteen months are 400 days: the month that runs and the twelve before it take 397 at most, so that each report
    /// of the list is made from a whole month. The trail of who changed what is asked for when something is in dispute,
    /// which comes later than the report: it stays for two years and two months.
    pub const fn usual(self) -> Duration {
        match self {
            Self::Good => DAY,
            Self::Failures => DAY.saturating_mul(30),
            Self::History | Self::Messages | Self::Hours => DAY.saturating_mul(400),
            Self::Audit => DAY.saturating_mul(800),
            // Pages look back on a day.
            Self::Minutes => Duration::from_secs(25 * 60 * 60),
        }
    }

    /// How long at least: what pages and reports need.
    pub const fn least(self) -> Duration {
        match self {
            Self::Good | Self::Failures => Duration::from_secs(1),
            Self::History | Self::Audit => DAY.saturating_mul(400),
            Self::Messages => DAY.saturating_mul(30),
            Self::Minutes => Duration::from_secs(25 * 60 * 60),
            // What is usual at an hour of the day is learned from a month and a half.
            Self::Hours => DAY.saturating_mul(46),
        }
    }
}

/// The journal's file or server, and retention.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// SQLite file; `None` keeps the journal in memory, for demos and tests.
    pub path: Option<PathBuf>,
    /// A schema of a PostgreSQL server's database, in the place of a file.
    pub server: Option<Arc<Server>>,
    /// Whether daemons stand by for each other: one waits until the journal is let go, and gives it up when it cannot renew.
    pub standby: bool,
    /// How long each kind is kept.
    pub keep: Limits,
    /// Bytes above which the oldest transcripts go; of a file.
    pub max_size: u64,
}

impl Settings {
    /// Where it lies, for people; nothing of it is a secret.
    pub fn told(&self) -> String {
        match (&self.server, &self.path) {
            (Some(server), _) => server.told(),
            (None, Some(path)) => path.display().to_string(),
            (None, None) => "in memory".to_owned(),
        }
    }

    /// Whether it outlives the daemon.
    pub fn is_kept(&self) -> bool {
        self.server.is_some() || self.path.is_some()
    }
}

/// How long each kind is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits([Duration; Keep::ALL.len()]);

impl Limits {
    /// How long this is kept.
    pub const fn of(&self, keep: Keep) -> Duration {
        self.0[keep as usize]
    }

    /// Keeps this for so long.
    pub const fn set(&mut self, keep: Keep, length: Duration) {
        self.0[keep as usize] = length;
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self(Keep::ALL.map(Keep::usual))
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            path: Some("camhealth.sqlite3".into()),
            server: None,
            standby: false,
            keep: Limits::default(),
            max_size: 2 * 1024 * 1024 * 1024,
        }
    }
}
