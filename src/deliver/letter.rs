//! What a channel is handed: a notice in words, with what ties it to earlier ones.

use super::Message;
use crate::model::Notice;

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
}

/// What a channel calls the message that it took, if it calls it anything.
pub type Receipt = Option<String>;
