//! What is planned for a camera: its next look, what holds it back, and what is left of its budgets.

use super::{CameraId, Check, LinkId};
use jiff::Timestamp;
use serde::Serialize;
use std::{collections::BTreeMap, sync::Arc};
use utoipa::ToSchema;

/// The plan at one moment, as far as people and metrics want to know it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outlooks {
    /// By camera.
    pub cameras: BTreeMap<CameraId, Outlook>,
    /// Bytes left of each link's budget, for links that have one.
    pub links: BTreeMap<LinkId, Budget>,
    /// How often a look that was due was held back, by reason.
    pub held: BTreeMap<Held, u64>,
}

/// Shared, since pages and metrics read it often and it changes now and then.
pub type SharedOutlooks = Arc<Outlooks>;

/// What is planned for one camera.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outlook {
    /// A look is under way.
    pub looking: bool,
    /// The next look, unless none is planned until something changes.
    pub next: Option<NextLook>,
    /// Why the deepest look that is due, or would be, is held back.
    pub held: Option<Held>,
    /// Rejected logins over RTSP that still count, up to two.
    pub rtsp_strikes: u8,
    /// The same over ONVIF.
    pub onvif_strikes: u8,
    /// Bytes.
    pub bytes: Budget,
    /// Looks.
    pub looks: Budget,
}

/// A planned look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct NextLook {
    /// When, at the earliest.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// How deep.
    pub check: Check,
}

/// A budget and what is left of it. What is spent comes back evenly with time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct Budget {
    /// The most that is spent in any window: a day for bytes, an hour for looks.
    pub limit: u64,
    /// What could be spent at once now.
    pub left: u64,
}

/// Why a look that is due does not begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Held {
    /// The owner wants no contact at this hour.
    OwnerHours,
    /// The login was rejected: the next try waits out a lockout, or a change of the configuration.
    LoginRejected,
    /// Another login to the same device must be answered first.
    LoginUnproven,
    /// The camera's bytes are spent.
    CameraBytes,
    /// The camera's looks are spent.
    CameraLooks,
    /// A link's bytes are spent.
    LinkBytes,
    /// Looks on a link begin one after the other.
    LinkRate,
}

impl Held {
    /// All.
    pub const ALL: [Self; 7] = [
        Self::OwnerHours,
        Self::LoginRejected,
        Self::LoginUnproven,
        Self::CameraBytes,
        Self::CameraLooks,
        Self::LinkBytes,
        Self::LinkRate,
    ];

    /// Name in metric labels and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OwnerHours => "owner_hours",
            Self::LoginRejected => "login_rejected",
            Self::LoginUnproven => "login_unproven",
            Self::CameraBytes => "camera_bytes",
            Self::CameraLooks => "camera_looks",
            Self::LinkBytes => "link_bytes",
            Self::LinkRate => "link_rate",
        }
    }
}
