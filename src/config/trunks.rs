//! `[[trunk]]`: exchanges over which telephones are called, and `[[channel]]` of the type `sip`, which are telephones.

use super::{
    entry::Entry,
    ids::{Seen, known},
    secret::secret,
    tables::Tables,
};
use crate::{
    deliver::{Phone, Transport, Trunk},
    model::Certificate,
};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::sync::Semaphore;

/// Trunks by id.
pub(super) type Trunks = BTreeMap<String, Arc<Trunk>>;

const SPEAKER: &str = "espeak-ng";
/// More than a commune has telephones.
const LINES: u64 = 100;
const RING: Duration = Duration::from_secs(30);
const SHORTEST: Duration = Duration::from_secs(10);
const LONGEST: Duration = Duration::from_secs(120);

pub(super) fn trunks(tables: &Tables<'_>) -> Trunks {
    let mut seen = Seen::default();
    let both = |entry| Some((seen.new_id(entry), trunk(entry)));
    let all = tables.list("trunk").filter_map(both);
    let whole = all.filter_map(|(id, trunk)| Some((id.clone()?, Arc::new(Trunk { id: id?, ..trunk? }))));
    whole.collect()
}

fn trunk(entry: &Entry<'_>) -> Option<Trunk> {
    let host = host(entry);
    let transport = entry.word("transport", &Transport::NAMES).unwrap_or(Transport::Udp);
    let usual = if transport == Transport::Tls { 5061 } else { 5060 };
    let port = entry.number("port", 1..=65535).unwrap_or(usual) as u16;
    let username = entry.hidden("username").map(|name| name.value);
    let password = secret(entry, "password", "password_file", username.is_some());
    let from = from(entry, username.as_deref());
    let register = entry.truth("register").unwrap_or(false);
    if register && username.is_none() {
        let remedy = "add username and password_file, or remove register";
        entry.problem("register", entry.place("register"), "needs a user name to be known by".into(), remedy);
    }
    let path = |key| entry.hidden(key).map(|path| path.value.into());
    let (speaker, prompts) = (path("program").unwrap_or_else(|| SPEAKER.into()), path("prompts"));
    let lines = entry.number("lines", 1..=1000).unwrap_or(LINES) as usize;
    let certificate = certificate(entry, transport);
    let login = username.zip(password);
    let id = String::new();
    let lines = Arc::new(Semaphore::new(lines));
    Some(Trunk { id, host: host?, port, transport, certificate, login, from: from?, register, lines, speaker, prompts })
}

/// A name or an address, and nothing beside it.
fn host(entry: &Entry<'_>) -> Option<String> {
    let host = entry.required_hidden("host", "10.20.0.7")?;
    let is_name = host.value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte));
    if !host.value.is_empty() && is_name || host.value.parse::<std::net::IpAddr>().is_ok() {
        return Some(host.value);
    }
    let remedy = "write host = \"10.20.0.7\" or a name; the port and how SIP is carried have keys of their own";
    entry.problem("host", host.span, "is neither a name nor an address".into(), remedy);
    None
}

/// The number or name by which the exchange knows us.
fn from(entry: &Entry<'_>, username: Option<&str>) -> Option<String> {
    let Some(from) = entry.hidden("from") else {
        return match username {
            Some(username) if is_user(username) && !entry.has("from") => Some(username.to_owned()),
            _ => entry.required_hidden("from", "02383860000").map(|from| from.value),
        };
    };
    if is_user(&from.value) {
        return Some(from.value);
    }
    let remedy = "write the number or the name by which the exchange knows camhealth, such as from = \"02383860000\"";
    entry.problem("from", from.span, "cannot be a name in SIP".into(), remedy);
    None
}

/// Letters that a user part has without escapes (RFC 3261, section 25.1), but for signs that exchanges read as more.
fn is_user(text: &str) -> bool {
    let mark = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.+*".contains(&byte);
    (1..=64).contains(&text.len()) && text.bytes().all(mark)
}

fn certificate(entry: &Entry<'_>, transport: Transport) -> Option<Certificate> {
    let text = entry.text("certificate")?;
    if transport != Transport::Tls {
        let message = "is for transport = \"tls\" only".to_owned();
        entry.problem("certificate", text.span, message, "leave it out, or write transport = \"tls\"");
        return None;
    }
    let parsed = text.value.parse();
    if parsed.is_err() {
        let message = format!("{} is no fingerprint", entry.quoted(&text));
        let remedy =
            "write certificate = \"sha256:…\" with the exchange's, or leave it out where an authority signed it";
        entry.problem("certificate", text.span, message, remedy);
    }
    parsed.ok()
}

/// A telephone; `number` is read by whoever reads those of SMS.
pub(super) fn phone(entry: &Entry<'_>, trunks: &Trunks, number: Option<String>, ids: &[String]) -> Option<Phone> {
    let ring = entry.duration("ring", SHORTEST..=LONGEST).map_or(RING, |ring| ring.value);
    let id = match (entry.text("trunk"), ids) {
        (Some(name), _) => known(entry, "trunk", &name, ids.iter().map(String::as_str), "trunk"),
        (None, _) if entry.has("trunk") => None,
        (None, [only]) => Some(only.clone()),
        (None, []) => {
            let remedy = "add [[trunk]] with id, host, username and password_file";
            entry.problem("type", entry.place("type"), "there is no exchange to call over".into(), remedy);
            None
        }
        (None, _) => {
            entry.required("trunk", &ids[0]);
            None
        }
    };
    // One that is wrong in itself was told already.
    Some(Phone { trunk: trunks.get(&id?)?.clone(), number: number?, ring })
}
