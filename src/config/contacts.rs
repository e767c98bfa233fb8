//! People, rotations with those who stand in, the escalation, and when whom to leave in peace.

use super::{
    channels,
    context::Context,
    entry::{Entry, Located},
    fleet::address,
    ids::{Seen, known},
    tables::Tables,
    trunks, web_address,
};
use crate::{
    alert::{self, Digest, Override, Person, Quiet, Rotation, Step, Target},
    deliver::{self, Heartbeat},
    model::{ChannelId, Commune, Level, PersonId},
};
use jiff::{Timestamp, civil};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const MAIN: &str = "oncall";

/// Names that targets may be.
struct Names {
    channels: BTreeSet<String>,
    people: BTreeSet<String>,
    rotations: BTreeSet<String>,
}

/// `[[channel]]`, `[[person]]`, `[alert]`, `[[rotation]]`, `[[override]]`, `[[escalation]]` and `[heartbeat]`.
pub(super) fn contacts(
    tables: &Tables<'_>,
    commune: &Commune,
    context: &Context<'_>,
) -> (deliver::Settings, alert::Settings) {
    let trunks = trunks::trunks(tables);
    let channels = channels::channels(tables, &trunks, commune.language);
    let mut deliver = deliver::Settings { channels, trunks, ..deliver::Settings::default() };
    // What is wrong in itself may still be named by others.
    let kind = |id: &str| deliver.channels.get(&ChannelId::from(id)).map(|channel| &channel.target);
    let rings = |id: &String| kind(id).is_none_or(deliver::Target::rings);
    let single = |id: &String| {
        kind(id).is_none_or(|target| !target.rings() && !matches!(target, deliver::Target::Alertmanager { .. }))
    };
    let telephones = ids(tables, "channel").into_iter().filter(rings).collect();
    let channels = ids(tables, "channel").into_iter().filter(single).collect();
    let rotations = tables.list("rotation").map(rotation_id).collect();
    let names = Names { channels, people: ids(tables, "person"), rotations };
    let mut alert = alert::Settings {
        people: people(tables, &names.channels, &telephones),
        rotations: rotations_of(tables, &names.people),
        overrides: tables.list("override").filter_map(|entry| stand_in(entry, &names, commune)).collect(),
        steps: tables.list("escalation").filter_map(|entry| step(entry, &names)).collect(),
        ..alert::Settings::default()
    };
    if let Some(table) = tables.one("alert") {
        alert.always = named_channels(table, "channels", &names.channels);
        deliver.page = address(table, "page", &["http", "https"], "http://10.20.0.2:9740/").map(|page| page.value);
        alert.repeat = table.number("repeat", 0..=100).map_or(alert.repeat, |number| number as u32);
        let minute = Duration::from_secs(60);
        alert.ack_expires = table.duration("ack_expires", minute..=30 * DAY).map_or(alert.ack_expires, |d| d.value);
        alert.maintainers = targets(table, "maintainers", &names);
        alert.roster_keepers = targets(table, "roster_keepers", &names);
        alert.monthly_drill = table.word("drill", &[("monthly", true), ("never", false)]).unwrap_or(false);
        alert.quiet = quiet(table);
        alert.digest = digest(table, &names);
    }
    deliver.heartbeat = tables.one("heartbeat").and_then(heartbeat);
    if alert.rotations.is_empty() && !alert.people.is_empty() && tables.list("rotation").next().is_none() {
        let remedy = "add [rotation] with people, start, handover and days, or remove [[person]]";
        context.missing("has people but no rotation", remedy);
    }
    (deliver, alert)
}

fn ids(tables: &Tables<'_>, name: &'static str) -> BTreeSet<String> {
    tables.list(name).filter_map(|entry| entry.text("id")).map(|id| id.value).collect()
}

fn people(
    tables: &Tables<'_>,
    channels: &BTreeSet<String>,
    telephones: &BTreeSet<String>,
) -> BTreeMap<PersonId, Person> {
    let mut seen = Seen::default();
    let mut people = BTreeMap::new();
    for entry in tables.list("person") {
        let id = seen.new_id(entry);
        let name = entry.required("name", "Trung úy An");
        let channels = named_channels(entry, "channels", channels);
        let calls = named_channels(entry, "calls", telephones);
        if channels.is_empty() && entry.texts("channels").is_empty() {
            let remedy = "add channels = [\"zalo-an\", \"sms-an\"], the first by preference";
            entry.problem("channels", entry.span(), "nothing reaches this person".into(), remedy);
        }
        if let (Some(id), Some(name)) = (id, name) {
            people.insert(id.as_str().into(), Person { name: name.value, channels, calls });
        }
    }
    people
}

/// Channels by id; under `calls` telephones, elsewhere all others.
fn named_channels(entry: &Entry<'_>, key: &'static str, channels: &BTreeSet<String>) -> Vec<ChannelId> {
    let names = entry.texts(key);
    let what = if key == "calls" { "telephone" } else { "channel" };
    let known = |name: &Located<String>| known(entry, key, name, channels.iter().map(String::as_str), what);
    names.iter().filter_map(known).map(|id| id.as_str().into()).collect()
}

/// A single `[rotation]` needs no name.
fn rotation_id(entry: &Entry<'_>) -> String {
    entry.text("id").map_or_else(|| MAIN.to_owned(), |id| id.value)
}

fn rotations_of(tables: &Tables<'_>, people: &BTreeSet<String>) -> Vec<Rotation> {
    let mut seen = BTreeSet::new();
    let mut rotations = Vec::new();
    for entry in tables.list("rotation") {
        let id = rotation_id(entry);
        if !seen.insert(id.clone()) {
            let id = entry.text("id").map_or_else(|| format!("{id:?}"), |id| entry.quoted(&id));
            let message = format!("there is a rotation {id} already");
            entry.problem("id", entry.place("id"), message, "give each [[rotation]] an id of its own");
        }
        rotations.extend(rotation(entry, id, people));
    }
    rotations
}

fn rotation(entry: &Entry<'_>, id: String, people: &BTreeSet<String>) -> Option<Rotation> {
    let names = entry.texts("people");
    if names.is_empty() {
        let remedy = "add people = [\"an\", \"binh\"], in the order of turns";
        entry.problem("people", entry.span(), "names nobody".into(), remedy);
    }
    let known = |name: &Located<String>| known(entry, "people", name, people.iter().map(String::as_str), "person");
    let people = names.iter().filter_map(known).map(|id| id.as_str().into()).collect();
    let start = match entry.has("start") {
        true => entry.parsed("start", "date", "2026-11-02").map(|start| start.value),
        false => {
            let remedy = "add start = \"2026-11-02\", the first day of the first turn";
            entry.problem("start", entry.span(), "is missing".into(), remedy);
            None
        }
    };
    let mut handovers = Vec::new();
    for text in entry.one_or_more("handover") {
        match text.value.parse::<civil::Time>() {
            Ok(time) => handovers.push(time),
            Err(_) => {
                let message = format!("{} is no time of day", entry.quoted(&text));
                entry.problem("handover", text.span, message, "write it like \"07:00\", or [\"07:00\", \"19:00\"]");
            }
        }
    }
    if handovers.is_empty() {
        handovers.push(civil::time(7, 0, 0, 0));
    }
    let days = entry.number("days", 1..=366).unwrap_or(1) as u32;
    if days > 1 && handovers.len() > 1 {
        let message = "several times of handing over make shifts, which last less than a day".to_owned();
        entry.problem("days", entry.place("days"), message, "remove days, or keep one handover");
    }
    let notice = entry.duration("handover_notice", Duration::ZERO..=DAY).map_or(Duration::ZERO, |notice| notice.value);
    Some(Rotation { id, people, start: start?, handovers, days, handover_notice: notice })
}

/// `from` and `until` in the commune's time.
pub(super) fn span(entry: &Entry<'_>, commune: &Commune) -> Option<(Timestamp, Timestamp)> {
    let moment = |key: &'static str| {
        entry.required(key, "2027-02-05 07:00")?;
        let local = entry.parsed::<civil::DateTime>(key, "day and time", "2027-02-05 07:00")?;
        let zoned = local.value.to_zoned_datetime(commune.timezone.clone()).ok()?;
        Some(Located { value: zoned.timestamp(), span: local.span })
    };
    let (from, until) = (moment("from"), moment("until"));
    let (from, until) = (from?, until?);
    if until.value <= from.value {
        entry.problem("until", until.span, "is not after from".into(), "exchange them");
        return None;
    }
    Some((from.value, until.value))
}

fn stand_in(entry: &Entry<'_>, names: &Names, commune: &Commune) -> Option<Override> {
    let named = entry.text("person").filter(|name| !name.value.is_empty());
    let person = match &named {
        Some(name) => Some(known(entry, "person", name, names.people.iter().map(String::as_str), "person")?),
        // Whoever has the turn is away, and nobody stands in yet: that is told days before.
        None => None,
    };
    let rotation = entry
        .text("rotation")
        .and_then(|name| known(entry, "rotation", &name, names.rotations.iter().map(String::as_str), "rotation"));
    let reason = entry.required("reason", "Tết").map(|reason| reason.value).unwrap_or_default();
    let (from, until) = span(entry, commune)?;
    Some(Override { rotation, person: person.map(|person| person.as_str().into()), from, until, reason })
}

fn step(entry: &Entry<'_>, names: &Names) -> Option<Step> {
    let after = entry.duration("after", Duration::ZERO..=DAY).map_or(Duration::ZERO, |after| after.value);
    let to = targets(entry, "to", names);
    if to.is_empty() && entry.texts("to").is_empty() {
        entry.problem("to", entry.span(), "tells nobody".into(), "add to = [\"oncall\"]");
    }
    Some(Step { after, to })
}

/// `oncall`, `oncall:ROTATION`, `next:ROTATION`, a person or a channel.
fn targets(entry: &Entry<'_>, key: &'static str, names: &Names) -> Vec<Target> {
    let one = |text: Located<String>| {
        let rotation = |name: &str| {
            let name = Located { value: name.to_owned(), span: text.span.clone() };
            known(entry, key, &name, names.rotations.iter().map(String::as_str), "rotation")
        };
        let first = || names.rotations.iter().next().cloned();
        match text.value.split_once(':') {
            Some(("oncall", name)) => return rotation(name).map(Target::Rotation),
            Some(("next", name)) => return rotation(name).map(Target::Next),
            _ if text.value == "next" => return first().map(Target::Next),
            _ if text.value == MAIN => return Some(Target::OnCall),
            _ => {}
        }
        if names.people.contains(&text.value) {
            return Some(Target::Person(text.value.as_str().into()));
        }
        let all = names.people.iter().chain(&names.channels).map(String::as_str).chain([MAIN, "next"]);
        let name = known(entry, key, &text, all, "person or channel")?;
        Some(Target::Channel(name.as_str().into()))
    };
    entry.texts(key).into_iter().filter_map(one).collect()
}

fn quiet(table: &Entry<'_>) -> Option<Quiet> {
    const LEVELS: &[(&str, Level)] =
        &[(Level::Critical.as_str(), Level::Critical), (Level::Blind.as_str(), Level::Blind)];
    let except = table.word("quiet_except", LEVELS).unwrap_or(Level::Blind);
    let text = table.text("quiet_hours")?;
    match text.value.parse() {
        Ok(hours) => Some(Quiet { hours, except }),
        Err(()) => {
            let message = format!("{} is no span of a day", table.quoted(&text));
            table.problem("quiet_hours", text.span, message, "write quiet_hours = \"22:00-06:00\"");
            None
        }
    }
}

fn digest(table: &Entry<'_>, names: &Names) -> Option<Digest> {
    let digest = table.child("digest")?;
    let at = digest.parsed("at", "time of day", "07:00").map_or(civil::time(7, 0, 0, 0), |at| at.value);
    let to = targets(&digest, "to", names);
    if to.is_empty() && digest.texts("to").is_empty() {
        digest.problem("to", digest.span(), "tells nobody".into(), "add to = [\"nha-thau\"]");
    }
    digest.refuse_unread();
    Some(Digest { at, to })
}

fn heartbeat(table: &Entry<'_>) -> Option<Heartbeat> {
    let url = web_address::url(table, "https://hc.example.vn/ping/…");
    let every = table.duration("every", Duration::from_secs(10)..=DAY).map_or(Duration::from_secs(60), |d| d.value);
    Some(Heartbeat { url: url?, every })
}
