//! Who is told, over what, and who is on call.

use crate::model::{ChannelId, Language, PersonId};
use jiff::civil::{Date, Time};
use secrecy::SecretString;
use std::collections::BTreeMap;
use url::Url;

/// Channels, people and the roster.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Channels by id.
    pub channels: BTreeMap<ChannelId, Channel>,
    /// Channels that get every notice, whoever is on call.
    pub always: Vec<ChannelId>,
    /// People by id.
    pub people: BTreeMap<PersonId, Person>,
    /// Who is on call when; without it only `always` is used.
    pub rotation: Option<Rotation>,
    /// Address of the status page for links in messages, as people reach it.
    pub page: Option<Url>,
}

/// One way to tell somebody.
#[derive(Debug, Clone)]
pub struct Channel {
    /// What it speaks.
    pub target: Target,
    /// Language of its messages.
    pub language: Language,
}

/// The protocol and address of a channel.
#[derive(Debug, Clone)]
pub enum Target {
    /// A JSON `POST` with a stable id.
    Webhook {
        /// Where to.
        url: Url,
        /// Sent as `Authorization: Bearer …` when set.
        token: Option<SecretString>,
    },
    /// An ntfy server, self-hosted by preference.
    Ntfy {
        /// Base URL of the server.
        url: Url,
        /// Topic.
        topic: String,
        /// Access token, if the server wants one.
        token: Option<SecretString>,
    },
}

impl Target {
    /// Name in metric labels.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Webhook { .. } => "webhook",
            Self::Ntfy { .. } => "ntfy",
        }
    }
}

/// Somebody on the roster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Name for people.
    pub name: String,
    /// Channels that reach them; at least one.
    pub channels: Vec<ChannelId>,
}

/// People who take turns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotation {
    /// In order; at least one.
    pub people: Vec<PersonId>,
    /// Day on which the first person's first turn begins.
    pub start: Date,
    /// Local time of handing over.
    pub handover: Time,
    /// Days in a turn; at least one.
    pub days: u32,
}
