//! What is planned for a camera: its next look, what holds it back, and what is left of its budgets.

use super::{CameraId, Check, LinkId, closed::closed};
use imbl::OrdMap;
use jiff::Timestamp;
use serde::Serialize;
use std::{collections::BTreeMap, sync::Arc};
use utoipa::ToSchema;

/// The plan at one moment, as far as people and metrics want to know it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outlooks {
    /// By camera.
    pub cameras: OrdMap<CameraId, Outlook>,
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

closed! {
    /// Why a look that is due does not begin.
    #[derive(PartialOrd, Ord)]
    pub enum Held {
        /// The owner wants no contact at this hour.
        OwnerHours "owner_hours",
        /// Its owner has not agreed to any contact, or not any more.
        NoConsent "no_consent",
        /// The login was rejected: the next try waits out a lockout, or a change of the configuration.
        LoginRejected "login_rejected",
        /// Another login to the same device must be answered first.
        LoginUnproven "login_unproven",
        /// The camera's bytes are spent.
        CameraBytes "camera_bytes",
        /// The camera's looks are spent.
        CameraLooks "camera_looks",
        /// A link's bytes are spent.
        LinkBytes "link_bytes",
        /// Looks on a link begin one after the other.
        LinkRate "link_rate",
        /// Enough long looks go on at once.
        LongLooks "long_looks",
        /// All workers are busy with other looks.
        Workers "workers",
    }
}
