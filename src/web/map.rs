//! A schematic map: sites where they lie, drawn from their coordinates, without a map server.

use super::{
    page::{self, level_symbol, moment},
    rendered::Subject,
    router::{Shared, Wish},
    words::{Words, words},
};
use crate::model::{Language, Level, Location, Snapshot};
use askama::Template;
use axum::{
    extract::{Query, State},
    response::Response,
};

/// The drawing's width in its own units; its height follows from the commune's shape.
const WIDTH: f64 = 1000.0;
/// Room for names around the outermost sites.
const MARGIN: f64 = 130.0;
/// Metres in a degree of latitude.
const METRES: f64 = 111_320.0;

pub(super) async fn page(State(shared): State<Shared>, Query(wish): Query<Wish>) -> Response {
    let snapshot = shared.state.snapshots.borrow().clone();
    let language = wish.language(&snapshot);
    page::of(&shared, &snapshot, language, &Subject::Map, "")
}

#[derive(Template)]
#[template(path = "map.html")]
struct Main {
    words: &'static Words,
    at: String,
    drawing: Option<Drawing>,
    /// Sites without coordinates: id and name.
    nowhere: Vec<(String, String)>,
}

struct Drawing {
    height: f64,
    marks: Vec<Mark>,
    hamlets: Vec<(String, f64, f64)>,
    /// Length of the scale in units, and what it stands for.
    scale: (f64, u32),
}

struct Mark {
    id: String,
    name: String,
    level: &'static str,
    word: &'static str,
    symbol: &'static str,
    x: f64,
    y: f64,
    /// Where the name stands, below or above the mark.
    text_y: f64,
}

/// The page's content.
pub(super) fn main(snapshot: &Snapshot, language: Language) -> askama::Result<String> {
    let sites = snapshot.fleet.sites.values();
    let placed: Vec<_> = sites.clone().filter_map(|site| Some((site, site.location?))).collect();
    let nowhere = sites.filter(|site| site.location.is_none());
    let drawing = Projection::of(placed.iter().map(|(_, location)| *location)).map(|projection| {
        let mut marks: Vec<Mark> = Vec::new();
        let mut hamlets: std::collections::BTreeMap<&str, Vec<(f64, f64)>> = std::collections::BTreeMap::new();
        for (site, location) in &placed {
            let (x, y) = projection.place(*location);
            let level = snapshot.sites.get(&site.id).map_or(Level::Unknown, |status| status.level);
            hamlets.entry(&site.hamlet).or_default().push((x, y));
            // A name goes above its mark where another one's name would be under it.
            let taken =
                marks.iter().any(|other| (other.x - x).abs() < 210.0 && (other.text_y - (y + 46.0)).abs() < 30.0);
            marks.push(Mark {
                id: site.id.to_string(),
                name: site.name.clone(),
                level: level.as_str(),
                word: level.text(language),
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
        Drawing {
            height: projection.height,
            marks,
            hamlets: hamlets
                .into_iter()
                .map(|(name, points)| (name.to_owned(), middle(&points).0, middle(&points).1))
                .collect(),
            scale: projection.scale(),
        }
    });
    Main {
        words: words(language),
        at: moment(snapshot.at, snapshot).text,
        drawing,
        nowhere: nowhere.map(|site| (site.id.to_string(), site.name.clone())).collect(),
    }
    .render()
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
