//! The wall of the whole fleet or of one area: a pure function of one snapshot and a language.
//!
//! Few sites are large tiles, more are small ones, and of many only the worst are shown beside a tile for each area. What
//! is shown is bounded, whatever the fleet; the rest is counted and linked to.

use super::{
    ground::{self, Ground},
    list::{Place, Wanted},
    page::{Moment, moment, thousands},
    past::{self, Past},
    rows::{CameraRow, first_of},
    tiles::{AreaTile, SiteTile, percent, standing},
    words::{Words, words},
};
use crate::{
    model::{
        AreaId, Camera, CameraStatus, Counts, Coverage, Fleet, Incident, Kind, Language, Level, Site, SiteId,
        SiteStatus, Snapshot, Span, State, Window, local,
    },
    uptime::{Range, Together},
};
use askama::Template;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// So many sites have large tiles: four rows of a screen at most.
pub(super) const FEW: usize = 60;
/// So many sites have the hours of their last day on their tiles; of more it is two hours a piece.
const HOURLY: usize = 30;
/// So many sites have tiles at all: what a 1080p screen holds without scrolling.
pub(super) const MANY: usize = 150;
/// Parts of the fleet whose sites stand together under a head; with more, tiles would be few beside heads.
const PARTS: usize = 10;
/// So many of the worst sites are shown where there are more.
const WORST: usize = 60;
/// Areas that have a tile; a province has 130 communes.
const AREAS: usize = 200;
/// Areas on whose tiles the last day is drawn.
const DRAWN: usize = 100;
/// Cameras that are not well and are shown with the steps of a look.
const UNWELL: usize = 60;
/// Fleets of so many cameras list those that work as well, up to [`WELL`].
const WATCHED_CLOSELY: usize = 400;
const WELL: usize = 240;
/// Open incidents, windows and people on call.
const INCIDENTS: usize = 40;
const WINDOWS: usize = 20;
const ON_CALL: usize = 12;

/// The content of a wall: of the fleet, or of an area. `None` when there is no such area. Without a range it is of what
/// somebody sees of the commune.
pub(super) fn main(
    snapshot: &Snapshot,
    area: Option<&str>,
    language: Language,
    (past, range): (&Past, Option<Range>),
) -> askama::Result<Option<String>> {
    let scope = match area.map(|id| snapshot.fleet.areas.get_key_value(id)) {
        None => None,
        Some(None) => return Ok(None),
        Some(Some((id, _))) => Some(id),
    };
    let mut page = Wall { whole: range.is_some(), ..Wall::of(snapshot, scope, (language, past)) }.page();
    // Without sites there is nothing that could have stood well or not.
    let has_sites = scope.is_none_or(|area| Ground::of(snapshot).area(area).all_sites() > 0);
    if let Some(range) = range.filter(|_| has_sites) {
        let all = past.all(range);
        let strip = all.as_deref().and_then(|all| match scope {
            None => Some(&all.commune),
            Some(area) => all.areas.get(area),
        });
        let address = scope.map_or_else(|| "/".to_owned(), |area| format!("/areas/{area}"));
        page.past = Some(past::of_all(snapshot, language, (&address, range), strip));
    }
    page.render().map(Some)
}

#[derive(Template)]
#[template(path = "wall.html")]
struct Main<'a> {
    words: &'static Words,
    /// How its sites stood before now.
    past: Option<past::Section>,
    /// Whether it is of the whole commune, and not of what somebody sees of it.
    whole: bool,
    /// The area's name, and the larger ones around it with their ids, the largest first.
    title: Option<&'a str>,
    above: Vec<(&'a str, &'a str)>,
    /// Views that are seen, of all.
    seen: String,
    percent: Option<u32>,
    mood: &'static str,
    at: Moment,
    counts: Vec<(&'static str, Vec<String>)>,
    states: Vec<&'static str>,
    cut_off: Option<Moment>,
    /// Who is on call, and until when.
    on_call: Vec<(&'a str, String)>,
    incidents: Vec<IncidentRow>,
    incidents_open: usize,
    /// What is out of service on purpose: name, until when, by whom and why.
    windows: Vec<(String, String, String)>,
    windows_open: usize,
    areas: Vec<AreaTile<'a>>,
    areas_all: usize,
    groups: Vec<Group<'a>>,
    /// Whether tiles are small.
    dense: bool,
    /// Sites, or where only the worst are shown, those that are not well.
    sites_all: String,
    /// Sites that are not well and have no tile.
    sites_more: usize,
    sites_address: String,
    /// Whether no camera is configured at all.
    is_empty: bool,
    problems: Vec<CameraRow>,
    problems_all: usize,
    problems_address: String,
    well: Vec<CameraRow>,
    well_all: usize,
    well_address: String,
}

struct IncidentRow {
    number: u32,
    place: String,
    level: &'static str,
    word: String,
    since: Moment,
    taken_on: Option<String>,
    /// For how many minutes nobody has taken it on, where it has blinded a site and that is too long.
    unattended: Option<u64>,
}

/// Sites of one area that stand together.
struct Group<'a> {
    /// Its area, where there are several: id, name, coverage in per cent, and its last day, drawn.
    head: Option<(&'a str, &'a str, Option<u32>, String)>,
    sites: Vec<SiteTile<'a>>,
}

type SiteNow<'a> = (&'a Arc<Site>, &'a Arc<SiteStatus>);
type CameraNow<'a> = (&'a Arc<Camera>, &'a Arc<CameraStatus>);

/// A snapshot seen from an area, or as a whole.
struct Wall<'a> {
    snapshot: &'a Snapshot,
    fleet: &'a Fleet,
    area: Option<&'a AreaId>,
    language: Language,
    words: &'static Words,
    /// The last day of all sites, for their tiles.
    day: Option<Arc<Together>>,
    ground: Ground<'a>,
    counts: Counts,
    coverage: Coverage,
    /// Whether it is of the whole commune: areas' strips are of all their sites, and not of those that somebody sees.
    whole: bool,
    /// For each area within, the part of this one that it belongs to.
    parts: BTreeMap<&'a AreaId, Option<&'a AreaId>>,
}

impl<'a> Wall<'a> {
    fn of(snapshot: &'a Snapshot, area: Option<&'a AreaId>, (language, past): (Language, &Past)) -> Self {
        let (fleet, ground) = (&*snapshot.fleet, Ground::of(snapshot));
        let part = |id: &'a AreaId| {
            let mut below = None;
            for above in fleet.areas_up_from(Some(id)) {
                if Some(above) == area {
                    return Some((id, below));
                }
                below = Some(above);
            }
            area.is_none().then_some((id, below))
        };
        Self {
            snapshot,
            fleet,
            area,
            language,
            words: words(language),
            day: past.all(Range::Day),
            whole: false,
            counts: area.map_or(ground.all, |area| ground.area(area)),
            coverage: area.map_or(snapshot.coverage, |area| snapshot.areas.get(area).copied().unwrap_or_default()),
            parts: fleet.areas.keys().filter_map(part).collect(),
            ground,
        }
    }

    fn page(&self) -> Main<'a> {
        let (snapshot, fleet, language) = (self.snapshot, self.fleet, self.language);
        let sites_all = self.counts.all_sites();
        let by_area = sites_all > MANY;
        let (mut incidents, incidents_open) = self.incidents();
        incidents.truncate(INCIDENTS);
        let windows: Vec<&Window> = match self.area {
            None => snapshot.windows.iter().filter(|w| w.is_open(snapshot.at, &fleet.commune.timezone)).collect(),
            Some(_) => Vec::new(),
        };
        let (areas, areas_all) = if by_area { self.areas() } else { (Vec::new(), 0) };
        let (groups, sites_more) = self.groups(by_area);
        let (problems, problems_all, well, well_all) = self.cameras();
        let shown: usize = groups.iter().map(|group| group.sites.len()).sum();
        let mut above: Vec<_> = (fleet.areas_up_from(self.area).skip(1))
            .map(|id| (id.as_str(), fleet.areas.get(id).map_or("", |area| &area.name)))
            .collect();
        above.reverse();
        let place = self.area.map(|area| Place::In(area.to_string()));
        Main {
            words: self.words,
            past: None,
            whole: self.whole,
            title: self.area.and_then(|id| Some(fleet.areas.get(id)?.name.as_str())),
            above,
            seen: format!(
                "{}/{}",
                thousands(self.coverage.covered, language),
                thousands(self.coverage.total, language)
            ),
            percent: percent(self.coverage),
            mood: self.mood(by_area).as_str(),
            at: moment(snapshot.at, snapshot),
            counts: Kind::ALL.map(|kind| (kind.text(language), self.counts(kind))).into(),
            states: self.states().map(|state| state.text(language)).collect(),
            cut_off: snapshot.cut_off.map(|since| moment(since, snapshot)),
            on_call: (snapshot.on_call.iter().take(ON_CALL))
                .map(|shift| (shift.name.as_str(), moment(shift.until, snapshot).text))
                .collect(),
            incidents,
            incidents_open,
            windows: windows.iter().take(WINDOWS).map(|window| self.window(window)).collect(),
            windows_open: windows.len(),
            areas,
            areas_all,
            groups,
            dense: sites_all > FEW,
            sites_all: thousands(if by_area { shown + sites_more } else { sites_all }, language),
            sites_more,
            sites_address: super::list::sites(
                if by_area { Wanted::Unwell } else { Wanted::Any },
                place.clone(),
                language,
            ),
            is_empty: self.fleet.cameras.is_empty(),
            problems,
            problems_all,
            problems_address: super::list::cameras(Wanted::Unwell, place.clone(), language),
            well,
            well_all,
            well_address: super::list::cameras(Wanted::Is(State::Up), place, language),
        }
    }

    /// Whether a thing's area is a part of this one.
    fn has(&self, area: Option<&AreaId>) -> bool {
        self.area.is_none() || area.is_some_and(|area| self.parts.contains_key(area))
    }

    /// The colour of the headline: that of the worst site, or of so many as a whole.
    fn mood(&self, by_area: bool) -> Level {
        if by_area {
            return standing(self.coverage, &self.counts);
        }
        self.counts.worst().unwrap_or(Level::Unknown)
    }

    /// The usual states, and of the others those that a camera is in.
    fn states(&self) -> impl Iterator<Item = State> {
        let usual = [State::Up, State::Degraded, State::Down, State::Unknown];
        State::ALL.into_iter().filter(move |state| usual.contains(state) || self.counts.cameras_in(*state) > 0)
    }

    fn counts(&self, kind: Kind) -> Vec<String> {
        self.states().map(|state| thousands(self.counts.cameras(kind, state), self.language)).collect()
    }

    /// Open incidents that concern this area, and how many there are.
    fn incidents(&self) -> (Vec<IncidentRow>, usize) {
        let snapshot = self.snapshot;
        let area_of = |id: &SiteId| self.fleet.sites.get(id).and_then(|site| site.area.as_ref());
        let concerns =
            |incident: &&Arc<Incident>| self.area.is_none() || incident.sites.keys().any(|id| self.has(area_of(id)));
        let open: Vec<_> = snapshot.open_incidents().filter(concerns).collect();
        let row = |incident: &&Arc<Incident>| IncidentRow {
            number: incident.number,
            place: snapshot.place(&incident.cause),
            level: snapshot.course(incident).level().as_str(),
            word: snapshot.course_text(snapshot.course(incident), self.language),
            since: moment(incident.since, snapshot),
            taken_on: incident.ack.as_ref().map(|ack| ack.by.clone()),
            unattended: snapshot.waits_too_long(incident).map(|waits| waits.as_secs() / 60),
        };
        (open.iter().take(INCIDENTS).map(row).collect(), open.len())
    }

    fn window(&self, window: &Window) -> (String, String, String) {
        let until = match &window.span {
            Span::Once { until, .. } => moment(*until, self.snapshot).text,
            Span::Weekly { hours, .. } => local::hour(hours.to),
        };
        (window.scope.name(self.fleet), until, format!("{}: {}", window.author, window.reason))
    }

    fn day_of_areas(&self) -> Option<&Together> {
        self.day.as_deref().filter(|_| self.whole)
    }

    /// The areas right below, worst first, and how many there are.
    fn areas(&self) -> (Vec<AreaTile<'a>>, usize) {
        let below = |id: &&'a AreaId| self.fleet.areas.get(*id).is_some_and(|area| area.parent.as_ref() == self.area);
        let many = self.fleet.areas.keys().filter(below).nth(HOURLY).is_some();
        let tile = |id: &'a AreaId| {
            let coverage = self.snapshot.areas.get(id).copied().unwrap_or_default();
            let name = self.fleet.areas.get(id).map_or("", |area| &area.name);
            let day = past::day_of_area(self.day_of_areas(), id, many);
            AreaTile { day, ..AreaTile::of(id.as_str(), name, coverage, self.ground.area(id)) }
        };
        let mut tiles: Vec<_> = self.fleet.areas.keys().filter(below).map(tile).collect();
        if self.area.is_none() && !tiles.is_empty() && self.ground.outside != Counts::default() {
            let outside = self.ground.outside_coverage;
            tiles.push(AreaTile::of("", self.words.no_areas, outside, self.ground.outside));
        }
        let all = tiles.len();
        let order = |tile: &AreaTile<'_>| tile.rank();
        let mut tiles = first_of(tiles, AREAS, |a, b| order(a).cmp(&order(b)).then_with(|| a.name.cmp(b.name)));
        // The worst stand first; a strip for each of two hundred would be a tenth of the page.
        tiles.iter_mut().skip(DRAWN).for_each(|tile| tile.day.clear());
        (tiles, all)
    }

    /// Tiles of all sites, or of the worst; and how many more are not well.
    fn groups(&self, by_area: bool) -> (Vec<Group<'a>>, usize) {
        let order = |a: &SiteNow<'a>, b: &SiteNow<'a>| {
            let rank = ground::urgency(a.1.level).cmp(&ground::urgency(b.1.level));
            rank.then_with(|| a.0.name.cmp(&b.0.name))
        };
        let here = ground::sites(self.snapshot).filter(|(site, _)| self.has(site.area.as_ref()));
        let shown = |(_, status): &SiteNow<'_>| !by_area || status.level != Level::Full;
        let sites: Vec<SiteNow<'a>> = here.filter(shown).collect();
        let (all, most) = (sites.len(), if by_area { WORST } else { MANY });
        let sites = first_of(sites, most, order);
        let more = all - sites.len();
        let part = |site: &Site| site.area.as_ref().and_then(|area| *self.parts.get(area)?);
        let parts: BTreeSet<Option<&AreaId>> = sites.iter().map(|(site, _)| part(site)).collect();
        if by_area || !(2..=PARTS).contains(&parts.len()) {
            let tiles = sites.into_iter().map(|site| self.tile(site)).collect();
            return (vec![Group { head: None, sites: tiles }], more);
        }
        // By name, so that each area stays where people look for it; the areas' own sites last.
        let mut groups: BTreeMap<(bool, &str, Option<&AreaId>), Vec<SiteTile<'a>>> = BTreeMap::new();
        for site in sites {
            let area = part(site.0);
            let name = area.and_then(|id| self.fleet.areas.get(id)).map_or("", |area| area.name.as_str());
            groups.entry((area.is_none(), name, area)).or_default().push(self.tile(site));
        }
        let group = |((_, name, area), sites): ((bool, &'a str, Option<&'a AreaId>), Vec<SiteTile<'a>>)| {
            let coverage = area.and_then(|area| self.snapshot.areas.get(area).copied());
            let head = match area {
                Some(area) => {
                    let day = past::day_of_area(self.day_of_areas(), area, false);
                    (area.as_str(), name, coverage.and_then(percent), day)
                }
                None => ("", self.words.other_sites, None, String::new()),
            };
            Group { head: Some(head), sites }
        };
        (groups.into_iter().map(group).collect(), more)
    }

    fn tile(&self, (site, status): SiteNow<'a>) -> SiteTile<'a> {
        let day = past::day_of(self.day.as_deref(), &site.id, self.counts.all_sites() > HOURLY);
        SiteTile { day, ..SiteTile::of(self.snapshot, site, status, self.language) }
    }

    /// Those that are not well, worst first and public before household, and how many there are; and the others, where
    /// the fleet is small enough to show them.
    fn cameras(&self) -> (Vec<CameraRow>, usize, Vec<CameraRow>, usize) {
        let closely = self.counts.all_cameras() <= WATCHED_CLOSELY && self.counts.all_sites() <= FEW;
        let (mut unwell, mut well): (Vec<CameraNow<'a>>, Vec<CameraNow<'a>>) = (Vec::new(), Vec::new());
        for (camera, status) in ground::cameras(self.snapshot) {
            if !self.has(camera.area.as_ref()) {
                continue;
            }
            if status.state != State::Up {
                unwell.push((camera, status));
            } else if closely {
                well.push((camera, status));
            }
        }
        let (unwell_all, well_all) = (unwell.len(), self.counts.cameras_in(State::Up));
        let order = |a: &CameraNow<'a>, b: &CameraNow<'a>| {
            let key = |(camera, status): &CameraNow<'a>| (ground::camera_urgency(status.state), camera.kind);
            key(a).cmp(&key(b)).then_with(|| a.0.public_name().cmp(b.0.public_name()))
        };
        let rows = |cameras, most, steps| {
            let shown = first_of(cameras, most, order).into_iter();
            shown.map(|(camera, status)| CameraRow::of(self.snapshot, self.language, camera, status, steps)).collect()
        };
        (rows(unwell, UNWELL, true), unwell_all, rows(well, WELL, false), well_all)
    }
}
