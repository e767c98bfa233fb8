//! A schematic map: sites where they lie, drawn from their coordinates, without a map server; of many sites, their areas.

use super::{
    ground::{Ground, urgency},
    labels::{self, Area},
    list::{self, Place, Wanted},
    page::{level_symbol, moment},
    rows::first_of,
    tiles,
    words::{Words, words},
};
use crate::model::{AreaId, Language, Level, Location, Site, Snapshot};
use askama::Template;
use std::collections::BTreeMap;

/// The drawing's width in its own units; its height follows from the commune's shape.
const WIDTH: f64 = 1000.0;
/// Room for names around the outermost sites.
const MARGIN: f64 = 130.0;
/// Metres in a degree of latitude.
const METRES: f64 = 111_320.0;

/// Marks on a drawing: sites, or areas and the worst of the sites where there are more.
const MARKS: usize = 300;
/// So many marks have their names beside them; of more they would cover each other.
const NAMED: usize = 40;
/// Size of letters: of marks' names, and of hamlets'. The style sheet says the same.
const NAME: f64 = 21.0;
const HAMLET: f64 = 32.0;
/// A mark's radius with its edge.
const RADIUS: f64 = 22.0;
/// Hamlets whose names are drawn, and sites without coordinates that are listed.
const HAMLETS: usize = 60;
const NOWHERE: usize = 60;

#[derive(Template)]
#[template(path = "map.html")]
struct Main<'a> {
    words: &'static Words,
    /// The area's id and name, where it is the map of one.
    area: Option<(&'a str, &'a str)>,
    at: String,
    drawing: Option<Drawing<'a>>,
    /// Whether sites with coordinates are not drawn.
    left_out: bool,
    sites_address: String,
    /// Sites without coordinates: id and name.
    nowhere: Vec<(&'a str, &'a str)>,
    nowhere_more: usize,
}

struct Drawing<'a> {
    height: f64,
    marks: Vec<Mark<'a>>,
    named: bool,
    hamlets: Vec<(&'a str, f64, f64)>,
    /// Length of the scale in units, and what it stands for.
    scale: (f64, u32),
}

struct Mark<'a> {
    /// Of its element, and where it leads.
    id: String,
    address: String,
    name: &'a str,
    level: &'static str,
    word: String,
    symbol: &'static str,
    x: f64,
    y: f64,
    /// Where the name stands, below or above the mark.
    text_y: f64,
}

/// What is drawn at a place: a site, or an area at the middle of its sites.
#[derive(Clone, Copy)]
enum Thing<'a> {
    Site(&'a Site),
    Area(&'a AreaId),
}

/// The page's content: of the whole fleet or of an area; `None` when there is no such area.
pub(super) fn main(snapshot: &Snapshot, area: Option<&str>, language: Language) -> askama::Result<Option<String>> {
    let fleet = &snapshot.fleet;
    let area = match area.map(|id| fleet.areas.get_key_value(id)) {
        None => None,
        Some(None) => return Ok(None),
        Some(Some((id, area))) => Some((id, area.name.as_str())),
    };
    let within =
        |site: &Site| area.is_none_or(|(id, _)| fleet.areas_up_from(site.area.as_ref()).any(|above| above == id));
    let sites: Vec<&Site> = fleet.sites.values().map(|site| &**site).filter(|site| within(site)).collect();
    let placed: Vec<(Thing<'_>, Location)> =
        sites.iter().filter_map(|site| Some((Thing::Site(site), site.location?))).collect();
    let (things, left_out) = match placed.len() > MARKS {
        false => (placed, false),
        true => (condensed(snapshot, area.map(|(id, _)| id), &sites), true),
    };
    let nowhere: Vec<&&Site> = sites.iter().filter(|site| site.location.is_none()).collect();
    let page = Main {
        words: words(language),
        area: area.map(|(id, name)| (id.as_str(), name)),
        at: moment(snapshot.at, snapshot).text,
        drawing: draw(snapshot, &things, language),
        left_out,
        sites_address: list::sites(Wanted::Any, area.map(|(id, _)| Place::In(id.to_string())), language),
        nowhere: nowhere.iter().take(NOWHERE).map(|site| (site.id.as_str(), site.name.as_str())).collect(),
        nowhere_more: nowhere.len().saturating_sub(NOWHERE),
    };
    page.render().map(Some)
}

/// In place of too many sites: the areas right below, and the worst of the sites that lie in none of them.
fn condensed<'a>(snapshot: &'a Snapshot, scope: Option<&AreaId>, sites: &[&'a Site]) -> Vec<(Thing<'a>, Location)> {
    let fleet = &snapshot.fleet;
    let mut areas: BTreeMap<&AreaId, (f64, f64, f64)> = BTreeMap::new();
    let mut others: Vec<(&Site, Location)> = Vec::new();
    for site in sites {
        let Some(location) = site.location else { continue };
        let is_below = |id: &&AreaId| fleet.areas.get(*id).is_some_and(|area| area.parent.as_ref() == scope);
        match fleet.areas_up_from(site.area.as_ref()).find(is_below) {
            None => others.push((site, location)),
            Some(area) => {
                let sum = areas.entry(area).or_default();
                *sum = (sum.0 + location.latitude, sum.1 + location.longitude, sum.2 + 1.0);
            }
        }
    }
    let rank = |site: &Site| snapshot.sites.get(&site.id).map_or(u8::MAX, |status| urgency(status.level));
    let middle = |(latitude, longitude, count): (f64, f64, f64)| Location {
        latitude: latitude / count,
        longitude: longitude / count,
    };
    let mut things: Vec<_> = (areas.into_iter().take(MARKS)).map(|(id, sum)| (Thing::Area(id), middle(sum))).collect();
    let room = MARKS - things.len();
    let others = first_of(others, room, |a, b| rank(a.0).cmp(&rank(b.0)).then_with(|| a.0.id.cmp(&b.0.id)));
    things.extend(others.into_iter().map(|(site, location)| (Thing::Site(site), location)));
    things
}

fn draw<'a>(snapshot: &'a Snapshot, things: &[(Thing<'a>, Location)], language: Language) -> Option<Drawing<'a>> {
    let projection = Projection::of(things.iter().map(|(_, location)| *location))?;
    let ground = Ground::of(snapshot);
    let lang = words(language).lang;
    let mut marks: Vec<Mark<'a>> = Vec::new();
    let mut hamlets: BTreeMap<&str, Vec<(f64, f64)>> = BTreeMap::new();
    for (thing, location) in things {
        let (x, y) = projection.place(*location);
        let (id, address, name, level, more) = match *thing {
            Thing::Site(site) => {
                hamlets.entry(&site.hamlet).or_default().push((x, y));
                let level = snapshot.sites.get(&site.id).map_or(Level::Unknown, |status| status.level);
                let address = format!("/sites/{}?lang={lang}", site.id);
                (format!("site-{}", site.id), address, site.name.as_str(), level, String::new())
            }
            Thing::Area(id) => {
                let coverage = snapshot.areas.get(id).copied().unwrap_or_default();
                let name = snapshot.fleet.areas.get(id).map_or("", |area| area.name.as_str());
                let share = format!(", {}/{}", coverage.covered, coverage.total);
                let address = format!("/map?area={id}&lang={lang}");
                (format!("area-{id}"), address, name, tiles::standing(coverage, &ground.area(id)), share)
            }
        };
        // A name goes above its mark where another one's name would be under it.
        let taken = marks.iter().any(|other| (other.x - x).abs() < 210.0 && (other.text_y - (y + 46.0)).abs() < 30.0);
        marks.push(Mark {
            id,
            address,
            name,
            level: level.as_str(),
            word: format!("{}{more}", level.text(language)),
            symbol: level_symbol(level),
            x,
            y,
            text_y: if taken { y - 30.0 } else { y + 46.0 },
        });
    }
    let middle = |points: &[(f64, f64)]| {
        let count = points.len() as f64;
        let sum = points.iter().fold((0.0, 0.0), |(x, y), point| (x + point.0, y + point.1));
        (sum.0 / count, sum.1 / count)
    };
    let hamlets = if hamlets.len() > HAMLETS { BTreeMap::new() } else { hamlets };
    let named = marks.len() <= NAMED;
    let mut taken: Vec<Area> = marks.iter().map(|mark| Area::of_mark((mark.x, mark.y), RADIUS)).collect();
    if named {
        taken.extend(marks.iter().map(|mark| Area::of_text(mark.name, NAME, (mark.x, mark.text_y))));
    }
    let names: Vec<_> = hamlets.into_iter().map(|(name, points)| (name, middle(&points))).collect();
    let places = labels::places(&names, HAMLET, taken, (WIDTH, projection.height));
    let hamlets = names.iter().zip(places).filter_map(|((name, _), place)| place.map(|(x, y)| (*name, x, y)));
    Some(Drawing { height: projection.height, named, hamlets: hamlets.collect(), marks, scale: projection.scale() })
}

/// From degrees to the drawing: flat, which a commune is small enough for, and north up.
struct Projection {
    west: f64,
    north: f64,
    /// Units in a degree of longitude, and of latitude.
    units: (f64, f64),
    height: f64,
}

impl Projection {
    /// One in which all places fit; `None` without any.
    fn of(places: impl Iterator<Item = Location> + Clone) -> Option<Self> {
        let ends = |values: &mut dyn Iterator<Item = f64>| {
            values.fold(None, |ends: Option<(f64, f64)>, value| match ends {
                None => Some((value, value)),
                Some((low, high)) => Some((low.min(value), high.max(value))),
            })
        };
        let (west, east) = ends(&mut places.clone().map(|place| place.longitude))?;
        let (south, north) = ends(&mut places.map(|place| place.latitude))?;
        let narrowing = ((north + south) / 2.0).to_radians().cos().max(0.01);
        // A few metres at least, so that a single place has a scale too.
        let (wide, high) = (((east - west) * narrowing).max(0.001), (north - south).max(0.001));
        let room = WIDTH - 2.0 * MARGIN;
        // A long coast is drawn no higher than one and a half times its width.
        let unit = (room / wide).min(room * 1.5 / high);
        let height = high * unit + 2.0 * MARGIN;
        let left = (room - wide * unit) / 2.0 / unit / narrowing;
        Some(Self { west: west - left, north, units: (unit * narrowing, unit), height })
    }

    fn place(&self, place: Location) -> (f64, f64) {
        let x = MARGIN + (place.longitude - self.west) * self.units.0;
        (x, MARGIN + (self.north - place.latitude) * self.units.1)
    }

    /// A round number of metres that is a fair part of the width.
    fn scale(&self) -> (f64, u32) {
        let metre = self.units.1 / METRES;
        let longest = [50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000];
        let metres = longest.into_iter().rev().find(|metres| f64::from(*metres) * metre < 260.0).unwrap_or(50);
        (f64::from(metres) * metre, metres)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_places_lie_on_the_drawing_with_north_up_and_true_proportions() {
        let at = |latitude, longitude| Location { latitude, longitude };
        let places = [at(19.400, 105.800), at(19.410, 105.800), at(19.400, 105.810)];
        let projection = Projection::of(places.into_iter()).expect("there are places");
        let [corner, north, east] = places.map(|place| projection.place(place));
        assert!(north.1 < corner.1 && east.0 > corner.0);
        let ratio = (east.0 - corner.0) / (corner.1 - north.1);
        assert!((ratio - 19.405_f64.to_radians().cos()).abs() < 1e-3, "{ratio}");
        for (x, y) in [corner, north, east] {
            assert!((MARGIN - 1e-6..=WIDTH - MARGIN + 1e-6).contains(&x), "{x}");
            assert!((MARGIN - 1e-6..=projection.height - MARGIN + 1e-6).contains(&y), "{y}");
        }
        let (units, metres) = projection.scale();
        assert!(units < 260.0 && metres >= 50);
    }

    #[test]
    fn one_place_and_none_are_drawn_too() {
        let one = Location { latitude: -90.0, longitude: 180.0 };
        let projection = Projection::of([one].into_iter()).expect("there is one");
        let (x, y) = projection.place(one);
        assert!(x.is_finite() && y.is_finite() && projection.height.is_finite());
        assert!(Projection::of([].into_iter()).is_none());
    }
}
