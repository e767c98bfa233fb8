//! What a handler is given: pages and figures of what its visitor sees. Nothing else of the fleet can come into its answer.

use super::{state::Shared, visitor::Visitor};
use axum::{extract::FromRequestParts, http::request::Parts};
use std::convert::Infallible;

/// What the visitor sees.
pub(super) struct Seen(pub(super) Shared);

impl FromRequestParts<Shared> for Seen {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, Infallible> {
        let visitor = Visitor::from_request_parts(parts, shared).await?;
        Ok(Self(shared.seen_by(&visitor.by.who)))
    }
}
