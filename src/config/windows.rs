//! `[[maintenance]]`: what is out of service on purpose, once or each week.

use super::{contacts::span, entry::Entry, ids::known, tables::Tables};
use crate::model::{Commune, Fleet, Scope, Span, Window};

const DAYS: &[(&str, i8)] = &[("mon", 1), ("tue", 2), ("wed", 3), ("thu", 4), ("fri", 5), ("sat", 6), ("sun", 7)];

/// All windows of the configuration.
pub(super) fn windows(tables: &Tables<'_>, fleet: &Fleet) -> Vec<Window> {
    let entries = tables.list("maintenance").enumerate();
    entries.filter_map(|(number, entry)| window(entry, number + 1, fleet)).collect()
}

fn window(entry: &Entry<'_>, number: usize, fleet: &Fleet) -> Option<Window> {
    let scope = scope(entry, fleet);
    let author = entry.required("author", "Đại úy Dũng").map(|author| author.value);
    let reason = entry.required("reason", "thay tủ mạng").map(|reason| reason.value);
    let span = when(entry, &fleet.commune);
    Some(Window { id: format!("config-{number}"), scope: scope?, span: span?, author: author?, reason: reason? })
}

fn scope(entry: &Entry<'_>, fleet: &Fleet) -> Option<Scope> {
    let names = |key: &'static str| -> Vec<String> {
        match key {
            "camera" => fleet.cameras.keys().map(ToString::to_string).collect(),
            "site" => fleet.sites.keys().map(ToString::to_string).collect(),
            "link" => fleet.links.keys().map(ToString::to_string).collect(),
            "area" => fleet.areas.keys().map(ToString::to_string).collect(),
            _ => fleet.sites.values().map(|site| site.hamlet.clone()).collect(),
        }
    };
    let mut scopes = Vec::new();
    for key in ["camera", "site", "link", "area", "hamlet"] {
        let Some(name) = entry.text(key) else { continue };
        let names = names(key);
        let id = known(entry, key, &name, names.iter().map(String::as_str), key)?;
        scopes.push(match key {
            "camera" => Scope::Camera(id.as_str().into()),
            "site" => Scope::Site(id.as_str().into()),
            "link" => Scope::Link(id.as_str().into()),
            "area" => Scope::Area(id.as_str().into()),
            _ => Scope::Hamlet(id),
        });
    }
    if entry.truth("all") == Some(true) {
        scopes.push(Scope::All);
    }
    match scopes.len() {
        1 => scopes.pop(),
        _ => {
            let message = format!("names {} things that are out of service", scopes.len());
            let remedy = "give exactly one of camera, site, link, area, hamlet, or all = true";
            entry.problem("", entry.span(), message, remedy);
            None
        }
    }
}

fn when(entry: &Entry<'_>, commune: &Commune) -> Option<Span> {
    match (entry.has("hours"), entry.has("from") || entry.has("until")) {
        (true, false) => weekly(entry),
        (false, _) => {
            days(entry);
            span(entry, commune).map(|(from, until)| Span::Once { from, until })
        }
        (true, true) => {
            let message = "hours repeat each week, from and until are once".to_owned();
            entry.problem("hours", entry.place("hours"), message, "keep one of them");
            None
        }
    }
}

/// `hours`, and the `days` of the week on which they begin, where not on all.
pub(super) fn weekly(entry: &Entry<'_>) -> Option<Span> {
    let days = days(entry);
    let hours = entry.parsed("hours", "span of a day", "22:00-02:00")?;
    Some(Span::Weekly { days, hours: hours.value })
}

fn days(entry: &Entry<'_>) -> Vec<i8> {
    let mut numbers = Vec::new();
    for day in entry.texts("days") {
        match DAYS.iter().find(|(name, _)| *name == day.value) {
            Some((_, number)) => numbers.push(*number),
            None => {
                let message = format!("{} is no day of the week", entry.quoted(&day));
                entry.problem("days", day.span, message, "write days = [\"mon\", \"sat\"]");
            }
        }
    }
    numbers
}
