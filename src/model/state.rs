//! Where a camera, a view and a site stand, and the changes between.

use super::{CameraId, Detail, DeviceId, FailureKind, LinkId, SiteId, closed::closed};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

closed! {
    /// Where a camera stands, after confirmation.
    #[derive(PartialOrd, Ord)]
    pub enum State {
        /// Media has really arrived lately.
        Up "up",
        /// It works, with a fault.
        Degraded "degraded",
        /// Confirmed not to do its work.
        Down "down",
        /// A link above it failed: nothing can reach it, whatever it does itself.
        Unreachable "unreachable",
        /// Never, or not lately, looked at.
        Unknown "unknown",
        /// Out of service on purpose.
        Maintenance "maintenance",
        /// Its owner wants no contact at this hour.
        Off "off",
    }
}

impl State {
    /// Whether the camera sees its views.
    pub fn sees(self) -> bool {
        matches!(self, Self::Up | Self::Degraded)
    }

    /// Whether it surely sees nothing.
    pub fn is_lost(self) -> bool {
        matches!(self, Self::Down | Self::Unreachable)
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
    pub detail: Detail,
    /// When it began: the first look of the run that confirmed it.
    pub since: Timestamp,
    /// When it was decided.
    pub decided: Timestamp,
}

closed! {
    /// Whether a direction at a site is seen.
    pub enum ViewState {
        /// Enough cameras see it.
        Covered "covered",
        /// Too few can see it, whatever the unknown ones do.
        Lost "lost",
        /// It hangs on cameras whose state is unknown.
        Unknown "unknown",
    }
}

closed! {
    /// How well a site is covered.
    pub enum Level {
        /// Every view is covered and every must-have camera works.
        Full "full",
        /// Every view is covered, but a must-have camera is missing.
        Reduced "reduced",
        /// At least one view is lost.
        Critical "critical",
        /// Every view is lost.
        Blind "blind",
        /// It cannot be said.
        Unknown "unknown",
    }
}

impl Level {
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
    /// The open alert, if its coverage is below its threshold for long enough.
    pub alert: Option<OpenAlert>,
    /// When its last alerts ended, newest last: what tells a flapping site.
    pub ended: Vec<Timestamp>,
}

/// A site whose coverage is below its threshold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenAlert {
    /// When coverage fell.
    pub since: Timestamp,
    /// The worst level so far.
    #[serde(alias = "told")]
    pub worst: Level,
}

closed! {
    /// Whether a link carries anything.
    pub enum LinkState {
        /// Something below it answered lately, or nothing speaks against it.
        Up "up",
        /// All that hangs on it fell silent together.
        Down "down",
        /// The monitor is cut off, or nothing below it was looked at yet.
        Unknown "unknown",
    }
}

/// What falls silent together: all cameras of the commune, or those that hang on a link.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Branch {
    /// All of them.
    Commune,
    /// Those below a link.
    Link(LinkId),
}

/// Where a branch stands: what survives a restart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkRecord {
    /// Which.
    pub branch: Branch,
    /// Where it stands.
    pub state: LinkState,
    /// Since when.
    pub since: Timestamp,
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
