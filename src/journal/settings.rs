//! Where the journal lies and how long it remembers.

use std::{path::PathBuf, time::Duration};

/// The journal's file and retention.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// SQLite file; `None` keeps the journal in memory, for demos and tests.
    pub path: Option<PathBuf>,
    /// How long transcripts of looks that found nothing wrong are kept.
    pub keep_good: Duration,
    /// How long transcripts of failures are kept.
    pub keep_failures: Duration,
    /// How long changes, incidents and what was told are kept.
    pub keep_history: Duration,
    /// Bytes above which the oldest transcripts go.
    pub max_size: u64,
}

impl Settings {
    /// What history is kept at least: reports list thirteen months, each compared with the one before.
    pub const LEAST_HISTORY: Duration = Duration::from_secs(430 * 24 * 60 * 60);
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            path: Some("camhealth.sqlite3".into()),
            keep_good: Duration::from_secs(24 * 60 * 60),
            keep_failures: Duration::from_secs(30 * 24 * 60 * 60),
            // Two years and two months: reports list thirteen months, and a contract is compared with the year before.
            keep_history: Duration::from_secs(800 * 24 * 60 * 60),
            max_size: 2 * 1024 * 1024 * 1024,
        }
    }
}
