//! Channels, people and the roster.

use super::{
    entry::{Context, Entry, Located},
    fleet::{LANGUAGES, Seen, address, known},
    secret::{interpolated, secret},
    source::Tables,
};
use crate::{
    deliver::{Channel, Person, Rotation, Settings, Target},
    model::{ChannelId, Language, PersonId},
};
use std::collections::{BTreeMap, BTreeSet};
use url::Url;

/// `[[channel]]`, `[[person]]`, `[alert]` and `[rotation]`.
pub(super) fn contacts(tables: &Tables<'_>, language: Language, context: &Context<'_>) -> Settings {
    let channels = channels(tables, language);
    // A channel whose entry is wrong is still a channel that people may name.
    let names: BTreeSet<String> = ids(tables, "channel");
    let mut settings = Settings { channels, ..Settings::default() };
    settings.people = people(tables, &names);
    if let Some(alert) = tables.one("alert") {
        settings.always = named_channels(alert, &names);
        settings.page = address(alert, "page", &["http", "https"], "http://10.20.0.2:9740/").map(|page| page.value);
    }
    settings.rotation = tables.one("rotation").and_then(|entry| rotation(entry, &ids(tables, "person")));
    if settings.rotation.is_none() && !settings.people.is_empty() && tables.one("rotation").is_none() {
        let remedy = "add [rotation] with people, start, handover and days, or remove [[person]]";
        context.missing("has people but no rotation", remedy);
    }
    settings
}

fn ids(tables: &Tables<'_>, name: &'static str) -> BTreeSet<String> {
    tables.list(name).filter_map(|entry| entry.text("id")).map(|id| id.value).collect()
}

fn channels(tables: &Tables<'_>, language: Language) -> BTreeMap<ChannelId, Channel> {
    let mut seen = Seen::default();
    let mut channels = BTreeMap::new();
    for entry in tables.list("channel") {
        let id = seen.new_id(entry);
        let language = entry.word("language", LANGUAGES).unwrap_or(language);
        let url = url(entry);
        let token = secret(entry, "token", "token_file", false);
        let topic = entry.text("topic");
        let kind = entry.required("type", "ntfy");
        let target = match (kind.as_ref().map(|kind| kind.value.as_str()), url) {
            (Some("webhook"), Some(url)) => Some(Target::Webhook { url, token }),
            (Some("ntfy"), Some(url)) => match topic.filter(|topic| !topic.value.is_empty()) {
                Some(topic) => Some(Target::Ntfy { url, topic: topic.value, token }),
                None => {
                    entry.problem("topic", entry.span(), "is missing".into(), "add topic = \"truc-ban\"");
                    None
                }
            },
            (Some("webhook" | "ntfy") | None, _) => None,
            (Some(_), _) => {
                let kind = kind.unwrap_or(Located { value: String::new(), span: entry.span() });
                let message = format!("{:?} is not known here", kind.value);
                entry.problem("type", kind.span, message, "write \"webhook\" or \"ntfy\"");
                None
            }
        };
        if let (Some(id), Some(target)) = (id, target) {
            channels.insert(id.as_str().into(), Channel { target, language });
        }
    }
    channels
}

/// Webhook addresses often are secrets themselves, so the value is never shown.
fn url(entry: &Entry<'_>) -> Option<Url> {
    let text = entry.required("url", "http://ntfy.xa.lan")?;
    let text = Located { value: interpolated(entry, "url", &text)?, span: text.span };
    match text.value.parse::<Url>() {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Some(url),
        _ => {
            let message = "is no http:// or https:// address".to_owned();
            entry.problem("url", text.span, message, "write it like \"http://ntfy.xa.lan\"");
            None
        }
    }
}

fn people(tables: &Tables<'_>, channels: &BTreeSet<String>) -> BTreeMap<PersonId, Person> {
    let mut seen = Seen::default();
    let mut people = BTreeMap::new();
    for entry in tables.list("person") {
        let id = seen.new_id(entry);
        let name = entry.required("name", "Trung úy An");
        let channels = named_channels(entry, channels);
        if channels.is_empty() && entry.texts("channels").is_empty() {
            entry.problem(
                "channels",
                entry.span(),
                "nothing reaches this person".into(),
                "add channels = [\"ntfy-an\"]",
            );
        }
        if let (Some(id), Some(name)) = (id, name) {
            people.insert(id.as_str().into(), Person { name: name.value, channels });
        }
    }
    people
}

fn named_channels(entry: &Entry<'_>, channels: &BTreeSet<String>) -> Vec<ChannelId> {
    let names = entry.texts("channels");
    let known = |name: &Located<String>| known(entry, "channels", name, channels.iter().map(String::as_str), "channel");
    names.iter().filter_map(known).map(|id| id.as_str().into()).collect()
}

fn rotation(entry: &Entry<'_>, people: &BTreeSet<String>) -> Option<Rotation> {
    let names = entry.texts("people");
    if names.is_empty() {
        entry.problem(
            "people",
            entry.span(),
            "names nobody".into(),
            "add people = [\"an\", \"binh\"], in the order of turns",
        );
    }
    let known = |name: &Located<String>| known(entry, "people", name, people.iter().map(String::as_str), "person");
    let people = names.iter().filter_map(known).map(|id| id.as_str().into()).collect();
    let start = match entry.has("start") {
        true => entry.parsed("start", "date", "2026-11-02").map(|start| start.value),
        false => {
            entry.problem(
                "start",
                entry.span(),
                "is missing".into(),
                "add start = \"2026-11-02\", the first day of the first turn",
            );
            None
        }
    };
    let handover = match entry.has("handover") {
        true => entry.parsed("handover", "time of day", "07:00").map(|handover| handover.value),
        false => Some(jiff::civil::time(7, 0, 0, 0)),
    };
    let days = entry.number("days", 1..=366).unwrap_or(1) as u32;
    Some(Rotation { people, start: start?, handover: handover?, days })
}
