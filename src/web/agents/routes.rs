//! The addresses of agents.

use super::line;
use crate::web::state::Shared;
use axum::{Router, routing::post};

pub(in crate::web) fn routes() -> Router<Shared> {
    Router::new().route("/agent/join", post(line::join)).route("/agent/exchange", post(line::exchange))
}
