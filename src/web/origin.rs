//! Where a request comes from: one of our own pages, or somebody else's.

use super::{gate, refuse::refuse, state::Shared};
use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, StatusCode, request::Parts},
    response::Response,
};

/// That a wish does not come from a page of another site, as far as browsers tell, and not one after the other.
pub(super) struct OwnPage;

impl FromRequestParts<Shared> for OwnPage {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, Response> {
        if from_another_site(&parts.headers) {
            return Err(foreign(parts.uri.path()));
        }
        gate::Modest::from_request_parts(parts, shared).await.map(|_| Self)
    }
}

/// That a request for something dear is not part of somebody else's page: a link to it may stand there.
pub(super) struct NotEmbedded;

impl<S: Sync> FromRequestParts<S> for NotEmbedded {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        let is = |name: &str, wanted: &str| parts.headers.get(name).is_none_or(|value| value == wanted);
        let elsewhere = parts.headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site");
        let is_link = is("sec-fetch-mode", "navigate") && is("sec-fetch-dest", "document");
        match elsewhere && !is_link {
            true => Err(refuse(
                parts.uri.path(),
                StatusCode::FORBIDDEN,
                "Trang của nơi khác không được nhúng báo cáo; hãy mở bằng liên kết.",
                "reports are not part of a page of another site; open them by a link",
            )),
            false => Ok(Self),
        }
    }
}

fn foreign(path: &str) -> Response {
    let vietnamese = "Không nhận yêu cầu từ trang của nơi khác.";
    refuse(path, StatusCode::FORBIDDEN, vietnamese, "not taken from a page of another site")
}

/// A browser that somebody else's page drives says so.
fn from_another_site(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return !matches!(site, "same-origin" | "none");
    }
    // Over plain HTTP browsers send the origin alone.
    text("origin").is_some_and(|origin| {
        let host = origin.split_once("://").map_or(origin, |(_, host)| host);
        text("host") != Some(host)
    })
}
