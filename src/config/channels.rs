//! `[[channel]]`: ways to tell somebody, by kind.

use super::{
    entry::{Entry, Located},
    ids::Seen,
    names::suggestion,
    secret::{interpolated, secret},
    tables::Tables,
    trunks::{Trunks, phone as telephone},
};
use crate::{
    deliver::{Channel, Email, Stringee, Target, Tls},
    model::{ChannelId, Language},
};
use std::collections::BTreeMap;
use url::Url;

const KINDS: [&str; 10] =
    ["zalo", "ntfy", "sip", "stringee", "gammu", "sms_http", "email", "webhook", "alertmanager", "telegram"];
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
        let kind = entry.required("type", "ntfy");
        let target = kind.as_ref().and_then(|kind| match kind.value.as_str() {
            "sip" => telephone(entry, trunks, phone(entry), &exchanges).map(Target::Sip),
            _ => target(entry, kind),
        });
        if let (Some(id), Some(target)) = (id, target) {
            let mut channel = Channel::new(target, language);
            channel.per_minute = per_minute.map_or(channel.per_minute, |number| number as u32);
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
        "sms_http" => {
            let (url, token, phone) = (url(entry, "http://10.20.0.4/sms"), token(), phone(entry));
            let body = body(entry);
            let diacritics = entry.truth("diacritics").unwrap_or(false);
            Some(Target::SmsHttp { url: url?, token, phone: phone?, body: body?, diacritics })
        }
        "gammu" => {
            let phone = phone(entry);
            let path = |key| entry.hidden(key).map(|path| path.value.into());
            let program = path("program").unwrap_or_else(|| "gammu-smsd-inject".into());
            let config = path("config");
            let diacritics = entry.truth("diacritics").unwrap_or(false);
            Some(Target::Gammu { program, config, phone: phone?, diacritics })
        }
        "stringee" => {
            let api = match entry.has("url") {
                true => url(entry, STRINGEE),
                false => STRINGEE.parse().ok(),
            };
            let sid = entry.required_hidden("sid", "SK.0.abc").map(|sid| sid.value);
            let secret = secret(entry, "secret", "secret_file", true);
            let from = entry.required_hidden("from", "842471000000").map(|from| from.value);
            let phone = phone(entry);
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

/// Webhook addresses often are secrets themselves, so the value is never shown.
pub(super) fn url(entry: &Entry<'_>, example: &str) -> Option<Url> {
    let text = entry.required_hidden("url", example)?;
    web_address(entry, "url", text)
}

fn web_address(entry: &Entry<'_>, key: &'static str, text: Located<String>) -> Option<Url> {
    let text = Located { value: interpolated(entry, key, &text)?, span: text.span };
    match text.value.parse::<Url>() {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Some(url),
        _ => {
            let message = "is no http:// or https:// address".to_owned();
            entry.problem(key, text.span, message, "write it like \"http://ntfy.xa.lan\"");
            None
        }
    }
}

/// A number as networks dial it. It is somebody's own, so it is not shown.
fn phone(entry: &Entry<'_>) -> Option<String> {
    let phone = entry.required_hidden("phone", "+84900000000")?;
    let phone = Located { value: interpolated(entry, "phone", &phone)?, span: phone.span };
    let digits = phone.value.strip_prefix('+').unwrap_or(&phone.value);
    if (3..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(phone.value);
    }
    entry.problem("phone", phone.span, "is no telephone number".into(), "write phone = \"+84900000000\"");
    None
}

/// The gateway's own form of JSON.
fn body(entry: &Entry<'_>) -> Option<String> {
    const USUAL: &str = r#"{"to":"{phone}","text":"{text}"}"#;
    let Some(body) = entry.hidden("body") else { return (!entry.has("body")).then(|| USUAL.to_owned()) };
    let filled = body.value.replace("{phone}", "0").replace("{text}", "a").replace("{key}", "k");
    if !body.value.contains("{text}") || serde_json::from_str::<serde_json::Value>(&filled).is_err() {
        let message = "is no JSON with \"{text}\" in it".to_owned();
        entry.problem("body", body.span, message, &format!("write body = '{USUAL}', as your gateway wants it"));
        return None;
    }
    Some(body.value)
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
