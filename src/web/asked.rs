//! The one way from a page back to the event loop, and what a refusal is over HTTP.

use crate::{
    edits,
    model::Language,
    request::{Done, Refused, Request},
    rights::{By, Denied, Wrong},
};
use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use tokio::sync::oneshot;

/// A request with the place where its outcome goes.
#[derive(Debug)]
pub struct Asked {
    /// What is asked for.
    pub request: Request,
    /// Who asks.
    pub by: By,
    /// Where the outcome goes. It is sent when what was done is durable.
    pub answer: oneshot::Sender<Result<Done, Refused>>,
}

/// The status of a refusal on pages; the API tells apart what is malformed and what cannot be done.
pub(super) fn status(refused: &Refused) -> StatusCode {
    match refused {
        Refused::Unknown(_) => StatusCode::NOT_FOUND,
        Refused::Over(_)
        | Refused::NoNext(_)
        | Refused::Invalid(_)
        | Refused::TooMany(_)
        | Refused::Configuration(_) => StatusCode::BAD_REQUEST,
        Refused::Denied(Denied::SignIn) => StatusCode::UNAUTHORIZED,
        Refused::Denied(Denied::Role(_) | Denied::SecondStep | Denied::Commune | Denied::Outside)
        | Refused::People(Wrong::Code | Wrong::Unvouched | Wrong::Passkey) => StatusCode::FORBIDDEN,
        Refused::People(Wrong::Unknown | Wrong::Invitation) => StatusCode::NOT_FOUND,
        Refused::People(Wrong::Taken | Wrong::LastAdministrator | Wrong::Bound | Wrong::Provider) => {
            StatusCode::CONFLICT
        }
        Refused::People(Wrong::Name | Wrong::TooMany | Wrong::Area) => StatusCode::BAD_REQUEST,
        Refused::Edit(edits::Refusal::Unknown(_)) => StatusCode::NOT_FOUND,
        Refused::Edit(edits::Refusal::Stale(_)) => StatusCode::CONFLICT,
        Refused::Edit(_) => StatusCode::BAD_REQUEST,
        Refused::NotDurable | Refused::JournalFails | Refused::Stopping => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// A refusal as a page of a line.
pub(super) fn refusal(refused: &Refused) -> Response {
    let told = match refused {
        Refused::Denied(denied) => Language::ALL.map(|language| denied.text(language)).join("\n"),
        refused => refused.to_string().trim_end().to_owned(),
    };
    (status(refused), format!("{told}\n")).into_response()
}
