//! The words of the domain as plain data: what a commune owns, what a probe saw, what follows from it.
//!
//! Everything may import this module and it imports nothing of ours. Nothing here reads a clock,
//! a socket or a file; times are arguments.

mod agent;
mod area;
mod by_check;
mod closed;
mod consent;
mod counts;
mod course;
mod covers;
mod delivery;
mod detail;
mod discreet;
mod duty;
mod figures;
mod fleet;
mod folded;
mod happened;
mod hex;
mod history;
mod hours;
mod ids;
mod incident;
mod language;
pub mod local;
mod location;
mod login;
mod memory;
mod note;
mod notice;
mod notice_wire;
mod observation;
mod outbox;
mod outlook;
mod owner;
mod packed;
mod phrases;
mod province;
mod reading;
mod receipt;
mod remedies;
mod restored;
mod seen;
mod sighting;
mod site;
mod snapshot;
mod sought;
mod state;
mod timeline;
mod unattended;
mod version;
mod window;
mod words;

pub use agent::{AgentAnswer, AgentContact, AgentLook, AgentMark, AgentMessage, AgentPlan, LateLook};
pub use area::Area;
pub use by_check::ByCheck;
pub use closed::UnknownName;
pub(crate) use closed::closed;
#[cfg(test)]
pub(crate) use closed::{Closed, one_name};
pub use consent::Consent;
pub use counts::Counts;
pub use course::Course;
pub use delivery::Delivery;
pub use detail::Detail;
#[cfg(test)]
pub(crate) use detail::Part;
pub(crate) use detail::told;
pub use discreet::stream_address;
pub use duty::Duty;
pub use figures::{FigureRow, Figures, Grain, Point, Sum};
pub use fleet::{
    Beacon, Camera, Commune, Device, Fleet, Identity, Kind, Link, LinkKind, Promise, Transport, observer_above,
    rtsp_port,
};
pub use folded::folded;
pub use happened::{Feedback, Happened, Happening};
pub use hex::hex;
pub use history::{Bearing, First, History, LevelChange, Run};
pub use hours::DailyHours;
pub use ids::{AreaId, CameraId, ChannelId, CommuneId, DeviceId, LinkId, MemberId, PersonId, SiteId};
pub use incident::{Ack, Cause, Incident, IncidentId, Lapsed, Overdue, Recipient};
pub use language::Language;
pub(crate) use language::{vocabulary, worded};
pub use local::Local;
pub use location::Location;
pub use login::{Certificate, Login, LoginScheme};
pub use memory::{Baseline, Hour, Known, Memory, Opinion, StreamKind};
pub use note::{Answered, GapKind, Note, OpenLine};
pub use notice::{
    CameraLine, Cameras, ChannelNotice, DigestNotice, IncidentNotice, JournalNotice, Notice, OverdueLine, PlainNotice,
    Reason, SiteLine, Trouble,
};
pub use observation::{
    Check, Client, Codec, DeviceFacts, Failure, FailureKind, Observation, Rung, RungName, StreamFacts, Verdict, Weight,
};
pub use outbox::{Behind, Head, Mark, Newest, Place, Refusal, Thread};
pub use outlook::{Budget, Held, NextLook, Outlook, Outlooks, SharedOutlooks};
pub use owner::Owner;
pub use packed::packed;
pub use phrases::Phrase;
pub use province::{Holding, Member, Move, Province};
pub use reading::{ToldFailure, ToldLook, ToldRung};
pub use receipt::SmsReceipt;
pub use restored::Restored;
pub use seen::Seen;
pub use sighting::{Claim, Content, LastProof, Observer, Sighting, Strength};
pub use site::{Site, View, Watcher};
pub use snapshot::{
    CameraStatus, Coverage, LastCheck, LinkStatus, OnCall, Reasoning, SiteStatus, Snapshot, ViewStatus,
};
pub use sought::{Found, Sought, Thing};
pub use state::{
    Branch, Level, LinkRecord, LinkState, LoginRecord, OpenAlert, SiteRecord, State, Transition, ViewState,
};
pub use timeline::{Timeline, TimelineLine};
pub use unattended::PATIENCE;
pub use version::{Fits, fits};
pub use window::{Scope, Span, Window};

use jiff::Timestamp;
use std::time::Duration;

/// How long ago `then` was, never negative: a clock that was set back yields zero, not an invented outage.
pub fn elapsed(now: Timestamp, then: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(then)).unwrap_or(Duration::ZERO)
}

/// `at + by`, held at the end of time rather than overflowing.
pub fn later(at: Timestamp, by: Duration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}
