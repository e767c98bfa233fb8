//! Areas with their coverage.

use super::{Counts, Json, Seen, ToSchema};
use crate::{
    model::{Level, State as CameraState},
    web::ground::Ground,
};
use serde::Serialize;

/// An area; all its figures take in the areas that are a part of it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AreaLine {
    /// Its id.
    id: String,
    /// Its name.
    name: String,
    /// The area that it is a part of.
    parent: Option<String>,
    /// Covered views as a share of all by weight, 0 to 1; null without sites.
    coverage: Option<f64>,
    /// Views that are seen.
    views_covered: usize,
    /// Views that are lost.
    views_lost: usize,
    /// All views; those neither covered nor lost are unknown.
    views: usize,
    /// Sites by level.
    #[schema(value_type = BTreeMap<String, usize>)]
    sites: Counts,
    /// Cameras by state.
    #[schema(value_type = BTreeMap<String, usize>)]
    cameras: Counts,
}

/// All areas with their coverage.
#[utoipa::path(get, path = "/api/v1/areas", tag = "sites", responses((status = 200, body = Vec<AreaLine>)))]
pub(super) async fn list(Seen(shared): Seen) -> Json<Vec<AreaLine>> {
    let snapshot = shared.snapshot();
    let ground = Ground::of(&snapshot);
    let line = |(id, area): (&crate::model::AreaId, &crate::model::Area)| {
        let (counts, coverage) = (ground.area(id), snapshot.areas.get(id).copied().unwrap_or_default());
        AreaLine {
            id: id.to_string(),
            name: area.name.clone(),
            parent: area.parent.as_ref().map(ToString::to_string),
            coverage: coverage.ratio(),
            views_covered: coverage.covered,
            views_lost: coverage.lost,
            views: coverage.total,
            sites: Level::ALL.map(|level| (level.as_str(), counts.sites(level))).into(),
            cameras: CameraState::ALL.map(|state| (state.as_str(), counts.cameras_in(state))).into(),
        }
    };
    Json(snapshot.fleet.areas.iter().map(line).collect())
}
