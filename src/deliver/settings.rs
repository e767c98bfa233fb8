//! Channels: what they speak, where they are, and how much they take.

use super::{
    phone::{Phone, Trunk},
    places::Places,
    short::Sms,
    stringee::Stringee,
};
use crate::model::{ChannelId, Language, MemberId};
use secrecy::SecretString;
use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};
use url::Url;

/// Parts of SMS that a channel may send in a day, where the configuration does not say: far more than a bad night needs, and
/// what a loop of faults would cost is still bearable.
const PARTS_PER_DAY: u32 = 100;

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
    /// Names that messages may have, for those of which there is little room.
    pub places: Arc<Places>,
    /// This machine's name among those that share a province.
    pub here: Option<MemberId>,
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
    /// Parts of SMS that may be paid in a day; `None` where a message costs nothing.
    pub per_day: Option<u32>,
    /// The machine of a province that it hangs on, such as the one with its modem; any without it.
    pub machine: Option<MemberId>,
}

impl Channel {
    /// A channel with the usual limit of its kind.
    pub fn new(target: Target, language: Language) -> Self {
        let (per_minute, per_day) = (target.per_minute(), target.sms().map(|_| PARTS_PER_DAY));
        Self { target, language, per_minute, per_day, machine: None }
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
        /// JSON in which `{phone}`, `{text}` and `{key}` stand for their values.
        body: String,
        /// What is sent, and to whom.
        sms: Sms,
    },
    /// SMS by eSMS, a gateway in Vietnam.
    Esms {
        /// Where its API is.
        api: Url,
        /// The account's ApiKey.
        token: SecretString,
        /// The account's SecretKey.
        secret: SecretString,
        /// The registered name of the sender; without one it sends from a number of its own.
        brandname: Option<String>,
        /// What is sent, and to whom.
        sms: Sms,
    },
    /// SMS by SpeedSMS, a gateway in Vietnam.
    SpeedSms {
        /// Where its API is.
        api: Url,
        /// The account's access token.
        token: SecretString,
        /// The registered name of the sender.
        brandname: Option<String>,
        /// Its `sms_type`, if it is not what follows from the name.
        kind: Option<u32>,
        /// What is sent, and to whom.
        sms: Sms,
    },
    /// SMS by a GSM modem of one's own, through gammu-smsd: works without Internet.
    Gammu {
        /// `gammu-smsd-inject`, or where it lies.
        program: PathBuf,
        /// gammu-smsd's configuration, if it is not the system's.
        config: Option<PathBuf>,
        /// Where gammu-smsd puts what it receives, if answers are to be read.
        inbox: Option<PathBuf>,
        /// What is sent, and to whom.
        sms: Sms,
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
            Self::Esms { .. } => "esms",
            Self::SpeedSms { .. } => "speedsms",
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

    /// What an SMS of it may be, if it sends such.
    pub fn sms(&self) -> Option<&Sms> {
        match self {
            Self::SmsHttp { sms, .. }
            | Self::Esms { sms, .. }
            | Self::SpeedSms { sms, .. }
            | Self::Gammu { sms, .. } => Some(sms),
            _ => None,
        }
    }

    /// Whether it takes messages that are of no incident: a telephone rings by incidents alone, and Alertmanager is told states.
    pub fn takes_notes(&self) -> bool {
        !matches!(self, Self::Sip(_) | Self::Stringee(_) | Self::Alertmanager { .. })
    }

    /// What its kind takes in a minute: Telegram's guide, ntfy's default bucket, a GSM modem's speed; where no limit
    /// is published, a guess on the safe side.
    fn per_minute(&self) -> u32 {
        match self {
            Self::Webhook { .. } | Self::Ntfy { .. } | Self::Alertmanager { .. } => 60,
            // SpeedSMS takes 60 requests in a minute from an account, which several channels may share.
            Self::Zalo { .. } | Self::Telegram { .. } | Self::Email(_) => 20,
            Self::SmsHttp { .. } | Self::Esms { .. } | Self::SpeedSms { .. } => 20,
            Self::Gammu { .. } | Self::Sip(_) | Self::Stringee(_) => 6,
        }
    }
}
