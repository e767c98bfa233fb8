//! What a channel is handed: a notice in words, with what ties it to earlier ones.

use super::{Message, phone::Matter, places::Places};
use crate::model::Notice;
use jiff::{Timestamp, tz::TimeZone};
use url::Url;

/// One message to one recipient.
#[derive(Debug, Clone)]
pub struct Letter<'a> {
    /// What it is about.
    pub notice: &'a Notice,
    /// The same in words.
    pub message: &'a Message,
    /// The same over retries, so that receivers can tell a repetition from news.
    pub key: &'a str,
    /// When it is sent, in seconds since 1970.
    pub at: i64,
    /// What the channel called the first message of the same incident to the same recipient.
    pub first: Option<&'a str>,
    /// Names that messages may have.
    pub places: &'a Places,
}

/// A notice for one channel, with what its message needs beside it.
#[derive(Clone)]
pub struct Dispatch<'a> {
    /// What it is about.
    pub notice: &'a Notice,
    /// The same over retries.
    pub key: &'a str,
    /// When it is sent.
    pub at: Timestamp,
    /// In which people are shown times.
    pub zone: &'a TimeZone,
    /// Where pages are.
    pub page: Option<&'a Url>,
    /// The receiver's own link to take it on.
    pub ack: Option<Url>,
    /// What the channel called the first message of the same incident to the same recipient.
    pub first: Option<&'a str>,
    /// Names that messages may have.
    pub places: &'a Places,
    /// What a call is about, where the daemon answers for it.
    pub matter: Option<&'a dyn Matter>,
}

/// What a channel calls the message that it took, if it calls it anything.
pub type Receipt = Option<String>;
