//! The commune in a few figures, and the channels.

use super::{Counts, Json, Seen, ToSchema};
use crate::model::{Kind, Level, OnCall, State as CameraState};
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;

/// The commune at one moment.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Status {
    /// Its name.
    commune: String,
    /// IANA zone in which people are shown times.
    timezone: Option<String>,
    /// The moment that all this speaks of.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Covered views as a share of all by weight, 0 to 1; null without sites.
    coverage: Option<f64>,
    /// Views that are seen, and all.
    views_covered: usize,
    /// All views.
    views: usize,
    /// Cameras by kind and state.
    #[schema(value_type = BTreeMap<String, BTreeMap<String, usize>>)]
    cameras: BTreeMap<&'static str, Counts>,
    /// Sites by level.
    #[schema(value_type = BTreeMap<String, usize>)]
    sites: Counts,
    /// Open incidents.
    incidents_open: usize,
    /// Since when the monitor sees nothing at all, if so.
    #[schema(value_type = Option<String>, format = DateTime)]
    cut_off: Option<Timestamp>,
    /// Who is on call, by rotation.
    on_call: Vec<OnCall>,
}

/// The commune in a few figures.
#[utoipa::path(get, path = "/api/v1/status", tag = "status", responses((status = 200, body = Status)))]
pub(super) async fn status(Seen(shared): Seen) -> Json<Status> {
    let snapshot = shared.snapshot();
    let of = |kind| CameraState::ALL.map(|state| (state.as_str(), snapshot.count(kind, state))).into();
    Json(Status {
        commune: snapshot.fleet.commune.name.clone(),
        timezone: snapshot.fleet.commune.timezone.iana_name().map(str::to_owned),
        at: snapshot.at,
        coverage: snapshot.coverage.ratio(),
        views_covered: snapshot.coverage.covered,
        views: snapshot.coverage.total,
        cameras: Kind::ALL.map(|kind| (kind.as_str(), of(kind))).into(),
        sites: Level::ALL.map(|level| (level.as_str(), snapshot.sites_at(level))).into(),
        incidents_open: snapshot.open_incidents().count(),
        cut_off: snapshot.cut_off,
        on_call: snapshot.on_call.to_vec(),
    })
}

/// How each channel fared that was used, by its id.
#[utoipa::path(get, path = "/api/v1/channels", tag = "status",
    responses((status = 200, body = BTreeMap<String, serde_json::Value>)))]
pub(super) async fn channels(Seen(shared): Seen) -> Json<serde_json::Value> {
    Json((shared.state.channels)())
}
