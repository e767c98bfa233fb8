//! The addresses of passkeys.

use super::{own, sign_in};
use crate::web::state::Shared;
use axum::{
    Router,
    routing::{get, post},
};

pub(in crate::web) fn routes() -> Router<Shared> {
    Router::new()
        .route("/passkeys", get(own::page))
        .route("/passkeys/begin", post(own::begin))
        .route("/passkeys/confirm", post(own::confirm))
        .route("/passkeys/drop", post(own::forget))
        .route("/sign-in/passkey/begin", post(sign_in::begin))
        .route("/sign-in/passkey", post(sign_in::end))
}
