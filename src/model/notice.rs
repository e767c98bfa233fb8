//! What is told to people: plain data that any channel can put into words.

use super::{Cause, ChannelId, Duty, FailureKind, IncidentId, Level, Note, SiteId, State, closed::closed};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One thing to tell. As JSON it is one flat record, whatever it tells, so that receivers and earlier journals agree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// News of an incident.
    Incident(Box<IncidentNotice>),
    /// The minor faults of the day.
    Digest(DigestNotice),
    /// A channel takes nothing.
    Channel(ChannelNotice),
    /// What is the matter with the journal.
    Journal(JournalNotice),
    /// A test that somebody asked for.
    Test(PlainNotice),
    /// What single people are told beside all that.
    Note(PlainNotice, Note),
}

/// What all notices that are of no incident have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlainNotice {
    /// Names it among all notices; the same over retries.
    pub id: IncidentId,
    /// The commune's name.
    pub place: String,
    /// When this was decided.
    pub at: Timestamp,
}

/// News of an incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncidentNotice {
    /// The incident that it speaks of; the same from the alarm to the all-clear.
    pub incident: IncidentId,
    /// The incident's short number.
    pub number: u32,
    /// 1 for the first notice of the incident; with `incident` the key to deduplicate by.
    pub step: u32,
    /// The incident's round: how often an acknowledgement ran out before this.
    pub round: u32,
    /// Why it is told.
    pub reason: Reason,
    /// What failed.
    pub cause: Cause,
    /// The name for people of what failed.
    pub place: String,
    /// The hamlet that it lies in, where it lies in one.
    pub hamlet: Option<String>,
    /// The worst level of its sites now.
    pub level: Level,
    /// The sites that it keeps below their threshold; for an all-clear, kept.
    pub sites: Vec<SiteLine>,
    /// When it began; the same in the all-clear, so that it tells the length.
    pub since: Timestamp,
    /// When this was decided.
    pub at: Timestamp,
    /// Since when all its sites are well enough again, while that must still last.
    pub recovering: Option<Timestamp>,
    /// The cameras that are not well by it.
    pub cameras: Cameras,
    /// Which one of its cause within hours this is, from 1.
    pub episode: u32,
    /// Numbers of the incidents that are part of this one, or go on after it.
    pub related: Vec<u32>,
    /// Who has taken it on, where that is the news.
    pub taken_on_by: Option<String>,
    /// That the failed link's own device answers: its power, or that of what hangs on it, is to be looked at.
    pub link_answers: bool,
}

/// The minor faults of the day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DigestNotice {
    /// Which day's, where and when.
    pub plain: PlainNotice,
    /// The worst level of all sites now.
    pub level: Level,
    /// The cameras that are not well.
    pub cameras: Cameras,
    /// The first of the incidents that the contractor is late with.
    pub overdue: Vec<OverdueLine>,
    /// How many of them there are.
    pub overdue_total: usize,
}

/// An incident that the contractor is late with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OverdueLine {
    /// Its number.
    pub number: u32,
    /// The name for people of what failed.
    pub place: String,
    /// What is still to be done.
    pub duty: Duty,
    /// Since when it should have been.
    pub since: Timestamp,
}

/// A channel takes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelNotice {
    /// Where and when.
    pub plain: PlainNotice,
    /// The worst level of all sites now.
    pub level: Level,
    /// Which channel.
    pub channel: ChannelId,
    /// Why, in the words of its last error.
    pub error: String,
}

/// What is the matter with the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalNotice {
    /// Where and when.
    pub plain: PlainNotice,
    /// What happened to it.
    pub trouble: Trouble,
    /// The journal's own words, which are English.
    pub what: String,
}

/// Cameras in a notice: public ones by name, households by their number alone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cameras {
    /// The first few public ones, and why they are not well.
    pub named: Vec<CameraLine>,
    /// How many public ones there are.
    pub public: usize,
    /// How many household cameras there are; they are counted, never named.
    pub households: usize,
}

impl Notice {
    /// The key by which a receiver tells a repetition from news.
    pub fn key(&self) -> String {
        format!("{}-{}", self.id(), self.step())
    }

    /// The incident's id; where there is none, the notice's own.
    pub fn id(&self) -> &IncidentId {
        match self {
            Self::Incident(notice) => &notice.incident,
            Self::Digest(DigestNotice { plain, .. })
            | Self::Channel(ChannelNotice { plain, .. })
            | Self::Journal(JournalNotice { plain, .. })
            | Self::Test(plain)
            | Self::Note(plain, _) => &plain.id,
        }
    }

    /// Which notice of the incident it is, from 1.
    pub fn step(&self) -> u32 {
        self.incident().map_or(1, |incident| incident.step)
    }

    /// When this was decided.
    pub fn at(&self) -> Timestamp {
        match self {
            Self::Incident(notice) => notice.at,
            Self::Digest(DigestNotice { plain, .. })
            | Self::Channel(ChannelNotice { plain, .. })
            | Self::Journal(JournalNotice { plain, .. })
            | Self::Test(plain)
            | Self::Note(plain, _) => plain.at,
        }
    }

    /// Why it is told, by the name that receivers know.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Incident(notice) => notice.reason.as_str(),
            Self::Digest(_) => DIGEST,
            Self::Channel(_) => CHANNEL_FAILING,
            Self::Journal(notice) => notice.trouble.as_str(),
            Self::Test(_) => TEST,
            Self::Note(_, note) => note.reason(),
        }
    }

    /// What it says of an incident, if it is of one.
    pub fn incident(&self) -> Option<&IncidentNotice> {
        match self {
            Self::Incident(notice) => Some(notice),
            _ => None,
        }
    }

    /// Whether the phone must ring for it; the others are news that can wait until somebody looks.
    pub fn pages(&self) -> bool {
        self.incident().is_some_and(|incident| incident.reason.pages())
    }

    /// Whether it is worth a call: an alarm, or a test.
    pub fn rings(&self) -> bool {
        self.pages() || matches!(self, Self::Test(_))
    }

    /// The same, told for another reason.
    pub fn because(self, reason: Reason) -> Self {
        match self {
            Self::Incident(notice) => Self::Incident(Box::new(IncidentNotice { reason, ..*notice })),
            other => other,
        }
    }
}

/// Names of reasons that are of no incident.
pub(super) const DIGEST: &str = "digest";
pub(super) const CHANNEL_FAILING: &str = "channel_failing";
pub(super) const TEST: &str = "test";

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
    /// Why there is news of an incident.
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
        /// An exercise begins.
        Drill "drill",
        /// An exercise is over: somebody has taken it on, or nobody did.
        DrillOver "drill_over",
    }
}

closed! {
    /// What happened to the journal.
    pub enum Trouble {
        /// It cannot be written: nothing is remembered, and so nobody told of faults.
        Failing "journal_failing",
        /// It can be written again.
        Restored "journal_restored",
        /// It was found damaged, and what could be read of it is used.
        Damaged "journal_damaged",
    }
}

impl Reason {
    /// Whether it takes back what was told.
    pub fn clears(self) -> bool {
        matches!(self, Self::CoverageRestored | Self::CoverageProven | Self::MonitorRestored | Self::DrillOver)
    }

    /// Whether the phone must ring for it; the others are news that can wait until somebody looks.
    pub fn pages(self) -> bool {
        matches!(
            self,
            Self::CoverageLost
                | Self::CoverageWorse
                | Self::Escalated
                | Self::Reminder
                | Self::MonitorCutOff
                | Self::Drill
        )
    }

    /// Whether it is of use only where an earlier message is changed by it, or where a machine reads along.
    pub fn only_updates(self) -> bool {
        matches!(self, Self::Merged)
    }
}
