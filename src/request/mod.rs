//! What people ask of the daemon, whichever way it comes: a page, the API, the command line, a bot or a signed link.
//!
//! Pure: an edge makes a [`Request`] of what somebody sent, the event loop decides it here with what it knows, and the edge
//! puts what was [`Done`], or why it was [`Refused`], into its own words and codes, in one place.

mod bounds;
mod claims;
mod drill;
mod refused;
mod silence;
mod take_on;
mod witnessed;

pub use bounds::{Ground, sees};
pub use claims::{Claims, SourceClaim, Untaken, claims};
pub use drill::{Drill, drill};
pub use refused::{Field, Invalid, Refused, TooMany, Unknown};
pub use silence::{Quota, Silence, Windows, end, window};
pub use take_on::{TakeOn, TakingOn, pass_on, respond, take_on};
pub use witnessed::{Sorted, sorted};

#[cfg(test)]
mod bounds_tests;
#[cfg(test)]
mod tests;

use crate::{
    edits,
    model::{AgentLook, CameraId, Fleet, Kind, LinkId, Scope},
    rights::{self, Deed, Right},
};
use std::fmt;

/// A wish of somebody's.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    /// Read the configuration anew.
    Reload {
        /// Whatever it takes away.
        force: bool,
    },
    /// Take an incident on: its escalation stops.
    TakeOn {
        /// Its id or number.
        incident: String,
        /// Who takes it on.
        by: String,
        /// How that reached us: `page`, `link`, `command`, or the channel's id.
        via: String,
    },
    /// Answer for the contractor that they see to an incident: its escalation goes on.
    Respond {
        /// Its id or number.
        incident: String,
        /// Who answers.
        by: String,
        /// How that reached us: `page` or `command`.
        via: String,
    },
    /// Pass an incident on: the next step of its escalation is taken at once.
    PassOn {
        /// Its id or number.
        incident: String,
        /// By which of its notices whoever passes it on was told.
        step: u32,
        /// Who passes it on.
        by: String,
        /// How that reached us: the channel's id.
        via: String,
    },
    /// Begin an exercise.
    Drill(Drill),
    /// Take something out of service on purpose.
    Silence(Silence),
    /// End a window early.
    Unsilence {
        /// Its id.
        window: String,
    },
    /// Something about accounts.
    People(rights::Wish),
    /// Edit something of the configuration.
    Edit(edits::Wish),
    /// Take in what an agent saw.
    Witnessed {
        /// By what it is known.
        print: String,
        /// The link that it is.
        agent: LinkId,
        /// Its looks.
        looks: Vec<AgentLook>,
    },
    /// Take in what a source says of cameras.
    Claimed {
        /// The link that it is.
        source: LinkId,
        /// What it says.
        claims: Vec<SourceClaim>,
    },
    /// Have it written into the audit trail that somebody reads who lends a camera: it is shown after that.
    ReadOwner {
        /// Which camera.
        camera: CameraId,
        /// What for.
        reason: String,
    },
}

impl Request {
    /// What somebody must be allowed to do for it; nothing for what they do for themselves.
    pub const fn right(&self) -> Option<Right> {
        match self {
            Self::Reload { .. } => Some(Right::Reload),
            Self::TakeOn { .. } | Self::PassOn { .. } => Some(Right::TakeOn),
            Self::Respond { .. } => Some(Right::Respond),
            Self::Silence(_) | Self::Unsilence { .. } | Self::Drill(_) => Some(Right::Silence),
            Self::People(wish) => wish.right(),
            Self::Edit(wish) => Some(wish.item.kind.subject().right()),
            Self::ReadOwner { .. } => Some(Right::Owners),
            // It showed its key, which allows that and nothing else.
            Self::Witnessed { .. } | Self::Claimed { .. } => None,
        }
    }

    /// What the audit trail says of it once it is done, but for who it was. Of accounts and edits they say it themselves.
    pub fn deed(&self) -> Option<Deed> {
        let (action, subject, after) = match self {
            Self::Reload { force } => {
                ("reload", String::new(), if *force { "force".to_owned() } else { String::new() })
            }
            Self::TakeOn { incident, by, via } => ("take_on", incident.clone(), format!("{by} ({via})")),
            Self::Respond { incident, by, via } => ("respond", incident.clone(), format!("{by} ({via})")),
            Self::PassOn { incident, by, via, .. } => ("pass_on", incident.clone(), format!("{by} ({via})")),
            Self::Drill(wish) => ("drill", wish.site.to_string(), wish.by.clone()),
            Self::Silence(wish) => ("silence", wish.scope.to_string(), format!("{}: {}", wish.author, wish.reason)),
            Self::Unsilence { window } => ("unsilence", window.clone(), String::new()),
            Self::ReadOwner { camera, reason } => ("read_owner", camera.to_string(), reason.clone()),
            Self::People(_) | Self::Edit(_) | Self::Witnessed { .. } | Self::Claimed { .. } => return None,
        };
        Some(Deed { action, subject, after, ..Deed::default() })
    }
}

/// What was done. As text it is a sentence for whoever gave a command, or the id of a window that was set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Done {
    /// A configuration was read and taken over.
    Reloaded,
    /// An incident is taken on.
    TakenOn {
        /// Its number.
        number: u32,
    },
    /// Somebody had taken it on before: that stays as it is.
    TakenOnBefore {
        /// Its number.
        number: u32,
        /// Who.
        by: String,
    },
    /// The contractor's answer is noted.
    Responded {
        /// The incident's number.
        number: u32,
    },
    /// The contractor had answered before: that stays as it is.
    RespondedBefore {
        /// The incident's number.
        number: u32,
        /// Who.
        by: String,
    },
    /// The next step of an incident's escalation is taken.
    PassedOn {
        /// Its number.
        number: u32,
    },
    /// An exercise has begun.
    Drilling {
        /// Its number.
        number: u32,
    },
    /// A window was set.
    Silenced {
        /// Its id.
        window: String,
    },
    /// A window was ended early.
    Unsilenced {
        /// Its id.
        window: String,
    },
    /// What was wished about accounts.
    People,
    /// Something was edited, and holds.
    Edited,
    /// It is in the audit trail that somebody reads it.
    Noted,
    /// An agent's looks are dealt with.
    Taken {
        /// Up to this number.
        number: u64,
    },
    /// What a source said is taken in.
    Claimed {
        /// What nothing follows from, and why.
        untaken: Vec<(CameraId, Untaken)>,
    },
}

impl fmt::Display for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reloaded => f.write_str("reloaded"),
            Self::TakenOn { number } => write!(f, "incident #{number} is taken on"),
            Self::TakenOnBefore { number, by } => write!(f, "incident #{number} is already taken on by {by}"),
            Self::Responded { number } => write!(f, "the contractor sees to incident #{number}"),
            Self::RespondedBefore { number, by } => write!(f, "{by} answered for incident #{number} before"),
            Self::PassedOn { number } => write!(f, "incident #{number} is passed on"),
            Self::Drilling { number } => write!(f, "exercise #{number} has begun"),
            Self::Silenced { window } => f.write_str(window),
            Self::Unsilenced { window } => write!(f, "{window} is ended"),
            Self::Taken { number } => write!(f, "taken in up to {number}"),
            Self::Claimed { untaken } => write!(f, "taken in but for {}", untaken.len()),
            Self::People | Self::Edited | Self::Noted => f.write_str("done"),
        }
    }
}

/// Whether it can be said who lends a camera, and what for somebody asks.
pub fn read_owner(camera: &CameraId, reason: &str, fleet: &Fleet) -> Result<Request, Refused> {
    let reason = name(reason, Field::Reason)?;
    match fleet.cameras.get(camera).filter(|camera| camera.kind == Kind::Household) {
        Some(camera) => Ok(Request::ReadOwner { camera: camera.id.clone(), reason }),
        None => Err(Refused::Unknown(Unknown::Scope(Scope::Camera(camera.clone())))),
    }
}

/// Letters of a name or a reason that are kept.
const LONGEST_NAME: usize = 80;

/// A name or a reason that somebody gave, without what cannot be seen.
fn name(text: &str, field: Field) -> Result<String, Refused> {
    let name: String = text.trim().chars().filter(|letter| !letter.is_control()).take(LONGEST_NAME).collect();
    if name.is_empty() { Err(Refused::Invalid(Invalid::Empty(field))) } else { Ok(name) }
}
