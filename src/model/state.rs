//! Where a camera, a view and a site stand, and the changes between.

use super::{CameraId, DeviceId, FailureKind, IncidentId, Memory, SiteId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Where a camera stands, after confirmation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Media has really arrived lately.
    Up,
    /// It works, with a fault.
    Degraded,
    /// Confirmed not to do its work.
    Down,
    /// Never, or not lately, looked at.
    Unknown,
    /// Its owner wants no contact at this hour.
    Off,
}

impl State {
    /// All, best first.
    pub const ALL: [Self; 5] = [Self::Up, Self::Degraded, Self::Down, Self::Unknown, Self::Off];

    /// Name in metric labels and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Degraded => "degraded",
            Self::Down => "down",
            Self::Unknown => "unknown",
            Self::Off => "off",
        }
    }

    /// Whether the camera sees its views.
    pub fn sees(self) -> bool {
        matches!(self, Self::Up | Self::Degraded)
    }
}

/// A camera's change of state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transition {
    /// Which camera.
    pub camera: CameraId,
    /// Where it stood.
    pub from: State,
    /// Where it stands.
    pub to: State,
    /// Why, unless it is well or was never seen.
    pub cause: Option<FailureKind>,
    /// For people.
    pub detail: String,
    /// When it began: the first look of the run that confirmed it.
    pub since: Timestamp,
    /// When it was decided.
    pub decided: Timestamp,
}

/// Whether a direction at a site is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ViewState {
    /// Enough cameras see it.
    Covered,
    /// Too few can see it, whatever the unknown ones do.
    Lost,
    /// It hangs on cameras whose state is unknown.
    Unknown,
}

impl ViewState {
    /// Name in metric labels and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Covered => "covered",
            Self::Lost => "lost",
            Self::Unknown => "unknown",
        }
    }
}

/// How well a site is covered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Every view is covered and every must-have camera works.
    Full,
    /// Every view is covered, but a must-have camera is missing.
    Reduced,
    /// At least one view is lost.
    Critical,
    /// Every view is lost.
    Blind,
    /// It cannot be said.
    Unknown,
}

impl Level {
    /// All, best first, `Unknown` last.
    pub const ALL: [Self; 5] = [Self::Full, Self::Reduced, Self::Critical, Self::Blind, Self::Unknown];

    /// Name in metric labels, JSON and the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Reduced => "reduced",
            Self::Critical => "critical",
            Self::Blind => "blind",
            Self::Unknown => "unknown",
        }
    }

    /// 0 (full) to 3 (blind); `None` where nothing can be said, so that nobody is woken by ignorance.
    pub fn severity(self) -> Option<u8> {
        match self {
            Self::Full => Some(0),
            Self::Reduced => Some(1),
            Self::Critical => Some(2),
            Self::Blind => Some(3),
            Self::Unknown => None,
        }
    }

    /// Whether this is worse than `other`; never so when either is unknown.
    pub fn worse_than(self, other: Self) -> bool {
        matches!((self.severity(), other.severity()), (Some(ours), Some(theirs)) if ours > theirs)
    }
}

/// Where a site stands, with the alert that is open on it: what survives a restart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteRecord {
    /// Which site.
    pub site: SiteId,
    /// Where it stands.
    pub level: Level,
    /// Since when.
    pub since: Timestamp,
    /// The open alert, if somebody was told.
    pub alert: Option<OpenAlert>,
}

/// What people were told of a site and not yet taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenAlert {
    /// The incident.
    pub incident: IncidentId,
    /// When coverage fell.
    pub since: Timestamp,
    /// The worst level that was told.
    pub told: Level,
    /// Notices sent so far.
    pub step: u32,
}

/// What an earlier run of the daemon left in the journal.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Restored {
    /// The last transition of each camera.
    pub cameras: Vec<Transition>,
    /// Each site as it stood.
    pub sites: Vec<SiteRecord>,
    /// What was learned of each camera.
    pub memories: Vec<(CameraId, Memory)>,
    /// How each device's logins fared.
    pub logins: Vec<LoginRecord>,
}

/// How a device's login fared over one protocol: what keeps a restart from trying a rejected login again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoginRecord {
    /// Which device.
    pub device: DeviceId,
    /// Whether this is of ONVIF; else of RTSP.
    pub onvif: bool,
    /// Short fingerprint of the address and login that were tried: another one begins anew.
    pub fingerprint: u16,
    /// Rejections in a row, none of them forgiven.
    pub strikes: u8,
    /// Not to be tried before this time; with two strikes not at all.
    pub until: Option<Timestamp>,
    /// Whether this login was ever good.
    pub good: bool,
}
