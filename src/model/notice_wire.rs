//! A notice as JSON: one flat record, as webhooks post it and as journals of earlier versions have it. What a notice does not
//! say is 0, empty or null there, and nowhere else.

use super::{
    CameraLine, Cameras, Cause, ChannelId, ChannelNotice, DigestNotice, IncidentId, IncidentNotice, JournalNotice,
    Level, Note, Notice, OverdueLine, PlainNotice, Reason, SiteLine, Trouble,
    notice::{CHANNEL_FAILING, DIGEST, TEST},
};
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// The record.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Flat {
    incident: IncidentId,
    number: u32,
    step: u32,
    #[serde(default)]
    round: u32,
    reason: String,
    cause: Option<Cause>,
    place: String,
    hamlet: String,
    level: Level,
    sites: Vec<SiteLine>,
    since: Timestamp,
    at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    recovering: Option<Timestamp>,
    cameras: Vec<CameraLine>,
    cameras_total: usize,
    households: usize,
    episode: u32,
    related: Vec<u32>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    overdue: Vec<OverdueLine>,
    #[serde(default, skip_serializing_if = "is_nothing")]
    overdue_total: usize,
    remark: Remark,
}

/// Whether a count says nothing that is not said without it.
fn is_nothing(count: &usize) -> bool {
    *count == 0
}

/// What else there is to say.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Remark {
    #[default]
    None,
    By {
        name: String,
    },
    LinkAnswers,
    Channel {
        channel: ChannelId,
        error: String,
    },
    Journal {
        what: String,
    },
    Note {
        note: Note,
    },
}

impl Flat {
    fn plain(plain: PlainNotice, reason: &str, level: Level, remark: Remark) -> Self {
        let PlainNotice { id, place, at } = plain;
        Self {
            incident: id,
            number: 0,
            step: 1,
            round: 0,
            reason: reason.to_owned(),
            cause: None,
            place,
            hamlet: String::new(),
            level,
            sites: Vec::new(),
            since: at,
            at,
            recovering: None,
            cameras: Vec::new(),
            cameras_total: 0,
            households: 0,
            episode: 1,
            related: Vec::new(),
            overdue: Vec::new(),
            overdue_total: 0,
            remark,
        }
    }
}

impl Serialize for Notice {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Flat::from(self.clone()).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Notice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Flat::deserialize(deserializer)?.try_into().map_err(D::Error::custom)
    }
}

impl From<Notice> for Flat {
    fn from(notice: Notice) -> Self {
        let reason = notice.reason();
        match notice {
            Notice::Incident(notice) => Self::from(*notice),
            Notice::Digest(DigestNotice { plain, level, cameras, overdue, overdue_total }) => Self {
                overdue,
                overdue_total,
                cameras: cameras.named,
                cameras_total: cameras.public,
                households: cameras.households,
                ..Self::plain(plain, reason, level, Remark::None)
            },
            Notice::Channel(ChannelNotice { plain, level, channel, error }) => {
                Self::plain(plain, reason, level, Remark::Channel { channel, error })
            }
            Notice::Journal(JournalNotice { plain, what, .. }) => {
                Self::plain(plain, reason, Level::Unknown, Remark::Journal { what })
            }
            Notice::Test(plain) => Self::plain(plain, reason, Level::Unknown, Remark::None),
            Notice::Note(plain, note) => Self::plain(plain, reason, Level::Unknown, Remark::Note { note }),
        }
    }
}

impl From<IncidentNotice> for Flat {
    fn from(notice: IncidentNotice) -> Self {
        Self {
            incident: notice.incident,
            number: notice.number,
            step: notice.step,
            round: notice.round,
            reason: notice.reason.as_str().to_owned(),
            cause: Some(notice.cause),
            place: notice.place,
            hamlet: notice.hamlet.unwrap_or_default(),
            level: notice.level,
            sites: notice.sites,
            since: notice.since,
            at: notice.at,
            recovering: notice.recovering,
            cameras: notice.cameras.named,
            cameras_total: notice.cameras.public,
            households: notice.cameras.households,
            episode: notice.episode,
            related: notice.related,
            overdue: Vec::new(),
            overdue_total: 0,
            remark: match (notice.taken_on_by, notice.link_answers) {
                (Some(name), _) => Remark::By { name },
                (None, true) => Remark::LinkAnswers,
                (None, false) => Remark::None,
            },
        }
    }
}

/// What makes a record none of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Strange {
    #[error("there is no reason {0:?}")]
    Reason(String),
    #[error("it does not name what failed")]
    NoCause,
    #[error("it does not name the channel")]
    NoChannel,
}

impl TryFrom<Flat> for Notice {
    type Error = Strange;

    fn try_from(flat: Flat) -> Result<Self, Strange> {
        let plain = || PlainNotice { id: flat.incident.clone(), place: flat.place.clone(), at: flat.at };
        let cameras = Cameras { named: flat.cameras, public: flat.cameras_total, households: flat.households };
        if let Ok(trouble) = flat.reason.parse::<Trouble>() {
            let what = if let Remark::Journal { what } = flat.remark { what } else { String::new() };
            let plain = PlainNotice { id: flat.incident, place: flat.place, at: flat.at };
            return Ok(Self::Journal(JournalNotice { plain, trouble, what }));
        }
        if let Remark::Note { note } = flat.remark {
            return Ok(Self::Note(plain(), note));
        }
        match flat.reason.as_str() {
            DIGEST => {
                let (plain, overdue, overdue_total) = (plain(), flat.overdue, flat.overdue_total);
                return Ok(Self::Digest(DigestNotice { plain, level: flat.level, cameras, overdue, overdue_total }));
            }
            TEST => return Ok(Self::Test(plain())),
            CHANNEL_FAILING => {
                let plain = plain();
                let Remark::Channel { channel, error } = flat.remark else { return Err(Strange::NoChannel) };
                return Ok(Self::Channel(ChannelNotice { plain, level: flat.level, channel, error }));
            }
            _ => {}
        }
        let reason: Reason = flat.reason.parse().map_err(|_| Strange::Reason(flat.reason.clone()))?;
        Ok(Self::Incident(Box::new(IncidentNotice {
            incident: flat.incident,
            number: flat.number,
            step: flat.step,
            round: flat.round,
            reason,
            cause: flat.cause.ok_or(Strange::NoCause)?,
            place: flat.place,
            hamlet: Some(flat.hamlet).filter(|hamlet| !hamlet.is_empty()),
            level: flat.level,
            sites: flat.sites,
            since: flat.since,
            at: flat.at,
            recovering: flat.recovering,
            cameras,
            episode: flat.episode,
            related: flat.related,
            link_answers: matches!(flat.remark, Remark::LinkAnswers),
            taken_on_by: if let Remark::By { name } = flat.remark { Some(name) } else { None },
        })))
    }
}

#[cfg(test)]
#[path = "notice_tests.rs"]
mod tests;
