//! The page around its content.

use super::{
    rendered::Subject,
    state::Shared,
    words::{Words, words},
};
use crate::model::{Language, Snapshot};
use askama::Template;
use axum::{
    body::{Body, Bytes},
    http::StatusCode,
    response::{Html, IntoResponse, Response},
};
use futures_util::stream;
use std::{convert::Infallible, sync::Arc};

/// The page around its content. `path` is its address without a language, `events` what its script listens to. Over the content stands
/// that the daemon does not do its work, if so: what looks green might be old.
pub(super) fn whole(
    shared: &Shared,
    main: &str,
    snapshot: &Snapshot,
    language: Language,
    path: &str,
    events: &str,
) -> askama::Result<String> {
    let words = words(language);
    let at = snapshot.at.as_millisecond();
    let menu = [
        ("/", words.wall),
        ("/sites", words.sites_short),
        ("/cameras", words.cameras),
        ("/map", words.map),
        ("/reports", words.reports),
    ];
    let (place, query) = path.split_once('?').unwrap_or((path, ""));
    let and = if query.is_empty() { "" } else { "&" };
    let other = format!("{place}?{query}{and}lang={}", words.other_lang);
    let trouble = (shared.state.healthy)().err();
    let trouble = trouble.as_deref();
    Whole {
        words,
        trouble,
        commune: &snapshot.fleet.commune.name,
        main,
        at,
        path: place,
        other,
        events,
        home: place == "/",
        menu,
    }
    .render()
}

/// The page around content that others read as well: its bytes are sent, not copied.
pub(super) fn around(
    shared: &Shared,
    main: Bytes,
    snapshot: &Snapshot,
    language: Language,
    path: &str,
    events: &str,
) -> askama::Result<Response> {
    // Names are escaped, so that none of them can be this.
    const PLACE: &str = "<main>";
    let page = whole(shared, PLACE, snapshot, language, path, events)?;
    let (head, tail) = page.split_once(PLACE).unwrap_or((&page, ""));
    let pieces = [Bytes::copy_from_slice(head.as_bytes()), main, Bytes::copy_from_slice(tail.as_bytes())];
    Ok(Html(Body::from_stream(stream::iter(pieces.map(Ok::<_, Infallible>)))).into_response())
}

/// A subject's page at its address, or with what it says that there is no such thing.
pub(super) fn of(
    shared: &Shared,
    snapshot: &Arc<Snapshot>,
    language: Language,
    subject: &Subject,
    missing: &'static str,
) -> Response {
    let (path, wish) = match subject {
        Subject::Wall => ("/".to_owned(), String::new()),
        Subject::Area(id) => (format!("/areas/{id}"), format!("&area={id}")),
        Subject::Map(None) => ("/map".to_owned(), "&map=all".to_owned()),
        Subject::Map(Some(area)) => (format!("/map?area={area}"), format!("&map=all&area={area}")),
        Subject::List(filter) => {
            let (path, query) = (filter.path(), filter.query());
            (format!("{path}?{query}"), format!("&list={}&{query}", path.trim_start_matches('/')))
        }
        Subject::Site(id) => (format!("/sites/{id}"), format!("&site={id}")),
        Subject::Camera(id) => (format!("/cameras/{id}"), format!("&camera={id}")),
        Subject::Incident(id) => {
            let number = snapshot.incident(id).map_or_else(|| id.clone(), |incident| incident.number.to_string());
            (format!("/incidents/{number}"), format!("&incident={number}"))
        }
    };
    let events = format!("/events?lang={}{wish}", words(language).lang);
    let snapshot = &shared.cache.frame(snapshot, subject);
    let page = match shared.cache.main(snapshot, subject, language) {
        Ok(Some(main)) => around(shared, main, snapshot, language, &path, &events),
        Ok(None) => Ok((StatusCode::NOT_FOUND, missing).into_response()),
        Err(error) => Err(error),
    };
    page.unwrap_or_else(|error| html(Err(error)))
}

#[derive(Template)]
#[template(path = "whole.html")]
struct Whole<'a> {
    words: &'static Words,
    commune: &'a str,
    main: &'a str,
    at: i64,
    path: &'a str,
    /// Its address in the other language.
    other: String,
    events: &'a str,
    home: bool,
    trouble: Option<&'a str>,
    menu: [(&'a str, &'static str); 5],
}

pub(super) fn html(rendered: askama::Result<String>) -> Response {
    match rendered {
        Ok(html) => Html(html).into_response(),
        Err(error) => {
            tracing::error!(%error, "the page cannot be rendered");
            (StatusCode::INTERNAL_SERVER_ERROR, "the page cannot be rendered; see the log\n").into_response()
        }
    }
}
