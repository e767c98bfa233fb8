//! Channels: what they speak, where they are, and how much they take.

use super::{
    phone::{Phone, Trunk},
    stringee::Stringee,
};
use crate::model::{ChannelId, Language};
use secrecy::SecretString;
use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};
use url::Url;

/// All channels.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Channels by id.
    pub channels: BTreeMap<ChannelId, Channel>,
    /// Exchanges by id.
    pub trunks: BTreeMap<String, Arc<Trunk>>,
    /// Address of the status page for links in messages, as people reach it.
    pub page: Option<Url>,
    /// Who is to notice when the daemon dies.
    pub heartbeat: Option<Heartbeat>,
}

/// An address that is asked for again and again; whoever is behind it cries when that stops.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heartbeat {
    /// The address, which often is a secret itself.
    pub url: Url,
    /// How often.
    pub every: Duration,
}

/// One way to tell somebody.
#[derive(Debug, Clone)]
pub struct Channel {
    /// What it speaks.
    pub target: Target,
    /// Language of its messages.
    pub language: Language,
    /// Messages that it takes in a minute.
    pub per_minute: u32,
}

impl Channel {
    /// A channel with the usual limit of its kind.
    pub fn new(target: Target, language: Language) -> Self {
        let per_minute = target.per_minute();
        Self { target, language, per_minute }
    }
}

/// The protocol and address of a channel.
#[derive(Debug, Clone)]
pub enum Target {
    /// A JSON `POST`, signed as in Standard Webhooks 1.0 when there is a secret.
    Webhook {
        /// Where to.
        url: Url,
        /// Sent as `Authorization: Bearer …` when set.
        token: Option<SecretString>,
        /// Key of the signature, `whsec_…`.
        secret: Option<SecretString>,
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
    /// A Zalo bot.
    Zalo {
        /// Base URL of the Bot API.
        api: Url,
        /// The bot's token.
        token: SecretString,
        /// Who is told.
        chat: String,
    },
    /// A Telegram bot; blocked by Vietnam's providers since 2025.
    Telegram {
        /// Base URL of the Bot API.
        api: Url,
        /// The bot's token.
        token: SecretString,
        /// Who is told.
        chat: String,
    },
    /// SMS by a gateway that takes HTTP.
    SmsHttp {
        /// Where to.
        url: Url,
        /// Sent as `Authorization: Bearer …` when set.
        token: Option<SecretString>,
        /// The receiver's number.
        phone: String,
        /// JSON in which `{phone}`, `{text}` and `{key}` stand for their values.
        body: String,
        /// Whether diacritics are kept: 70 characters a message instead of 160.
        diacritics: bool,
    },
    /// SMS by a GSM modem of one's own, through gammu-smsd: works without Internet.
    Gammu {
        /// `gammu-smsd-inject`, or where it lies.
        program: PathBuf,
        /// gammu-smsd's configuration, if it is not the system's.
        config: Option<PathBuf>,
        /// The receiver's number.
        phone: String,
        /// Whether diacritics are kept.
        diacritics: bool,
    },
    /// A telephone that rings and speaks.
    Sip(Phone),
    /// A telephone that a provider calls, without keys.
    Stringee(Stringee),
    /// E-mail.
    Email(Email),
    /// One or more Alertmanagers, all of which are told what is open, again and again.
    Alertmanager {
        /// Base URLs; no load balancer in between.
        urls: Vec<Url>,
        /// Sent as `Authorization: Bearer …` when set.
        token: Option<SecretString>,
    },
}

/// A mailbox and the way to it.
#[derive(Debug, Clone)]
pub struct Email {
    /// SMTP server.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Whether and how the connection is encrypted.
    pub tls: Tls,
    /// User name and password, if the server wants them.
    pub login: Option<(String, SecretString)>,
    /// Sender.
    pub from: String,
    /// Receiver.
    pub to: String,
}

/// How a connection to an SMTP server is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    /// From the start, as on port 465.
    Implicit,
    /// After STARTTLS, which must succeed, as on port 587.
    StartTls,
    /// Not at all: for a server on the same machine.
    None,
}

impl Target {
    /// Name in metric labels.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Webhook { .. } => "webhook",
            Self::Ntfy { .. } => "ntfy",
            Self::Zalo { .. } => "zalo",
            Self::Telegram { .. } => "telegram",
            Self::SmsHttp { .. } => "sms_http",
            Self::Gammu { .. } => "gammu",
            Self::Sip(_) => "sip",
            Self::Stringee(_) => "stringee",
            Self::Email(_) => "email",
            Self::Alertmanager { .. } => "alertmanager",
        }
    }

    /// Whether it is a telephone that rings: it is named under `calls`, and told alarms only.
    pub fn rings(&self) -> bool {
        matches!(self, Self::Sip(_) | Self::Stringee(_))
    }

    /// The chat that a bot's channel speaks into.
    pub fn chat(&self) -> Option<&str> {
        match self {
            Self::Zalo { chat, .. } | Self::Telegram { chat, .. } => Some(chat),
            _ => None,
        }
    }

    /// What its kind takes in a minute: Telegram's guide, ntfy's default bucket, a GSM modem's speed; where no limit
    /// is published, a guess on the safe side.
    fn per_minute(&self) -> u32 {
        match self {
            Self::Webhook { .. } | Self::Ntfy { .. } | Self::Alertmanager { .. } => 60,
            Self::Zalo { .. } | Self::Telegram { .. } | Self::Email(_) | Self::SmsHttp { .. } => 20,
            Self::Gammu { .. } | Self::Sip(_) | Self::Stringee(_) => 6,
        }
    }
}
