//! What was found of a machine, before anybody says what it means.

use crate::{
    journal::Asked,
    model::{FailureKind, Verdict},
};
use std::{net::IpAddr, path::PathBuf};

/// All that was looked at; what could not be is absent.
#[derive(Debug, Clone, Default)]
pub(in crate::cli) struct Facts {
    /// How many problems the configuration has, where it cannot be used; then nothing that follows from it is known.
    pub(super) problems: Option<String>,
    pub(super) clock: Clock,
    /// Names of hosts, and why one is not found.
    pub(super) names: Vec<(String, Option<String>)>,
    pub(super) gateway: Gateway,
    pub(super) icmp: Icmp,
    /// Anchors and devices of links, and whether they answer; `None` where this machine cannot ask.
    pub(super) beacons: Vec<(String, Option<bool>)>,
    pub(super) listen: Option<(String, Port)>,
    pub(super) files: Vec<File>,
    pub(super) disk: Option<Disk>,
    pub(super) journal: Journal,
    pub(super) channels: Vec<Channel>,
    pub(super) workers: Workers,
    pub(super) cameras: Vec<Camera>,
}

/// The wall clock.
#[derive(Debug, Clone, Default)]
pub(super) struct Clock {
    /// Whether the service manager says that it follows others.
    pub(super) follows: Option<bool>,
    /// By how much the journal was written in the future, in seconds.
    pub(super) behind_journal: Option<i64>,
}

/// The way out of the network.
#[derive(Debug, Clone, Default)]
pub(super) struct Gateway {
    pub(super) address: Option<IpAddr>,
    pub(super) answers: Option<bool>,
    /// Whether anything configured lies beyond this machine.
    pub(super) is_needed: bool,
}

/// Pings.
#[derive(Debug, Clone, Default)]
pub(super) struct Icmp {
    pub(super) is_needed: bool,
    pub(super) is_refused: bool,
}

/// The port of the pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Port {
    Free,
    /// A daemon that holds the journal has it.
    Ours,
    Taken(String),
}

/// A file of the configuration.
#[derive(Debug, Clone)]
pub(super) struct File {
    pub(super) path: PathBuf,
    pub(super) mode: u32,
}

/// Where the journal lies.
#[derive(Debug, Clone)]
pub(super) struct Disk {
    pub(super) folder: PathBuf,
    pub(super) free: u64,
    /// What the journal may yet grow by.
    pub(super) wanted: u64,
}

#[derive(Debug, Clone, Default)]
pub(super) enum Journal {
    /// In memory only, or not known.
    #[default]
    None,
    /// It will be made at the first start.
    New(PathBuf),
    /// It can be read; whether a daemon holds it, and whether others can read it too.
    There { path: PathBuf, is_held: bool, is_open: bool },
    /// It cannot be read, and why; whether that is for want of rights alone.
    Unread { path: PathBuf, why: String, forbidden: bool },
    /// It lies on a server, and how that fares, or why it cannot be asked.
    Server { told: String, asked: Result<Asked, String> },
}

/// A channel's server or program. No message is sent.
#[derive(Debug, Clone)]
pub(super) struct Channel {
    pub(super) id: String,
    pub(super) place: String,
    pub(super) trouble: Option<String>,
}

/// The processes in which streams are looked at.
#[derive(Debug, Clone, Default)]
pub(super) struct Workers {
    /// Layers of their confinement that are not in force.
    pub(super) missing: Vec<&'static str>,
    pub(super) were_asked: bool,
}

/// A look at one camera of a link.
#[derive(Debug, Clone)]
pub(super) struct Camera {
    pub(super) id: String,
    pub(super) link: Option<String>,
    pub(super) verdict: Verdict,
    pub(super) cause: Option<FailureKind>,
    /// Its clock against ours, in seconds.
    pub(super) clock: Option<f64>,
}
