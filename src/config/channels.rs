//! `[[channel]]`: ways to tell somebody, by kind.

use super::{
    entry::{Entry, Located},
    ids::{Seen, member},
    names::suggestion,
    secret::secret,
    sms,
    tables::Tables,
    trunks::{Trunks, phone as telephone},
    web_address::{url, web_address},
};
use crate::{
    deliver::{Channel, Email, Stringee, Target, Tls},
    model::{ChannelId, Language},
};
use std::collections::BTreeMap;
use url::Url;

const KINDS: [&str; 12] = [
    "zalo",
    "ntfy",
    "sip",
    "stringee",
    "gammu",
    "sms_http",
    "esms",
    "speedsms",
    "email",
    "webhook",
    "alertmanager",
    "telegram",
];
const ZALO: &str = "https://bot-api.zaloplatforms.com";
const STRINGEE: &str = "https://api.stringee.com/";
const TELEGRAM: &str = "https://api.telegram.org";

pub(super) fn channels(tables: &Tables<'_>, trunks: &Trunks, language: Language) -> BTreeMap<ChannelId, Channel> {
    let exchanges: Vec<String> = tables.list("trunk").filter_map(|entry| entry.text("id")).map(|id| id.value).collect();
    let mut seen = Seen::default();
    let mut channels = BTreeMap::new();
    for entry in tables.list("channel") {
        let id = seen.new_id(entry);
        let language = entry.word("language", &Language::NAMES).unwrap_or(language);
        let per_minute = entry.number("per_minute", 1..=6000);
        let machine = entry.text("machine").and_then(|machine| member(entry, "machine", &machine));
        let kind = entry.required("type", "ntfy");
        let per_day = kind.as_ref().filter(|kind| sms::is_one(&kind.value)).and_then(|_| sms::per_day(entry));
        let target = kind.as_ref().and_then(|kind| match kind.value.as_str() {
            "sip" => telephone(entry, trunks, sms::phone(entry), &exchanges).map(Target::Sip),
            _ => target(entry, kind),
        });
        if let (Some(id), Some(target)) = (id, target) {
            let mut channel = Channel::new(target, language);
            channel.per_minute = per_minute.map_or(channel.per_minute, |number| number as u32);
            channel.per_day = per_day.or(channel.per_day);
            channel.machine = machine;
            channels.insert(id.as_str().into(), channel);
        }
    }
    channels
}

fn target(entry: &Entry<'_>, kind: &Located<String>) -> Option<Target> {
    let token = || secret(entry, "token", "token_file", false);
    match kind.value.as_str() {
        "webhook" => {
            let (url, token) = (url(entry, "http://10.20.0.9/su-co"), token());
            let secret = secret(entry, "secret", "secret_file", false);
            Some(Target::Webhook { url: url?, token, secret })
        }
        "ntfy" => {
            let (url, token) = (url(entry, "http://ntfy.xa.lan"), token());
            let topic = entry.required_hidden("topic", "truc-ban");
            Some(Target::Ntfy { url: url?, topic: topic?.value, token })
        }
        "zalo" | "telegram" => {
            let standard = if kind.value == "zalo" { ZALO } else { TELEGRAM };
            let api = match entry.has("url") {
                true => url(entry, standard),
                false => standard.parse().ok(),
            };
            let token = secret(entry, "token", "token_file", true);
            let chat = entry.required_hidden("chat", "6ede9afa66b88fe6d6a9");
            let (api, token, chat) = (api?, token?, chat?.value);
            Some(match kind.value.as_str() {
                "zalo" => Target::Zalo { api, token, chat },
                _ => Target::Telegram { api, token, chat },
            })
        }
        kind if sms::is_one(kind) => sms::target(entry, kind),
        "stringee" => {
            let api = match entry.has("url") {
                true => url(entry, STRINGEE),
                false => STRINGEE.parse().ok(),
            };
            let sid = entry.required_hidden("sid", "SK.0.abc").map(|sid| sid.value);
            let secret = secret(entry, "secret", "secret_file", true);
            let from = entry.required_hidden("from", "842471000000").map(|from| from.value);
            let phone = sms::phone(entry);
            let (api, sid, secret, from, phone) = (api?, sid?, secret?, from?, phone?);
            Some(Target::Stringee(Stringee { api, sid, secret, from, phone }))
        }
        "email" => email(entry).map(Target::Email),
        "alertmanager" => {
            let token = token();
            let urls = entry.addresses("urls");
            if urls.is_empty() {
                let remedy = "add urls = [\"http://10.20.0.5:9093\"], every instance of the cluster";
                entry.problem("urls", entry.place("urls"), "names no Alertmanager".into(), remedy);
            }
            let urls: Vec<Url> = urls.into_iter().filter_map(|text| web_address(entry, "urls", text)).collect();
            Some(Target::Alertmanager { urls, token })
        }
        other => {
            let message = format!("{} is not known here", entry.quoted(kind));
            entry.problem("type", kind.span.clone(), message, &suggestion(other, &KINDS));
            entry.ask_all();
            None
        }
    }
}

fn email(entry: &Entry<'_>) -> Option<Email> {
    const TLS: &[(&str, Tls)] = &[("starttls", Tls::StartTls), ("implicit", Tls::Implicit), ("none", Tls::None)];
    let host = entry.required_hidden("host", "mail.xa.lan").map(|host| host.value);
    let tls = entry.word("tls", TLS).unwrap_or(Tls::StartTls);
    let usual = match tls {
        Tls::Implicit => 465,
        Tls::StartTls => 587,
        Tls::None => 25,
    };
    let port = entry.number("port", 1..=65535).unwrap_or(usual) as u16;
    let username = entry.hidden("username").map(|name| name.value);
    let password = secret(entry, "password", "password_file", username.is_some());
    if username.is_some() && tls == Tls::None {
        let message = "a password would be sent in the clear".to_owned();
        entry.problem("tls", entry.place("tls"), message, "write tls = \"starttls\" or remove username");
    }
    let (from, to) = (mailbox(entry, "from"), mailbox(entry, "to"));
    Some(Email { host: host?, port, tls, login: username.zip(password), from: from?, to: to? })
}

fn mailbox(entry: &Entry<'_>, key: &'static str) -> Option<String> {
    let text = entry.required_hidden(key, "truc-ban@xa.lan")?;
    match text.value.parse::<lettre::message::Mailbox>() {
        Ok(_) => Some(text.value),
        Err(_) => {
            entry.problem(key, text.span, "is no mail address".into(), &format!("write {key} = \"truc-ban@xa.lan\""));
            None
        }
    }
}
