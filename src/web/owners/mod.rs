//! Who lends a camera: one household at a time, for one role, and only when the audit trail has it on the disk that it is
//! read. The page is made for who asked, and is kept nowhere.

mod words;

use self::words::{Words, words};
use super::{
    asked,
    origin::OwnPage,
    seen::Seen,
    state::{Shared, Wish},
    visitor::Visitor,
    whole::{Frame, html},
};
use crate::{
    model::{CameraId, Owner},
    request::{self, Refused},
    rights::Denied,
};
use askama::Template;
use axum::{Form, Router, extract::Query, http::StatusCode, response::Response, routing::get};
use secrecy::ExposeSecret;
use serde::Deserialize;

pub(super) fn routes() -> Router<Shared> {
    Router::new().route("/owners", get(form).post(read))
}

#[derive(Template)]
#[template(path = "owners.html")]
struct Page<'a> {
    words: &'static Words,
    camera: &'a str,
    reason: &'a str,
    /// Why nothing is shown.
    refused: Option<&'static str>,
    /// What stands in the file, by what it is called.
    shown: Vec<(&'static str, &'a str)>,
}

async fn form(Seen(shared): Seen, visitor: Visitor, Query(wish): Query<Wish>) -> Response {
    let asked = Reading { camera: wish.camera.clone().unwrap_or_default(), reason: String::new() };
    page(&shared, &visitor, &wish, &asked, StatusCode::OK, Ok(None))
}

/// Whose household is asked for, and what for.
#[derive(Debug, Deserialize)]
struct Reading {
    #[serde(default)]
    camera: String,
    #[serde(default)]
    reason: String,
}

async fn read(
    Seen(shared): Seen,
    visitor: Visitor,
    _: OwnPage,
    Query(wish): Query<Wish>,
    Form(asked): Form<Reading>,
) -> Response {
    let words = words(wish.language(&shared.snapshot()));
    let camera = CameraId::from(asked.camera.trim());
    let answer =
        |status, outcome: Result<Option<&Owner>, &'static str>| page(&shared, &visitor, &wish, &asked, status, outcome);
    let fleet = shared.snapshot().fleet.clone();
    let noted = match request::read_owner(&camera, &asked.reason, &fleet) {
        Ok(request) => shared.ask(&visitor.by, request).await,
        Err(refused) => Err(refused),
    };
    match noted {
        Ok(_) => {}
        Err(refused @ Refused::Denied(Denied::SignIn | Denied::Role(_))) => return asked::refusal(&refused),
        Err(Refused::Unknown(_)) => return answer(StatusCode::NOT_FOUND, Err(words.no_camera)),
        Err(Refused::Invalid(_)) => return answer(StatusCode::BAD_REQUEST, Err(words.no_reason)),
        Err(_) => return answer(StatusCode::SERVICE_UNAVAILABLE, Err(words.not_noted)),
    }
    match (shared.state.owner)(camera).await {
        Ok(Some(owner)) => answer(StatusCode::OK, Ok(Some(&owner))),
        Ok(None) => answer(StatusCode::NOT_FOUND, Err(words.unknown)),
        Err(why) => {
            tracing::error!(why, "the file of owners cannot be read");
            answer(StatusCode::INTERNAL_SERVER_ERROR, Err(words.unreadable))
        }
    }
}

fn page(
    shared: &Shared,
    visitor: &Visitor,
    wish: &Wish,
    asked: &Reading,
    status: StatusCode,
    outcome: Result<Option<&Owner>, &'static str>,
) -> Response {
    let snapshot = shared.snapshot();
    let language = wish.language(&snapshot);
    let words = words(language);
    let owner = outcome.ok().flatten();
    let shown = owner.map_or_else(Vec::new, |owner| {
        let parts = [
            (words.name, &owner.name),
            (words.phone, &owner.phone),
            (words.address, &owner.address),
            (words.note, &owner.note),
        ];
        let parts = parts.map(|(name, part)| (name, part.expose_secret()));
        parts.into_iter().filter(|(_, part)| !part.is_empty()).collect()
    });
    let page = Page { words, camera: &asked.camera, reason: &asked.reason, refused: outcome.err(), shown };
    let frame = Frame { shared, visitor, snapshot: &snapshot, language, path: "/owners", events: "" };
    let mut response = html(page.render().and_then(|main| frame.whole(&main)));
    if response.status() == StatusCode::OK {
        *response.status_mut() = status;
    }
    response
}

#[cfg(test)]
mod tests;
