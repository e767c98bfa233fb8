//! Tells people: puts a notice into words and hands it over to one channel, once.
//!
//! Each channel is one file behind [`Tell`]. Who is told, in which order, and what follows a failure is decided by the
//! core. Alertmanager is told states rather than messages, again and again ([`alertmanager`]); replies come in by
//! [`replies`], links in messages are signed by [`sign`].

pub mod alertmanager;
mod email;
mod hand_over;
mod letter;
mod message;
mod ntfy;
mod phone;
pub mod replies;
mod settings;
pub mod sign;
mod sms;
mod stringee;
mod telegram;
mod webhook;
mod words;
mod zalo;

pub use crate::model::Refusal;
pub use hand_over::http_client;
pub use letter::{Dispatch, Letter, Receipt};
pub use message::{Message, compose, folded};
pub use phone::{Alive, KnownBy, Matter, Phone, Rehearsal, Transport, Trunk, Voice, alive, encrypt_calls};
pub use settings::{Channel, Email, Heartbeat, Settings, Target, Tls};
pub use stringee::Stringee;

use async_trait::async_trait;
use reqwest::Client;

/// One way to tell somebody.
#[async_trait]
pub trait Tell: Send + Sync {
    /// Hands a letter over, once. The receipt names the message where a later one can change or answer it.
    async fn tell(&self, letter: &Letter<'_>) -> Result<Receipt, Refusal>;

    /// Whether a later message changes the first in place, or a machine reads along, so that mere updates are of use.
    fn takes_updates(&self) -> bool {
        false
    }
}

/// What channels work with.
#[derive(Debug, Clone)]
pub struct Means {
    /// For those that take HTTP.
    pub http: Client,
    /// For telephones.
    pub voice: Voice,
}

impl Means {
    /// Fails where this machine has no means for encryption. `known_by` makes clients for exchanges that are known by their
    /// certificates.
    pub fn new(known_by: phone::KnownBy) -> reqwest::Result<Self> {
        encrypt_calls(known_by);
        Ok(Self { http: http_client()?, voice: Voice::default() })
    }
}

/// Puts a notice into words and hands it over to a channel, once; `None` for channels that are not told single messages.
/// What is no news to a channel is not sent, and so taken.
pub async fn tell(channel: &Channel, means: &Means, dispatch: Dispatch<'_>) -> Option<Result<Receipt, Refusal>> {
    if let Target::Sip(phone) = &channel.target {
        return Some(phone::tell(phone, channel.language, &means.voice, &dispatch).await);
    }
    if let Target::Stringee(to) = &channel.target {
        return Some(stringee::tell(to, channel.language, &means.http, &dispatch).await);
    }
    let Dispatch { notice, key, at, zone, page, ack, first, .. } = dispatch;
    let speaker = speaker(channel, &means.http)?;
    let only_updates = notice.incident().is_some_and(|incident| incident.reason.only_updates());
    if only_updates && !speaker.takes_updates() {
        return Some(Ok(None));
    }
    let message = compose(notice, channel.language, zone, page, ack);
    let letter = Letter { notice, message: &message, key, at: at.as_second(), first };
    Some(speaker.tell(&letter).await)
}

/// What speaks to a channel; `None` for those that are not told single messages.
fn speaker(channel: &Channel, http: &Client) -> Option<Box<dyn Tell>> {
    let http = http.clone();
    Some(match &channel.target {
        Target::Webhook { url, token, secret } => {
            Box::new(webhook::Webhook { http, url: url.clone(), token: token.clone(), secret: secret.clone() })
        }
        Target::Ntfy { url, topic, token } => {
            Box::new(ntfy::Ntfy { http, url: url.clone(), topic: topic.clone(), token: token.clone() })
        }
        Target::Zalo { api, token, chat } => {
            Box::new(zalo::Zalo { http, api: api.clone(), token: token.clone(), chat: chat.clone() })
        }
        Target::Telegram { api, token, chat } => {
            Box::new(telegram::Telegram { http, api: api.clone(), token: token.clone(), chat: chat.clone() })
        }
        Target::SmsHttp { url, token, phone, body, diacritics } => Box::new(sms::Gateway {
            http,
            url: url.clone(),
            token: token.clone(),
            phone: phone.clone(),
            body: body.clone(),
            diacritics: *diacritics,
        }),
        Target::Gammu { program, config, phone, diacritics } => Box::new(sms::Gammu {
            program: program.clone(),
            config: config.clone(),
            phone: phone.clone(),
            diacritics: *diacritics,
        }),
        Target::Email(settings) => Box::new(email::Mailbox { settings: settings.clone() }),
        Target::Alertmanager { .. } | Target::Sip(_) | Target::Stringee(_) => return None,
    })
}
