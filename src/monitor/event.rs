//! What can happen to the fleet, and what the shell must do about it.

use crate::{
    alert, health,
    model::{
        Ack, CameraId, ChannelId, Fleet, Happened, Incident, IncidentId, LinkId, LinkRecord, Memory, Note, Notice,
        Overdue, Recipient, Sighting, SiteId, SiteRecord, Transition, Window,
    },
    topology::{self, Voice},
};
use jiff::Timestamp;
use std::{collections::BTreeMap, sync::Arc};

/// The policies of everything that decides.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Settings {
    /// When looks become a verdict.
    pub health: health::Settings,
    /// When silence below a link becomes one.
    pub topology: topology::Settings,
    /// Who is told.
    pub alert: alert::Settings,
}

/// Everything that can happen to the fleet.
#[derive(Debug)]
pub enum Event {
    /// Somebody saw something of a camera.
    Seen(Sighting),
    /// An agent or a source was not heard of for too long; when it last was.
    ObserverLost(LinkId, Timestamp),
    /// A link's beacon, or any of the anchors, was asked: whether it answers.
    Heard(Voice, bool),
    /// Somebody takes an incident on; it is named by its id or number.
    Acknowledge {
        /// Its id or number.
        incident: String,
        /// Who, how and when.
        ack: Ack,
    },
    /// The contractor answers that they see to an incident; it is named by its id or number.
    Respond {
        /// Its id or number.
        incident: String,
        /// Who, how and when.
        ack: Ack,
    },
    /// The terms of the contract that an incident outlasted, as they are reckoned now.
    Overdue(IncidentId, Vec<Overdue>),
    /// Somebody who was told by a notice of an incident passes it on, or cannot be reached.
    PassOn {
        /// Its id or number.
        incident: String,
        /// Which of its notices.
        step: u32,
    },
    /// Somebody begins an exercise, as if this site had gone blind.
    Drill(SiteId),
    /// Somebody takes something out of service.
    Silence(Window),
    /// Somebody ends a window early; it is named by its id.
    Unsilence(String),
    /// A channel has taken nothing for a while.
    ChannelFailing {
        /// Which.
        channel: ChannelId,
        /// Its last error.
        error: String,
    },
    /// Somebody is to be told something that is no news of an incident; the name keeps it from being told twice.
    Note {
        /// Its name among all notices.
        id: String,
        /// What.
        note: Note,
        /// Whom; those who keep the roster, or the monitor, where nobody is named.
        to: Option<Recipient>,
    },
    /// Time passed.
    Tick,
    /// The configuration changed.
    Replanned(Arc<Fleet>, Box<Settings>),
}

/// Everything that the shell must do about it. The effects of one event belong into one transaction.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// A camera changed its state: remember it.
    Camera(Transition),
    /// A site changed its level or its alert: remember it.
    Site(SiteRecord),
    /// A link changed its state: remember it.
    Link(LinkRecord),
    /// An incident changed: remember it.
    Incident(Arc<Incident>),
    /// Something happened to an incident: remember it in its timeline.
    Happened(Box<Happened>),
    /// Somebody must be told.
    Notify(Box<Notice>, Vec<Recipient>),
    /// Something was learned of a camera: remember it.
    Learned(CameraId, Arc<Memory>),
    /// These cameras have proven since that they see: remember when they last did.
    Proven(BTreeMap<CameraId, Timestamp>),
    /// A window was set, or ended early: remember it.
    Window(Window),
    /// These cameras should be looked at now, for their word on a link.
    Ask(Vec<CameraId>),
}
