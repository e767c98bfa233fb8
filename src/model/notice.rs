//! What is told to people, with its reason: plain data that any channel can put into words.

use super::{FailureKind, Level, SiteId, State};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Names one cause from its first message to its all-clear.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IncidentId(String);

impl IncidentId {
    /// The id of the incident that opened at `site` at `at`: the same inputs give the same id after a crash.
    pub fn new(site: &SiteId, at: Timestamp) -> Self {
        Self(format!("{site}-{}", at.as_millisecond()))
    }

    /// An id as it was stored.
    pub fn stored(text: String) -> Self {
        Self(text)
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for IncidentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// One thing to tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// The incident that it speaks of; the same from the alarm to the all-clear.
    pub incident: IncidentId,
    /// 1 for the first notice of the incident; with `incident` the key to deduplicate by.
    pub step: u32,
    /// Why it is told.
    pub reason: Reason,
    /// Where.
    pub site: SiteId,
    /// The site's name for people.
    pub site_name: String,
    /// The hamlet that it lies in.
    pub hamlet: String,
    /// How well the site is covered now.
    pub level: Level,
    /// Names of the views that are lost.
    pub views_lost: Vec<String>,
    /// How many views the site has.
    pub views_total: usize,
    /// When coverage fell; the same in the all-clear, so that it tells the length.
    pub since: Timestamp,
    /// When this was decided.
    pub at: Timestamp,
    /// The public cameras of the site that are not well, and why.
    pub cameras: Vec<CameraLine>,
    /// How many household cameras of the site are not well; they are counted, never named.
    pub households: usize,
}

impl Notice {
    /// The key by which a receiver tells a repetition from news.
    pub fn key(&self) -> String {
        format!("{}-{}", self.incident, self.step)
    }
}

/// A public camera in a notice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CameraLine {
    /// The camera's name for people.
    pub name: String,
    /// Where it stands.
    pub state: State,
    /// Why.
    pub cause: Option<FailureKind>,
    /// Since when.
    pub since: Timestamp,
}

/// Why a notice is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Coverage fell below the site's threshold and stayed there.
    CoverageLost,
    /// An open incident became worse.
    CoverageWorse,
    /// Coverage is back at its threshold and stayed there.
    CoverageRestored,
}

impl Reason {
    /// All reasons.
    pub const ALL: [Self; 3] = [Self::CoverageLost, Self::CoverageWorse, Self::CoverageRestored];

    /// Name in metric labels and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CoverageLost => "coverage_lost",
            Self::CoverageWorse => "coverage_worse",
            Self::CoverageRestored => "coverage_restored",
        }
    }
}
