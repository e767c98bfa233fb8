//! Sites and their views.

use super::{
    areas,
    context::Context,
    entry::Entry,
    ids::{Seen, among},
    tables::Tables,
};
use crate::model::{Fleet, Level, Site, SiteId, View, Watcher};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const LEVELS: &[(&str, Level)] = &[
    (Level::Full.as_str(), Level::Full),
    (Level::Reduced.as_str(), Level::Reduced),
    (Level::Critical.as_str(), Level::Critical),
];

/// All `[[site]]` with their `[[site.view]]`.
pub(super) fn sites(
    tables: &Tables<'_>,
    fleet: &Fleet,
    may_be_empty: bool,
    context: &Context<'_>,
) -> BTreeMap<SiteId, Arc<Site>> {
    let mut seen = Seen::default();
    let mut sites = BTreeMap::new();
    // A camera whose entry is wrong is still a camera that views may name.
    let written = tables.list("camera").filter_map(|entry| entry.text("id")).map(|id| id.value);
    let names: BTreeSet<String> = written.chain(fleet.cameras.keys().map(ToString::to_string)).collect();
    for entry in tables.list("site") {
        let id = seen.new_id(entry);
        let name = entry.required("name", "Ngã tư Chợ").map(|name| name.value);
        let hamlet = entry.required("hamlet", "Thôn Đông").map(|hamlet| hamlet.value);
        let area = areas::named(entry, &fleet.areas);
        let location = entry.parsed("location", "place", "19.40112, 105.81207");
        let alert_below = entry.word("alert_below", LEVELS).unwrap_or(Level::Reduced);
        let alert_after = entry.duration("alert_after", Duration::ZERO..=DAY);
        let clear_after = entry.duration("clear_after", Duration::ZERO..=DAY);
        let blind_at = entry.ratio("blind_at").unwrap_or(0.0);
        let views = views(entry, &names);
        let (Some(id), Some(name), Some(hamlet)) = (id, name, hamlet) else { continue };
        let usual = Site::new(&id, views);
        let site = Site {
            name,
            hamlet,
            area,
            location: location.map(|location| location.value),
            alert_below,
            alert_after: alert_after.map_or(usual.alert_after, |after| after.value),
            clear_after: clear_after.map_or(usual.clear_after, |after| after.value),
            blind_at,
            ..usual
        };
        sites.insert(site.id.clone(), Arc::new(site));
    }
    if tables.list("site").next().is_none() && !may_be_empty {
        let remedy = "add a [[site]] with its views: alerts are about sites, not about cameras";
        context.missing("has no site", remedy);
    }
    sites
}

fn views(site: &Entry<'_>, cameras: &BTreeSet<String>) -> Vec<View> {
    let entries = site.children("view");
    if entries.is_empty() {
        let remedy = "add a [[site.view]] with name and cameras for each direction that must be seen";
        site.problem("view", site.span(), "the site has no view".into(), remedy);
    }
    let mut names = BTreeSet::new();
    entries.iter().filter_map(|entry| view(entry, cameras, &mut names)).collect()
}

fn view(entry: &Entry<'_>, cameras: &BTreeSet<String>, names: &mut BTreeSet<String>) -> Option<View> {
    let name = entry.required("name", "về phía cảng");
    if let Some(name) = name.as_ref().filter(|name| !names.insert(name.value.clone())) {
        let message = format!("the site has a view {} already", entry.quoted(name));
        entry.problem("name", name.span.clone(), message, "give each direction a name of its own");
    }
    let mut watchers: Vec<Watcher> = Vec::new();
    let mut named = 0;
    for (key, spare) in [("cameras", false), ("spares", true)] {
        for camera in entry.texts(key) {
            named += 1;
            let all = (cameras.contains(&camera.value), cameras.iter().map(String::as_str));
            let Some(id) = among(entry, key, &camera, all, "camera") else { continue };
            if watchers.iter().any(|watcher| watcher.camera.as_str() == id) {
                let message = format!("camera {} sees this view already", entry.quoted(&camera));
                entry.problem(key, camera.span, message, "name each camera once");
                continue;
            }
            watchers.push(Watcher { camera: id.as_str().into(), spare });
        }
    }
    if named == 0 {
        let remedy = "add cameras = [\"cho-01\"], the ids of the cameras that see it";
        entry.problem("cameras", entry.span(), "the view names no camera".into(), remedy);
    }
    let needs = entry.number("needs", 1..=64).unwrap_or(1) as usize;
    let needs_at_night = entry.number("needs_at_night", 0..=64).map(|needs| needs as usize);
    for (key, needs) in [("needs", needs), ("needs_at_night", needs_at_night.unwrap_or(0))] {
        if named > 0 && needs > named {
            let message = format!("needs {needs} cameras and names {named}");
            entry.problem(key, entry.span(), message, "name more cameras, or need fewer");
        }
    }
    let weight = entry.positive("weight", 1).unwrap_or(1.0);
    entry.refuse_unread();
    Some(View { needs, needs_at_night, weight, ..View::new(&name?.value, watchers) })
}
