//! Incidents: one cause with all that it took down, from its first message to its all-clear, and who is told.

use super::{ChannelId, DeviceId, Duty, Level, LinkId, PersonId, SiteId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt};
use utoipa::ToSchema;

/// Names one cause from its first message to its all-clear.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, ToSchema, Deserialize)]
#[serde(transparent)]
pub struct IncidentId(String);

impl IncidentId {
    /// The id of the incident of `cause` that began at `at`: the same inputs give the same id after a crash.
    pub fn new(cause: &Cause, at: Timestamp) -> Self {
        // Of one site both may be open, since the same moment.
        let kind = match cause {
            Cause::Unproven(_) => "unproven-",
            Cause::Drill(_) => "drill-",
            _ => "",
        };
        Self(format!("{kind}{}-{}", cause.subject(), at.as_millisecond()))
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

/// What failed: the highest thing that explains all that is lost.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, ToSchema, Deserialize)]
#[serde(tag = "kind", content = "id", rename_all = "snake_case")]
pub enum Cause {
    /// Cameras of one site, each by itself.
    Site(SiteId),
    /// Cameras of one site that answer and prove nothing: it cannot be said how it is covered.
    Unproven(SiteId),
    /// Nothing: an exercise that somebody began, as if this site had gone blind.
    Drill(SiteId),
    /// A link, with all that hangs on it.
    Link(LinkId),
    /// A recorder, with all its channels.
    Device(DeviceId),
    /// Everything at once, while the monitor's own network works: a power cut of the whole commune.
    Commune,
    /// The monitor itself is cut off: nothing can be said of the cameras.
    Monitor,
}

impl Cause {
    /// Name of its kind in metric labels and JSON.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Site(_) => "site",
            Self::Unproven(_) => "unproven",
            Self::Drill(_) => "drill",
            Self::Link(_) => "link",
            Self::Device(_) => "device",
            Self::Commune => "commune",
            Self::Monitor => "monitor",
        }
    }

    /// The id of what failed.
    pub fn subject(&self) -> &str {
        match self {
            Self::Site(id) | Self::Unproven(id) | Self::Drill(id) => id.as_str(),
            Self::Link(id) => id.as_str(),
            Self::Device(id) => id.as_str(),
            Self::Commune => "commune",
            Self::Monitor => "monitor",
        }
    }
}

/// Somebody who is told, and over what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipient {
    /// Who; a channel that everybody shares, or that a machine reads, has nobody behind it.
    pub person: Option<PersonId>,
    /// Channels that reach them, the first by preference; the others take over when it fails.
    pub channels: Vec<ChannelId>,
    /// Whether it is their telephone that is to ring, beside the message that tells them more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub rings: bool,
}

impl Recipient {
    /// The person of a key, and whether it is their telephone's.
    pub fn of_key(key: &str) -> (Option<PersonId>, bool) {
        match key.strip_prefix("call:") {
            Some(person) => (Some(person.into()), true),
            None => (key.strip_prefix("person:").map(Into::into), false),
        }
    }

    /// By what the outbox tells recipients apart.
    pub fn key(&self) -> String {
        match (&self.person, self.channels.first()) {
            (Some(person), _) if self.rings => format!("call:{person}"),
            (Some(person), _) => format!("person:{person}"),
            (None, Some(channel)) => format!("channel:{channel}"),
            (None, None) => String::new(),
        }
    }
}

/// That somebody has taken an incident on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema, Deserialize)]
pub struct Ack {
    /// Who, as they are called on the roster or as they named themselves.
    pub by: String,
    /// How it reached us: `page`, `link`, `command`, or the channel's id.
    pub via: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
}

/// Acknowledgements that ran out while the incident was still open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lapsed {
    /// How many.
    pub count: u32,
    /// The last of them.
    pub last: Ack,
    /// When that ran out; earlier versions did not note it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ran_out: Option<Timestamp>,
}

/// A term of the contract that an incident outlasted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema, Deserialize)]
pub struct Overdue {
    /// What the contractor was to have done by then.
    pub duty: Duty,
    /// The level of which that was agreed.
    pub level: Level,
    /// When that time was used up.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
}

/// One cause with all that it took down: what survives a restart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    /// By what machines tell repetitions; people know its number.
    pub id: IncidentId,
    /// A short number for people, to be named in replies.
    pub number: u32,
    /// What failed.
    pub cause: Cause,
    /// When it began.
    pub since: Timestamp,
    /// When it was decided.
    pub opened: Timestamp,
    /// Sites that it keeps below their threshold, and the worst level told of each.
    pub sites: BTreeMap<SiteId, Level>,
    /// The worst level that was told.
    pub told: Level,
    /// Notices made so far.
    pub step: u32,
    /// Whoever was told so far: they get the all-clear.
    pub audience: Vec<Recipient>,
    /// Whether a person was told, rather than shared channels alone.
    pub paged: bool,
    /// Who has taken it on.
    pub ack: Option<Ack>,
    /// Who of the contractor answered first that they see to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub responded: Option<Ack>,
    /// Terms of the contract that it outlasted, in the order in which that was noticed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overdue: Vec<Overdue>,
    /// When sites left it that it keeps down no more.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub left: BTreeMap<SiteId, Timestamp>,
    /// The worst that was told before it turned out to be something lesser.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worst: Option<Level>,
    /// The number of the incident that it turned out to be part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part_of: Option<u32>,
    /// Who had, before it was told anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lapsed: Option<Lapsed>,
    /// Steps of the escalation that were taken.
    #[serde(rename = "rung")]
    pub escalated: u32,
    /// When the next step is due, unless somebody takes it on.
    #[serde(rename = "next_rung")]
    pub escalates: Option<Timestamp>,
    /// Whether its next step was due and is kept back, since all that it keeps down is out of service on purpose.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub held: bool,
    /// The notice by which the last step was taken: whoever was told by it, or after it, may pass the incident on.
    #[serde(default)]
    pub climbed: u32,
    /// Numbers of the incidents that turned out to be part of this one.
    pub merged: Vec<u32>,
    /// Which one of its cause within hours this is, from 1.
    pub episode: u32,
    /// When it ended.
    pub closed: Option<Timestamp>,
}

impl Incident {
    /// One that begins: it has no number yet, and nobody was told.
    pub fn new(cause: Cause, since: Timestamp, told: Level) -> Self {
        Self {
            id: IncidentId::new(&cause, since),
            number: 0,
            cause,
            since,
            opened: since,
            sites: BTreeMap::new(),
            told,
            step: 0,
            audience: Vec::new(),
            paged: false,
            ack: None,
            responded: None,
            overdue: Vec::new(),
            left: BTreeMap::new(),
            worst: None,
            part_of: None,
            lapsed: None,
            escalated: 0,
            escalates: None,
            held: false,
            climbed: 0,
            merged: Vec::new(),
            episode: 1,
            closed: None,
        }
    }

    /// The worst that was ever told of it.
    pub fn worst(&self) -> Level {
        self.worst.filter(|worst| worst.worse_than(self.told)).unwrap_or(self.told)
    }

    /// Whether it is an exercise.
    pub fn is_drill(&self) -> bool {
        matches!(self.cause, Cause::Drill(_))
    }

    /// How often it was told anew since an acknowledgement ran out: a signed link is good for one round.
    pub fn round(&self) -> u32 {
        self.lapsed.as_ref().map_or(0, |lapsed| lapsed.count)
    }

    /// Whether this is what it is called: its number, with `#` or without, or its id, as links of earlier versions do.
    pub fn is_named(&self, name: &str) -> bool {
        self.id.as_str() == name || name.strip_prefix('#').unwrap_or(name) == self.number.to_string()
    }
}
