//! Sites with their views, and links.

use super::{Json, Problem, Refusal, Seen, ToSchema, refusal::Name};
use crate::model::{Level, LinkState, Site, SiteStatus, Snapshot, ViewState};
use jiff::Timestamp;
use serde::Serialize;

/// A site with its views.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SiteLine {
    /// Its id.
    id: String,
    /// Its name.
    name: String,
    /// The hamlet that it lies in.
    hamlet: String,
    /// The area above the hamlet.
    area: Option<String>,
    /// Degrees north of the equator, where the configuration has them.
    latitude: Option<f64>,
    /// Degrees east of Greenwich.
    longitude: Option<f64>,
    /// How well it is covered.
    level: Level,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    /// The open incident's id, if people were told.
    incident: Option<String>,
    /// The number by which people know it.
    incident_number: Option<u32>,
    /// Since when it is well enough again, while that must still last before the incident ends.
    #[schema(value_type = Option<String>, format = DateTime)]
    recovering_since: Option<Timestamp>,
    /// Its views, in the order of the configuration.
    views: Vec<ViewLine>,
}

/// One direction at a site.
#[derive(Debug, Serialize, ToSchema)]
struct ViewLine {
    /// Its name.
    name: String,
    /// Whether it is seen.
    state: ViewState,
    /// How many cameras see it now.
    seeing: usize,
    /// How many must at this hour.
    needs: usize,
    /// What it counts in coverage.
    weight: f64,
    /// The cameras that see it, spares last.
    cameras: Vec<String>,
}

fn line(snapshot: &Snapshot, site: &Site, status: &SiteStatus) -> SiteLine {
    let views = site.views.iter().zip(&status.views).map(|(view, now)| {
        let mut watchers: Vec<_> = view.watchers.iter().collect();
        watchers.sort_by_key(|watcher| watcher.spare);
        ViewLine {
            name: view.name.clone(),
            state: now.state,
            seeing: now.seeing,
            needs: now.needs,
            weight: view.weight,
            cameras: watchers.into_iter().map(|watcher| watcher.camera.to_string()).collect(),
        }
    });
    SiteLine {
        id: site.id.to_string(),
        name: site.name.clone(),
        hamlet: site.hamlet.clone(),
        area: site.area.as_ref().map(ToString::to_string),
        latitude: site.location.map(|location| location.latitude),
        longitude: site.location.map(|location| location.longitude),
        level: status.level,
        since: status.since,
        incident: status.incident.as_ref().map(ToString::to_string),
        incident_number: snapshot.number(status),
        recovering_since: status.incident.as_ref().and(status.recovering),
        views: views.collect(),
    }
}

fn known(snapshot: &Snapshot) -> impl Iterator<Item = SiteLine> {
    let status = |site: &Site| snapshot.sites.get(&site.id);
    snapshot.fleet.sites.values().filter_map(move |site| Some(line(snapshot, site, status(site)?)))
}

/// All sites with their views.
#[utoipa::path(get, path = "/api/v1/sites", tag = "sites", responses((status = 200, body = Vec<SiteLine>)))]
pub(super) async fn list(Seen(shared): Seen) -> Json<Vec<SiteLine>> {
    let snapshot = shared.snapshot();
    Json(known(&snapshot).collect())
}

/// One site.
#[utoipa::path(get, path = "/api/v1/sites/{id}", tag = "sites", params(("id" = String, Path)),
    responses((status = 200, body = SiteLine), (status = 404, body = Problem)))]
pub(super) async fn one(Seen(shared): Seen, Name(id): Name) -> Result<Json<SiteLine>, Refusal> {
    let snapshot = shared.snapshot();
    let site = snapshot.fleet.sites.get(id.as_str());
    let found = site.zip(snapshot.sites.get(id.as_str())).map(|(site, status)| line(&snapshot, site, status));
    found.map(Json).ok_or_else(|| Refusal::not_found("there is no such site; /api/v1/sites lists them"))
}

/// A link.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LinkLine {
    /// Its id.
    id: String,
    /// Its name.
    name: String,
    /// The link that it hangs on.
    parent: Option<String>,
    /// Whether it carries anything.
    state: LinkState,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    /// Cameras that hang on it.
    cameras: usize,
    /// How many of them cannot be reached because of it or a link above it.
    unreachable: usize,
}

/// All links.
#[utoipa::path(get, path = "/api/v1/links", tag = "sites", responses((status = 200, body = Vec<LinkLine>)))]
pub(super) async fn links(Seen(shared): Seen) -> Json<Vec<LinkLine>> {
    let snapshot = shared.snapshot();
    let lines = snapshot.links.iter().filter_map(|(id, status)| {
        let link = snapshot.fleet.links.get(id)?;
        Some(LinkLine {
            id: id.to_string(),
            name: link.name.clone(),
            parent: link.parent.as_ref().map(ToString::to_string),
            state: status.state,
            since: status.since,
            cameras: status.cameras,
            unreachable: status.unreachable,
        })
    });
    Json(lines.collect())
}
