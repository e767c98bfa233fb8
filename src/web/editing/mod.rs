//! Pages on which what changes each week is edited: the roster, stand-ins, channels, consent, maintenance, names, notes.
//!
//! Each page shows what holds and where it comes from: a line of a file, or somebody's edit. A form says what its sender
//! saw, so that of two who edit at once none overwrites the other; what is refused keeps what was typed.

mod form;
mod rows;
mod silences;
mod week;
mod words;

pub use week::Turn;

use self::{
    form::Typed,
    rows::{Draft, Input, Row},
    silences::{Silenced, silenced},
    week::{Night, nights},
    words::{Words, words},
};
use super::{
    asked,
    origin::OwnPage,
    seen::Seen,
    state::{Shared, Wish},
    visitor::Visitor,
    whole::{Frame, html},
};
use crate::{
    edits::{Kind, Standing, Subject},
    model::{Language, Snapshot, later, local::whole_day},
    request::{Refused, Request},
    rights::Right,
};
use askama::Template;
use axum::{
    Form, Router,
    extract::Query,
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use serde::Deserialize;

/// How far the table of who is on when looks ahead.
const TEN_DAYS: std::time::Duration = std::time::Duration::from_secs(10 * 24 * 3600);
/// Rows on a page.
const ROWS: usize = 40;

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/settings", get(hub))
        .route("/settings/roster", get(roster).post(edit_roster))
        .route("/settings/stand-ins", get(stand_ins).post(edit_stand_ins))
        .route("/settings/people", get(people).post(edit_people))
        .route("/settings/consent", get(consent).post(edit_consent))
        .route("/settings/maintenance", get(maintenance).post(edit_maintenance))
        .route("/settings/silences", post(silences::begin))
        .route("/settings/silences/{id}/end", post(silences::end))
        .route("/settings/sites", get(sites).post(edit_sites))
        .route("/settings/cameras", get(cameras).post(edit_cameras))
}

/// A page's address, and a form's, for each subject.
macro_rules! pages {
    ($($subject:ident: $show:ident, $edit:ident;)*) => {$(
        async fn $show(
            Seen(shared): Seen,
            visitor: Visitor,
            Query(wish): Query<Wish>,
            Query(part): Query<Part>,
        ) -> Response {
            page(&shared, &visitor, &wish, &Asked { subject: Subject::$subject, part, draft: None })
        }

        async fn $edit(
            Seen(shared): Seen,
            visitor: Visitor,
            _: OwnPage,
            Query(wish): Query<Wish>,
            Form(form): Form<Vec<(String, String)>>,
        ) -> Response {
            edit(&shared, &visitor, &wish, Subject::$subject, form).await
        }
    )*};
}

pages! {
    Roster: roster, edit_roster;
    StandIns: stand_ins, edit_stand_ins;
    People: people, edit_people;
    Consent: consent, edit_consent;
    Maintenance: maintenance, edit_maintenance;
    Sites: sites, edit_sites;
    Cameras: cameras, edit_cameras;
}

/// Which part of a long page.
#[derive(Debug, Default, Deserialize)]
struct Part {
    #[serde(default)]
    q: String,
    #[serde(default)]
    page: usize,
}

/// What of a page is asked for.
struct Asked {
    subject: Subject,
    part: Part,
    /// What was refused, with what was typed.
    draft: Option<Draft>,
}

#[derive(Template)]
#[template(path = "settings.html")]
struct Hub {
    words: &'static Words,
    /// Name, address, and how much was edited.
    subjects: Vec<(&'static str, &'static str, usize)>,
    /// Consents that have ended or soon will: the camera, whether it is over, and what is told.
    consents: Vec<(String, bool, String)>,
    /// What was edited and does not hold: its page, what, and why.
    idle: Vec<(&'static str, String, String)>,
}

async fn hub(Seen(shared): Seen, visitor: Visitor, Query(wish): Query<Wish>) -> Response {
    let snapshot = shared.snapshot();
    let (language, sheet) = (wish.language(&snapshot), shared.sheet());
    let seen = |subject: &Subject| visitor.sees(*subject).is_ok();
    let subjects = Subject::ALL.into_iter().filter(seen).map(|subject| {
        let edited = subject.kinds().iter().flat_map(|kind| sheet.of(*kind)).filter(|(_, line)| line.edit.is_some());
        (subject.text(language), subject.as_str(), edited.count())
    });
    let idle = sheet
        .idle()
        .filter(|(item, _)| seen(&item.kind.subject()))
        .map(|(item, line)| (item.kind.subject().as_str(), item.to_string(), rows::standing(line, words(language))));
    let consents = if visitor.may(Right::Consent) { ending(&snapshot, language) } else { Vec::new() };
    let page = Hub { words: words(language), subjects: subjects.collect(), consents, idle: idle.collect() };
    let frame =
        Frame { shared: &shared, visitor: &visitor, snapshot: &snapshot, language, path: "/settings", events: "" };
    html(page.render().and_then(|main| frame.whole(&main)))
}

/// Consents that have ended or soon will, the first to end first.
fn ending(snapshot: &Snapshot, language: Language) -> Vec<(String, bool, String)> {
    let (now, zone) = (snapshot.at, &snapshot.fleet.commune.timezone);
    let ending = snapshot.fleet.consents_ending(now).into_iter().take(ROWS);
    let told = ending.map(|(camera, consent)| match consent.lacks(now, zone) {
        Some(why) => (camera.id.to_string(), true, why.text(language)),
        None => {
            let day = consent.until.map(whole_day).unwrap_or_default();
            (camera.id.to_string(), false, format!("{} {day}", words(language).ends_on))
        }
    });
    told.collect()
}

#[derive(Template)]
#[template(path = "settings_page.html")]
struct Page<'a> {
    words: &'static Words,
    title: &'static str,
    path: &'static str,
    /// What went wrong with what was sent.
    refused: Option<&'a str>,
    /// The same in the words of `camhealth check`.
    told: Option<&'a str>,
    /// Who is on when, of the roster.
    nights: Vec<Night>,
    rows: Vec<Row>,
    /// Whether it is long enough to be searched.
    search: bool,
    q: &'a str,
    /// Where the parts before and after this one are.
    previous: Option<String>,
    next: Option<String>,
    /// What is silenced for now, of maintenance.
    silenced: Vec<Silenced>,
    /// What may be silenced; nothing where whoever visits may not.
    scopes: Vec<(String, String)>,
}

fn page(shared: &Shared, visitor: &Visitor, wish: &Wish, asked: &Asked) -> Response {
    let snapshot = shared.snapshot();
    let language = wish.language(&snapshot);
    let (sheet, subject) = (shared.sheet(), asked.subject);
    let made = rows::Maker {
        sheet: &sheet,
        snapshot: &snapshot,
        language,
        may: visitor.may(subject.right()),
        bounds: shared.bounds(),
    };
    let Asked { part, draft, .. } = asked;
    let (rows, more) = made.rows(subject, &part.q, part.page.saturating_mul(ROWS), ROWS, draft.as_ref());
    let search = matches!(subject, Subject::Sites | Subject::Cameras | Subject::Consent);
    let is_maintenance = subject == Subject::Maintenance;
    let week = matches!(subject, Subject::Roster | Subject::StandIns);
    let at = |number: usize| {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("lang", words(language).lang).append_pair("q", &part.q);
        format!("/settings/{}?{}", subject.as_str(), query.append_pair("page", &number.to_string()).finish())
    };
    let page = Page {
        words: words(language),
        title: subject.text(language),
        path: subject.as_str(),
        refused: draft.as_ref().map(|draft| draft.why.as_str()),
        told: draft.as_ref().and_then(|draft| draft.told.as_deref()),
        nights: if week {
            nights((shared.state.turns)(snapshot.at, later(snapshot.at, TEN_DAYS)), &snapshot, language)
        } else {
            Vec::new()
        },
        rows,
        search,
        q: &part.q,
        previous: part.page.checked_sub(1).map(at),
        next: more.then(|| at(part.page + 1)),
        silenced: if is_maintenance { silenced(&snapshot) } else { Vec::new() },
        scopes: if is_maintenance && visitor.may(Right::Silence) { made.scopes() } else { Vec::new() },
    };
    let path = format!("/settings/{}", subject.as_str());
    let frame = Frame { shared, visitor, snapshot: &snapshot, language, path: &path, events: "" };
    let mut response = html(page.render().and_then(|main| frame.whole(&main)));
    if let Some(draft) = draft {
        *response.status_mut() = draft.status;
    }
    response
}

async fn edit(
    shared: &Shared,
    visitor: &Visitor,
    wish: &Wish,
    subject: Subject,
    form: Vec<(String, String)>,
) -> Response {
    let Some(typed) = Typed::of(form, visitor.name()).filter(|typed| typed.wish.item.kind.subject() == subject) else {
        return asked::refusal(&Refused::Edit(crate::edits::Refusal::Unknown(subject.as_str().to_owned())));
    };
    match shared.ask(&visitor.by, Request::Edit(typed.wish.clone())).await {
        Ok(_) => {
            let language = wish.language(&shared.snapshot());
            let lang = words(language).lang;
            Redirect::to(&format!("/settings/{}?lang={lang}", subject.as_str())).into_response()
        }
        Err(refused @ Refused::Denied(_)) => asked::refusal(&refused),
        Err(refused) => {
            let language = wish.language(&shared.snapshot());
            let draft = Draft::of(typed, &refused, language);
            let part = Part { q: draft.item.id.clone(), page: 0 };
            let part = if Kind::is_added(draft.item.kind) { Part::default() } else { part };
            page(shared, visitor, wish, &Asked { subject, part, draft: Some(draft) })
        }
    }
}

/// Whether an edit holds.
fn holds(standing: &Standing) -> bool {
    matches!(standing, Standing::Files | Standing::Edited)
}
