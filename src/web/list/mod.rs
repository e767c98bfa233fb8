//! Lists of cameras, sites and links: searched, filtered, sorted and in pages, by plain forms that need no script.

mod asked;
mod index;
mod links;
mod select;
#[cfg(test)]
mod tests;

pub(super) use asked::{Asked, Filter, Place, Wanted, What, short};
pub(super) use index::Index;

use super::{
    page::{Moment, level_symbol, moment, thousands},
    rows::CameraRow,
    words::{Words, words},
};
use crate::model::{
    AreaId, FailureKind, Fleet, Kind, Language, Level, Site, SiteStatus, Snapshot, State as CameraState,
};
use askama::Template;
use asked::{OUTSIDE, Sort, UNWELL};
use std::{collections::BTreeMap, sync::Arc};

/// Areas that a form offers.
const OFFERED: usize = 400;

/// Where cameras that stand like this, in some place, are listed.
pub(super) fn cameras(state: Wanted<CameraState>, place: Option<Place>, language: Language) -> String {
    Filter { state, place, ..Filter::all(What::Cameras) }.address(language)
}

/// The same for sites.
pub(super) fn sites(level: Wanted<Level>, place: Option<Place>, language: Language) -> String {
    Filter { level, place, ..Filter::all(What::Sites) }.address(language)
}

#[derive(Template)]
#[template(path = "list.html")]
struct Main<'a> {
    words: &'static Words,
    title: &'static str,
    at: Moment,
    filter: &'a Filter,
    selects: Vec<Select>,
    found: String,
    all: String,
    pager: Vec<Step>,
    cameras: Vec<CameraRow>,
    sites: Vec<SiteRow>,
    links: Vec<links::LinkRow>,
    /// Whether the form asks for words alone.
    words_only: bool,
}

/// A choice of the form.
struct Select {
    name: &'static str,
    label: &'static str,
    /// Value, words, and whether it is chosen.
    options: Vec<(String, String, bool)>,
}

/// A step to another page: its address is empty where there is none.
struct Step {
    words: String,
    address: String,
}

struct SiteRow {
    id: String,
    name: String,
    hamlet: String,
    area: String,
    level: &'static str,
    word: &'static str,
    symbol: &'static str,
    views: String,
    lost: String,
    since: Moment,
    incident: Option<u32>,
}

/// The content of a list's page.
pub(super) fn main(snapshot: &Snapshot, index: &Index, filter: &Filter, language: Language) -> askama::Result<String> {
    let words = words(language);
    let mut page = Main {
        words,
        title: words.cameras,
        at: moment(snapshot.at, snapshot),
        filter,
        selects: selects(&snapshot.fleet, filter, language),
        found: String::new(),
        all: String::new(),
        pager: Vec::new(),
        cameras: Vec::new(),
        sites: Vec::new(),
        links: Vec::new(),
        words_only: filter.what == What::Links,
    };
    let (found, all, at, pages) = match filter.what {
        What::Cameras => {
            let selected = select::cameras(index, snapshot, filter);
            let rows = selected.rows.iter();
            page.cameras =
                rows.map(|(camera, status)| CameraRow::of(snapshot, language, camera, status, false)).collect();
            (selected.found, index.cameras.len(), selected.page, selected.pages)
        }
        What::Sites => {
            page.title = words.sites;
            let selected = select::sites(index, snapshot, filter);
            page.sites =
                selected.rows.iter().map(|(site, status)| site_row(snapshot, site, status, language)).collect();
            (selected.found, index.sites.len(), selected.page, selected.pages)
        }
        What::Links => {
            page.title = words.links;
            let (rows, found, at, pages) = links::page(snapshot, filter, language);
            page.links = rows;
            (found, snapshot.fleet.links.len(), at, pages)
        }
    };
    (page.found, page.all) = (thousands(found, language), thousands(all, language));
    page.pager = pager(filter, at, pages, language);
    page.render()
}

fn site_row(snapshot: &Snapshot, site: &Site, status: &SiteStatus, language: Language) -> SiteRow {
    let lost = status.views.iter().filter(|view| view.state == crate::model::ViewState::Lost);
    let lost: Vec<&str> = lost.map(|view| view.name.as_str()).collect();
    let covered = status.views.iter().filter(|view| view.state == crate::model::ViewState::Covered).count();
    let area = site.area.as_ref().and_then(|id| snapshot.fleet.areas.get(id));
    SiteRow {
        id: site.id.to_string(),
        name: site.name.clone(),
        hamlet: site.hamlet.clone(),
        area: area.map_or_else(String::new, |area| area.name.clone()),
        level: status.level.as_str(),
        word: status.level.text(language),
        symbol: level_symbol(status.level),
        views: format!("{covered}/{}", status.views.len()),
        lost: lost.join("; "),
        since: moment(status.since, snapshot),
        incident: snapshot.number(status),
    }
}

/// Links to the pages around, as far as there are any.
fn pager(filter: &Filter, at: usize, pages: usize, language: Language) -> Vec<Step> {
    let words = words(language);
    if pages < 2 {
        return Vec::new();
    }
    let to = |page: usize, name: &str| Step {
        words: name.to_owned(),
        address: match page != at && (1..=pages).contains(&page) {
            true => Filter { page, ..filter.clone() }.address(language),
            false => String::new(),
        },
    };
    let here = format!("{} {} / {}", words.page, thousands(at, language), thousands(pages, language));
    let here = Step { words: here, address: String::new() };
    vec![to(1, words.first), to(at - 1, words.previous), here, to(at + 1, words.next), to(pages, words.last)]
}

/// The choices of a list's form.
fn selects(fleet: &Fleet, filter: &Filter, language: Language) -> Vec<Select> {
    let words = words(language);
    let unwell = (UNWELL, words.unwell);
    let (name, standing, chosen) = match filter.what {
        What::Cameras => {
            let states = CameraState::ALL.map(|state| (state.as_str(), state.text(language)));
            ("state", [&[unwell][..], &states].concat(), filter.state.value(CameraState::as_str))
        }
        What::Sites => {
            let levels = Level::ALL.map(|level| (level.as_str(), level.text(language)));
            ("level", [&[unwell][..], &levels].concat(), filter.level.value(Level::as_str))
        }
        What::Links => return Vec::new(),
    };
    let mut selects = vec![select(name, words.state, words.any, &standing, chosen)];
    if filter.what == What::Cameras {
        let kinds = Kind::ALL.map(|kind| (kind.as_str(), kind.text(language)));
        selects.push(select("kind", words.kind, words.any, &kinds, filter.kind.map_or("", Kind::as_str)));
        let causes = FailureKind::ALL.map(|cause| (cause.as_str(), cause.text(language)));
        selects.push(select("cause", words.cause, words.any, &causes, filter.cause.map_or("", FailureKind::as_str)));
    }
    if !fleet.areas.is_empty() {
        selects.push(Select { name: "area", label: words.area, options: areas(fleet, filter.place.as_ref(), words) });
    }
    let sorts = Sort::ALL.map(|(name, sort)| {
        let text = match sort {
            Sort::Worst => words.worst_first,
            Sort::Name => words.by_name,
            Sort::Since => words.latest_first,
        };
        (name.to_owned(), text.to_owned(), sort == filter.sort)
    });
    selects.push(Select { name: "sort", label: words.sort, options: sorts.into() });
    selects
}

fn select(name: &'static str, label: &'static str, any: &str, values: &[(&str, &str)], chosen: &str) -> Select {
    let all = [("", any)];
    let options = all.iter().chain(values);
    let options = options.map(|(value, text)| ((*value).to_owned(), (*text).to_owned(), *value == chosen));
    Select { name, label, options: options.collect() }
}

/// Areas as a tree, each below the one that it is a part of. One that is asked for and not there is named, so that the
/// form says what the list shows.
fn areas(fleet: &Fleet, chosen: Option<&Place>, words: &Words) -> Vec<(String, String, bool)> {
    let wanted = match chosen {
        Some(Place::In(id)) => id.as_str(),
        _ => "",
    };
    let mut options = vec![
        (String::new(), words.any.to_owned(), chosen.is_none()),
        (OUTSIDE.to_owned(), words.no_areas.to_owned(), chosen == Some(&Place::Outside)),
    ];
    if !wanted.is_empty() && !fleet.areas.contains_key(wanted) {
        options.push((wanted.to_owned(), wanted.to_owned(), true));
    }
    let mut below: BTreeMap<Option<&AreaId>, Vec<(&str, &AreaId)>> = BTreeMap::new();
    for (id, area) in &fleet.areas {
        below.entry(area.parent.as_ref()).or_default().push((&area.name, id));
    }
    let sorted = |of: Option<&AreaId>| {
        let mut areas = below.get(&of).cloned().unwrap_or_default();
        areas.sort_unstable();
        areas.into_iter().rev()
    };
    let mut left: Vec<(usize, &str, &AreaId)> = sorted(None).map(|(name, id)| (0, name, id)).collect();
    while let Some((depth, name, id)) = left.pop() {
        if options.len() < OFFERED || id.as_str() == wanted {
            let indent = "\u{2003}".repeat(depth.min(8));
            options.push((id.to_string(), format!("{indent}{name}"), id.as_str() == wanted));
        }
        left.extend(sorted(Some(id)).map(|(name, id)| (depth + 1, name, id)));
    }
    options
}

impl Index {
    /// The index of an inventory: the one at hand, or a new one.
    pub(super) fn kept(at_hand: &mut Option<Arc<Self>>, fleet: &Arc<Fleet>) -> Arc<Self> {
        match at_hand {
            Some(index) if index.is_of(fleet) => index.clone(),
            _ => at_hand.insert(Arc::new(Self::of(fleet))).clone(),
        }
    }
}
