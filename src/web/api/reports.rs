//! Uptime reports as JSON.

use super::{Problem, Refusal, Seen, refusal::Name};
use crate::{
    uptime::Report,
    web::{
        origin::NotEmbedded,
        report::{Unready, known},
    },
};
use axum::{
    http::{Uri, header},
    response::{IntoResponse, Response},
};

/// The uptime of a month: every camera, site, link and make, what they were down by, and its incidents. It is at most a
/// minute old; that of a month that is over, ten minutes.
#[utoipa::path(get, path = "/api/v1/reports/{month}", tag = "reports",
    params(("month" = String, Path, description = "such as 2026-10", pattern = r"^\d{4}-\d{2}$")),
    responses((status = 200, body = Report), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 500, body = Problem), (status = 503, body = Problem)))]
pub(super) async fn month(
    Seen(shared): Seen,
    _: NotEmbedded,
    uri: Uri,
    Name(month): Name,
) -> Result<Response, Refusal> {
    let snapshot = shared.snapshot();
    let month = known(&month, &snapshot).map_err(|error| Refusal::not_found(&error))?;
    let forms = shared.reports.of(month, &snapshot).await;
    let json = match forms {
        Ok(forms) => forms.json().await.map_err(Unready::Failed),
        Err(unready) => Err(unready),
    };
    Ok(match json {
        Ok(json) => ([(header::CONTENT_TYPE, "application/json")], json).into_response(),
        Err(unready) => unready.told(uri.path()),
    })
}
