//! Cameras: all in a line each, one with everything, and as targets for Prometheus.

use super::{
    Json, Problem, Refusal, Seen, ToSchema,
    refusal::{Ask, Name},
};
use crate::{
    model::{
        Camera, CameraId, CameraStatus, FailureKind, Kind, Language, Site, Snapshot, State as CameraState, Strength,
    },
    web::{
        explain::{Explanation, explain},
        words::words,
    },
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use utoipa::IntoParams;

/// A camera in a line.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CameraLine {
    /// Its id.
    id: String,
    /// Its name; that of a household camera is its id.
    name: String,
    /// Whose it is.
    kind: Kind,
    /// The link that it hangs on.
    link: Option<String>,
    /// The area that it counts to.
    area: Option<String>,
    /// The weakest proof by which it counts as seeing.
    proof: Strength,
    /// Where it stands.
    state: CameraState,
    /// Why, unless it is well or was never seen.
    cause: Option<FailureKind>,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    /// When it was last looked at.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_probe: Option<Timestamp>,
    /// When video last arrived.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_media: Option<Timestamp>,
}

/// Which cameras.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// Only cameras of this kind.
    kind: Option<Kind>,
    /// Only cameras in this state.
    state: Option<CameraState>,
}

/// All cameras in a line each.
#[utoipa::path(get, path = "/api/v1/cameras", tag = "cameras", params(Which),
    responses((status = 200, body = Vec<CameraLine>), (status = 400, body = Problem)))]
pub(super) async fn list(Seen(shared): Seen, Ask(which): Ask<Which>) -> Json<Vec<CameraLine>> {
    let snapshot = shared.snapshot();
    let wanted = |(camera, status): &(&Camera, &CameraStatus)| {
        which.kind.is_none_or(|kind| camera.kind == kind) && which.state.is_none_or(|state| status.state == state)
    };
    Json(known(&snapshot).filter(wanted).map(|(camera, status)| line(camera, status)).collect())
}

fn known(snapshot: &Snapshot) -> impl Iterator<Item = (&Camera, &CameraStatus)> {
    let status = |camera: &Camera| snapshot.cameras.get(&camera.id).map(|status| &**status);
    snapshot.fleet.cameras.values().filter_map(move |camera| Some((&**camera, status(camera)?)))
}

fn line(camera: &Camera, status: &CameraStatus) -> CameraLine {
    CameraLine {
        id: camera.id.to_string(),
        name: camera.public_name().to_owned(),
        kind: camera.kind,
        link: camera.link.as_ref().map(ToString::to_string),
        area: camera.area.as_ref().map(ToString::to_string),
        proof: camera.proof,
        state: status.state,
        cause: status.cause,
        since: status.since,
        last_probe: status.last_probe,
        last_media: status.last_media,
    }
}

/// In which language texts are.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct In {
    /// The commune's language without it.
    lang: Option<Language>,
}

/// Everything about one camera: the verdict's reasoning, its last looks, the next one and its budgets.
#[utoipa::path(get, path = "/api/v1/cameras/{id}", tag = "cameras", params(("id" = String, Path), In),
    responses((status = 200, body = Explanation), (status = 400, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn one(Seen(shared): Seen, Name(id): Name, Ask(wish): Ask<In>) -> Result<Json<Explanation>, Refusal> {
    let snapshot = shared.snapshot();
    let language = wish.lang.unwrap_or(snapshot.fleet.commune.language);
    let refused = || Refusal::not_found(words(language).no_camera);
    explain(&snapshot, &id, language).map(Json).ok_or_else(refused)
}

/// A target as Prometheus' HTTP service discovery takes it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Target {
    /// One address with its port.
    targets: [String; 1],
    /// What is known of it; names begin with `__meta_camhealth_`.
    labels: BTreeMap<&'static str, String>,
}

/// All public cameras as targets for Prometheus' `http_sd_configs`, such as for a ping by blackbox_exporter. A
/// household's address is told to nobody.
#[utoipa::path(get, path = "/api/v1/http_sd", tag = "cameras", responses((status = 200, body = Vec<Target>)))]
pub(super) async fn http_sd(Seen(shared): Seen) -> Json<Vec<Target>> {
    let snapshot = shared.snapshot();
    // Asked once of each site: a province has thousands of both.
    let mut watched: BTreeMap<&CameraId, Vec<&Site>> = BTreeMap::new();
    for site in snapshot.fleet.sites.values() {
        let cameras: BTreeSet<&CameraId> = site.watchers().map(|watcher| &watcher.camera).collect();
        cameras.into_iter().for_each(|camera| watched.entry(camera).or_default().push(site));
    }
    let target = |camera: &Camera| {
        let host = camera.public_host()?;
        let sites = watched.get(&camera.id).into_iter().flatten();
        let (sites, hamlets): (Vec<&str>, Vec<&str>) =
            sites.map(|site| (site.id.as_str(), site.hamlet.as_str())).unzip();
        let text = |value: &str| value.to_owned();
        Some(Target {
            targets: [host],
            labels: BTreeMap::from([
                ("__meta_camhealth_camera", camera.id.to_string()),
                ("__meta_camhealth_device", camera.device.to_string()),
                ("__meta_camhealth_kind", text(camera.kind.as_str())),
                ("__meta_camhealth_link", camera.link.as_ref().map_or_else(String::new, ToString::to_string)),
                ("__meta_camhealth_name", text(camera.public_name())),
                ("__meta_camhealth_sites", sites.join(",")),
                ("__meta_camhealth_hamlet", hamlets.first().map_or_else(String::new, |hamlet| text(hamlet))),
            ]),
        })
    };
    Json(snapshot.fleet.cameras.values().filter_map(|camera| target(camera)).collect())
}
