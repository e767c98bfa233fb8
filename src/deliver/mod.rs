//! Tells people: puts a notice into words and hands it over to one channel, once.
//!
//! Each channel is one file behind [`Tell`]. Who is told, in which order, and what follows a failure is decided by the
//! core. Alertmanager is told states rather than messages, again and again ([`alertmanager`]); replies come in by
//! [`replies`], links in messages are signed by [`sign`].

pub mod alertmanager;
mod email;
mod esms;
mod gsm;
mod hand_over;
pub mod inbox;
mod letter;
mod message;
mod notes;
mod ntfy;
mod numbers;
mod phone;
mod places;
pub mod replies;
mod settings;
mod short;
pub mod sign;
mod sms;
mod speedsms;
mod stringee;
mod telegram;
mod webhook;
mod words;
mod zalo;

pub use crate::model::Refusal;
pub use hand_over::http_client;
pub use letter::{Dispatch, Letter, Receipt};
pub use message::{Message, compose};
pub use notes::answered;
pub use numbers::dialled;
pub use phone::{Alive, KnownBy, Matter, Phone, Rehearsal, Transport, Trunk, Voice, alive, encrypt_calls};
pub use places::Places;
pub use settings::{Channel, Email, Heartbeat, Settings, Target, Tls};
pub use short::Sms;
pub use stringee::Stringee;

use crate::model::{Delivery, Notice, SmsReceipt};
use async_trait::async_trait;
use jiff::tz::TimeZone;
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
    let Dispatch { notice, key, at, zone, page, ack, first, places, .. } = dispatch;
    let speaker = speaker(channel, &means.http)?;
    let only_updates = notice.incident().is_some_and(|incident| incident.reason.only_updates());
    let paid = |parts: u32, id: Receipt| match channel.target.sms() {
        Some(_) => Some(SmsReceipt { parts, id }.to_string()),
        None => id,
    };
    if only_updates && !speaker.takes_updates() {
        return Some(Ok(paid(0, None)));
    }
    let message = compose(notice, channel.language, zone, page, ack);
    let letter = Letter { notice, message: &message, key, at: at.as_second(), first, places };
    let told = speaker.tell(&letter).await;
    let parts = channel.target.sms().map_or(0, |sms| message.short.fitted(places, sms).parts);
    Some(told.map(|id| paid(parts, id)))
}

/// In how many parts a channel would send a notice, each of which is paid; 0 where a message costs nothing.
pub fn parts(channel: &Channel, notice: &Notice, zone: &TimeZone, places: &Places) -> u32 {
    let only_updates = notice.incident().is_some_and(|incident| incident.reason.only_updates());
    let Some(sms) = channel.target.sms().filter(|_| !only_updates) else { return 0 };
    compose(notice, channel.language, zone, None, None).short.fitted(places, sms).parts
}

/// What became of a message by the name that its channel gave it; `None` of channels that do not tell.
pub async fn delivery(channel: &Channel, http: &Client, id: &str) -> Option<Result<Delivery, Refusal>> {
    // It becomes a part of an address.
    let is_name = (1..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    Some(match &channel.target {
        _ if !is_name => return None,
        Target::Esms { api, token, secret, .. } => esms::delivery(http, api, (token, secret), id).await,
        Target::SpeedSms { api, token, .. } => speedsms::delivery(http, api, token, id).await,
        _ => return None,
    })
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
        Target::SmsHttp { url, token, body, sms } => Box::new(sms::Gateway {
            http,
            url: url.clone(),
            token: token.clone(),
            body: body.clone(),
            sms: sms.clone(),
        }),
        Target::Esms { api, token, secret, brandname, sms } => Box::new(esms::Esms {
            http,
            api: api.clone(),
            token: token.clone(),
            secret: secret.clone(),
            brandname: brandname.clone(),
            sms: sms.clone(),
        }),
        Target::SpeedSms { api, token, brandname, kind, sms } => Box::new(speedsms::SpeedSms {
            http,
            api: api.clone(),
            token: token.clone(),
            brandname: brandname.clone(),
            kind: *kind,
            sms: sms.clone(),
        }),
        Target::Gammu { program, config, sms, .. } => {
            Box::new(sms::Gammu { program: program.clone(), config: config.clone(), sms: sms.clone() })
        }
        Target::Email(settings) => Box::new(email::Mailbox { settings: settings.clone() }),
        Target::Alertmanager { .. } | Target::Sip(_) | Target::Stringee(_) => return None,
    })
}
