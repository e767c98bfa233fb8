//! The page around its content, and what contents share: times, signs and numbers.

use super::{
    rendered::Subject,
    router::{Shared, html},
    words::{Words, words},
};
use crate::model::{Camera, Course, Language, Level, Rung, SiteStatus, Snapshot, State, ToldRung};
use askama::Template;
use axum::{
    body::{Body, Bytes},
    http::StatusCode,
    response::{Html, IntoResponse, Response},
};
use futures_util::stream;
use jiff::Timestamp;
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

/// A time as people and as the page's script read it.
pub(super) struct Moment {
    pub(super) text: String,
    pub(super) millisecond: i64,
}

/// The steps of a look as others may read them.
pub(super) fn rungs(camera: &Camera, rungs: &[Rung], language: Language) -> Vec<ToldRung> {
    rungs.iter().map(|rung| rung.told(|detail| camera.told(detail, language))).collect()
}

/// The time of day where people live, with the day where it is not today.
pub(super) fn moment(at: Timestamp, snapshot: &Snapshot) -> Moment {
    Moment { text: snapshot.local().time(at), millisecond: at.as_millisecond() }
}

/// A number as people read it: 20.000 in Vietnamese, 20,000 in English.
pub(super) fn thousands(number: usize, language: Language) -> String {
    let digits = number.to_string();
    let separator = language.pick('.', ',');
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(separator);
        }
        text.push(digit);
    }
    text
}

/// That a site is well again while its incident is not yet over.
pub(super) fn recovering(snapshot: &Snapshot, site: &SiteStatus, language: Language) -> Option<String> {
    site.incident.as_ref()?;
    Some(snapshot.course_text(Course::Recovering(site.recovering?), language))
}

/// A level as a sign beside its colour.
pub(super) fn level_symbol(level: Level) -> &'static str {
    match level {
        Level::Full => "●",
        Level::Reduced => "◐",
        Level::Critical => "▲",
        Level::Blind => "✕",
        Level::Unknown => "?",
    }
}

/// A state as a sign beside its colour.
pub(super) fn symbol(state: State) -> &'static str {
    match state {
        State::Up => "●",
        State::Degraded => "◐",
        State::Down => "✕",
        State::Unreachable => "⇹",
        State::Unknown => "?",
        State::Maintenance => "⚒",
        State::Off => "○",
    }
}
