//! Sites: places that must be seen, their views, and the cameras' part in them.

use super::{AreaId, CameraId, Level, Location, SiteId};
use std::time::Duration;

/// A place that must be seen: an intersection, a gate, a quay.
#[derive(Debug, Clone, PartialEq)]
pub struct Site {
    /// Its id.
    pub id: SiteId,
    /// Name for people.
    pub name: String,
    /// The hamlet that it lies in.
    pub hamlet: String,
    /// The area above it, where the configuration has areas.
    pub area: Option<AreaId>,
    /// Where it lies, for maps.
    pub location: Option<Location>,
    /// The directions that must be seen; at least one.
    pub views: Vec<View>,
    /// The worst level that is still acceptable; anything worse alerts.
    pub alert_below: Level,
    /// How long it must be worse before anybody is told.
    pub alert_after: Duration,
    /// How long it must be well again before the all-clear.
    pub clear_after: Duration,
    /// Share of its views' weight at or below which it counts as blind, 0 to 1.
    pub blind_at: f64,
}

impl Site {
    /// A site of which only the views are known, with the default policy.
    pub fn new(id: &str, views: Vec<View>) -> Self {
        Self {
            id: id.into(),
            name: id.to_owned(),
            hamlet: String::new(),
            area: None,
            location: None,
            views,
            alert_below: Level::Reduced,
            alert_after: Duration::ZERO,
            clear_after: Duration::from_secs(60),
            blind_at: 0.0,
        }
    }
}

impl Site {
    /// All parts that cameras have in its views; a camera that sees several is there several times.
    pub fn watchers(&self) -> impl Iterator<Item = &Watcher> {
        self.views.iter().flat_map(|view| &view.watchers)
    }

    /// Whether a camera sees any of its views.
    pub fn is_watched_by(&self, camera: &CameraId) -> bool {
        self.watchers().any(|watcher| watcher.camera == *camera)
    }
}

/// One direction at a site.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    /// Name for people, such as "về phía chợ".
    pub name: String,
    /// The cameras that see it; at least `needs` of them.
    pub watchers: Vec<Watcher>,
    /// How many of them must work for the view to count as covered; at least one.
    pub needs: usize,
    /// The same at night, where it is another number; 0 where nobody needs to see it then.
    pub needs_at_night: Option<usize>,
    /// What it counts in coverage, beside the others; above 0.
    pub weight: f64,
}

impl View {
    /// A view that one of its cameras suffices for.
    pub fn new(name: &str, watchers: Vec<Watcher>) -> Self {
        Self { name: name.to_owned(), watchers, needs: 1, needs_at_night: None, weight: 1.0 }
    }

    /// How many cameras it needs now.
    pub fn needs_now(&self, night: bool) -> usize {
        if night { self.needs_at_night.unwrap_or(self.needs) } else { self.needs }
    }
}

/// A camera's part in a view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watcher {
    /// Which camera.
    pub camera: CameraId,
    /// A spare may fail without the site being called reduced.
    pub spare: bool,
}
