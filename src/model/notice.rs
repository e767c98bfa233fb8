//! What is told to people, with its reason: plain data that any channel can put into words.

use super::{Cause, ChannelId, FailureKind, IncidentId, Level, SiteId, State, closed::closed};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One thing to tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// The incident that it speaks of; the same from the alarm to the all-clear.
    pub incident: IncidentId,
    /// The incident's short number; 0 where the notice is of no incident.
    pub number: u32,
    /// 1 for the first notice of the incident; with `incident` the key to deduplicate by.
    pub step: u32,
    /// The incident's round: how often an acknowledgement ran out before this.
    #[serde(default)]
    pub round: u32,
    /// Why it is told.
    pub reason: Reason,
    /// What failed; `None` where the notice is of no incident.
    pub cause: Option<Cause>,
    /// The name for people of what failed.
    pub place: String,
    /// The hamlet that it lies in, where it lies in one.
    pub hamlet: String,
    /// The worst level of its sites now; for a lost channel or a digest, that of the commune.
    pub level: Level,
    /// The sites that it keeps below their threshold; for an all-clear, kept.
    pub sites: Vec<SiteLine>,
    /// When it began; the same in the all-clear, so that it tells the length.
    pub since: Timestamp,
    /// When this was decided.
    pub at: Timestamp,
    /// Since when all its sites are well enough again, while that must still last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovering: Option<Timestamp>,
    /// The public cameras that are not well by it, and why; the first few.
    pub cameras: Vec<CameraLine>,
    /// How many public cameras are not well by it.
    pub cameras_total: usize,
    /// How many household cameras are not well by it; they are counted, never named.
    pub households: usize,
    /// Which one of its cause within hours this is, from 1.
    pub episode: u32,
    /// Numbers of the incidents that are part of this one, or go on after it.
    pub related: Vec<u32>,
    /// What else there is to say, such as who has taken it on.
    pub remark: Remark,
}

impl Notice {
    /// A notice that is of no incident: its id, why it is told, and the commune's name.
    pub fn plain(id: String, reason: Reason, place: String, now: Timestamp) -> Self {
        Self {
            incident: IncidentId::stored(id),
            number: 0,
            step: 1,
            round: 0,
            reason,
            cause: None,
            place,
            hamlet: String::new(),
            level: Level::Unknown,
            sites: Vec::new(),
            since: now,
            at: now,
            recovering: None,
            cameras: Vec::new(),
            cameras_total: 0,
            households: 0,
            episode: 1,
            related: Vec::new(),
            remark: Remark::None,
        }
    }

    /// The key by which a receiver tells a repetition from news.
    pub fn key(&self) -> String {
        format!("{}-{}", self.incident, self.step)
    }
}

/// What else there is to say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Remark {
    /// Nothing.
    #[default]
    None,
    /// Who has taken the incident on.
    By {
        /// Their name.
        name: String,
    },
    /// The link's own device answers: its power, or that of what hangs on it, is to be looked at.
    LinkAnswers,
    /// A channel takes nothing.
    Channel {
        /// Which.
        channel: ChannelId,
        /// Why, in the words of its last error.
        error: String,
    },
    /// What is the matter with the journal.
    Journal {
        /// In its own words, which are English.
        what: String,
    },
}

/// A site in a notice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteLine {
    /// Which.
    pub id: SiteId,
    /// Its name for people.
    pub name: String,
    /// How well it is covered now.
    pub level: Level,
    /// Names of the views that are lost.
    pub views_lost: Vec<String>,
    /// How many views it has.
    pub views_total: usize,
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

closed! {
    /// Why a notice is sent.
    #[derive(PartialOrd, Ord)]
    pub enum Reason {
        /// Coverage fell below a site's threshold and stayed there.
        CoverageLost "coverage_lost",
        /// An open incident became worse.
        CoverageWorse "coverage_worse",
        /// Coverage is back at its threshold and stayed there.
        CoverageRestored "coverage_restored",
        /// Nobody has taken the incident on: the next step of the escalation.
        Escalated "escalated",
        /// The incident is still open long after somebody took it on.
        Reminder "reminder",
        /// For minutes a site hangs on cameras that answer and prove nothing.
        CoverageUnproven "coverage_unproven",
        /// It is proven again how the site is covered, or it is known otherwise.
        CoverageProven "coverage_proven",
        /// Somebody has taken the incident on.
        Acknowledged "acknowledged",
        /// What was told turned out to have another root.
        RootFound "root_found",
        /// The incident turned out to be part of another.
        Merged "merged",
        /// The monitor sees nothing at all and its own network does not answer.
        MonitorCutOff "monitor_cut_off",
        /// The monitor sees again.
        MonitorRestored "monitor_restored",
        /// A channel takes nothing.
        ChannelFailing "channel_failing",
        /// The journal cannot be written: nothing is remembered, and so nobody told of faults.
        JournalFailing "journal_failing",
        /// The journal can be written again.
        JournalRestored "journal_restored",
        /// The journal was found damaged, and what could be read of it is used.
        JournalDamaged "journal_damaged",
        /// The minor faults of the day.
        Digest "digest",
        /// A test that somebody asked for.
        Test "test",
    }
}

impl Reason {
    /// Whether it takes back what was told.
    pub fn clears(self) -> bool {
        matches!(self, Self::CoverageRestored | Self::CoverageProven | Self::MonitorRestored)
    }

    /// Whether the phone must ring for it; the others are news that can wait until somebody looks.
    pub fn pages(self) -> bool {
        matches!(
            self,
            Self::CoverageLost | Self::CoverageWorse | Self::Escalated | Self::Reminder | Self::MonitorCutOff
        )
    }

    /// Whether it is of use only where an earlier message is changed by it, or where a machine reads along.
    pub fn only_updates(self) -> bool {
        matches!(self, Self::Merged)
    }
}
