//! Uptime reports as JSON.

use super::{Json, Problem, Refusal, Shared, State, refusal::Name};
use crate::{uptime::Report, web::report::known};

/// The uptime of a month: every camera, site, link and make, what they were down by, and its incidents.
#[utoipa::path(get, path = "/api/v1/reports/{month}", tag = "reports",
    params(("month" = String, Path, description = "such as 2026-10", pattern = r"^\d{4}-\d{2}$")),
    responses((status = 200, body = Report), (status = 404, body = Problem), (status = 500, body = Problem)))]
pub(super) async fn month(State(shared): State<Shared>, Name(month): Name) -> Result<Json<Report>, Refusal> {
    let snapshot = shared.state.snapshots.borrow().clone();
    let month = known(&month, &snapshot).map_err(|error| Refusal::not_found(&error))?;
    (shared.state.reporter)(month).await.map(Json).map_err(Refusal::failed)
}
