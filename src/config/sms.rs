//! `[[channel]]` of the kinds that send SMS: by a modem, by a gateway of any make, by eSMS and by SpeedSMS.

use super::{
    entry::{Entry, Located},
    secret::{interpolated, secret},
    web_address::url,
};
use crate::{
    deliver::{Places, Sms, Target, dialled},
    model::{DeviceId, Fleet},
};
use url::Url;

/// Where the gateways' APIs are.
const ESMS: &str = "https://rest.esms.vn";
const SPEEDSMS: &str = "https://api.speedsms.vn";

/// The kinds.
const KINDS: [&str; 4] = ["gammu", "sms_http", "esms", "speedsms"];

/// Whether a channel of a kind sends SMS.
pub(super) fn is_one(kind: &str) -> bool {
    KINDS.contains(&kind)
}

/// What such a channel speaks; `None` for other kinds, and for what is wrong.
pub(super) fn target(entry: &Entry<'_>, kind: &str) -> Option<Target> {
    match kind {
        "sms_http" => {
            let (url, token) = (url(entry, "http://10.20.0.4/sms"), secret(entry, "token", "token_file", false));
            let (body, sms) = (body(entry), sms(entry));
            Some(Target::SmsHttp { url: url?, token, body: body?, sms: sms? })
        }
        "gammu" => {
            let path = |key| entry.hidden(key).map(|path| path.value.into());
            let program = path("program").unwrap_or_else(|| "gammu-smsd-inject".into());
            let (config, inbox) = (path("config"), path("inbox"));
            Some(Target::Gammu { program, config, inbox, sms: sms(entry)? })
        }
        "esms" => {
            let (api, sms) = (api(entry, ESMS), sms(entry));
            let token = secret(entry, "token", "token_file", true);
            let secret = secret(entry, "secret", "secret_file", true);
            let brandname = entry.text("brandname").map(|name| name.value);
            Some(Target::Esms { api: api?, token: token?, secret: secret?, brandname, sms: sms? })
        }
        "speedsms" => {
            let (api, sms) = (api(entry, SPEEDSMS), sms(entry));
            let token = secret(entry, "token", "token_file", true);
            let brandname = entry.text("brandname").map(|name| name.value);
            let kind = entry.number("sms_type", 2..=8).map(|kind| kind as u32);
            Some(Target::SpeedSms { api: api?, token: token?, brandname, kind, sms: sms? })
        }
        _ => None,
    }
}

/// How many parts of SMS such a channel may send in a day; 0 switches it off.
pub(super) fn per_day(entry: &Entry<'_>) -> Option<u32> {
    entry.number("per_day", 0..=100_000).map(|number| number as u32)
}

/// Names that messages may have.
pub(super) fn places(fleet: &Fleet) -> Places {
    let sites = fleet.sites.values().map(|site| site.name.as_str());
    let links = fleet.links.values().map(|link| link.name.as_str());
    Places::of(
        sites.chain(links).chain(fleet.devices.keys().map(DeviceId::as_str)).chain([fleet.commune.name.as_str()]),
    )
}

/// Where an API is: another place than the gateway's own is for tests, and for who has a relay of their own.
fn api(entry: &Entry<'_>, standard: &str) -> Option<Url> {
    if entry.has("url") { url(entry, standard) } else { standard.parse().ok() }
}

/// What may be sent, and to whom.
fn sms(entry: &Entry<'_>) -> Option<Sms> {
    let phone = phone(entry);
    let diacritics = entry.truth("diacritics").unwrap_or(false);
    let parts = entry.number("parts", 1..=3).unwrap_or(1) as u32;
    Some(Sms { phone: phone?, diacritics, parts })
}

/// A number as networks dial it. It is somebody's own, so it is not shown.
pub(super) fn phone(entry: &Entry<'_>) -> Option<String> {
    let phone = entry.required_hidden("phone", "+84900000000")?;
    let phone = Located { value: interpolated(entry, "phone", &phone)?, span: phone.span };
    let plain = phone.value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'+');
    if plain && dialled(&phone.value).is_some() {
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
