//! The roster on a page: the next two weeks of each rotation, shifts in which nobody can be told, stand-ins and swaps; and
//! each person's shifts as a calendar for their phone ([`feed()`]).
//!
//! What is laid here are stand-ins, as on their own page: edits over the files, kept in the journal. A swap is two of them.

mod feed;
mod table;
mod words;

pub(super) use feed::feed;

use self::{
    table::{Day, Gap, days, gaps},
    words::{Words, words},
};
use super::{
    asked,
    editing::Turn,
    origin::OwnPage,
    seen::Seen,
    state::{Shared, Wish},
    visitor::Visitor,
    whole::{Frame, html},
};
use crate::{
    edits::{Field, Item, Kind, Refusal, Value, Wish as EditWish},
    model::{Language, Snapshot, later},
    request::{Refused, Request},
    rights::Right,
};
use askama::Template;
use axum::{
    Form,
    extract::Query,
    response::{IntoResponse, Redirect, Response},
};
use jiff::{Timestamp, tz::TimeZone};
use std::time::Duration;

/// Days that are shown.
const DAYS: usize = 14;
const SPAN: Duration = Duration::from_secs(DAYS as u64 * 24 * 3600);

#[derive(Template)]
#[template(path = "roster.html")]
struct Page<'a> {
    words: &'static Words,
    /// What went wrong with what was sent.
    refused: Option<&'a str>,
    rotations: Vec<String>,
    days: Vec<Day>,
    gaps: Vec<Gap>,
    /// Who may stand in: ids and names. Nobody where whoever visits may not say so.
    people: Vec<(String, String)>,
    /// Shifts that can be swapped: their names in forms, and for people.
    shifts: Vec<(String, String)>,
}

pub(super) async fn page(Seen(shared): Seen, visitor: Visitor, Query(wish): Query<Wish>) -> Response {
    let language = wish.language(&shared.snapshot());
    shown(&shared, &visitor, language, None)
}

fn shown(shared: &Shared, visitor: &Visitor, language: Language, refused: Option<&Refused>) -> Response {
    let snapshot = shared.snapshot();
    let turns = (shared.state.turns)(snapshot.at, later(snapshot.at, SPAN));
    let mut rotations: Vec<String> = turns.iter().map(|turn| turn.rotation.clone()).collect();
    rotations.dedup();
    let may = visitor.may(Right::StandIns);
    let people = if may { people(shared) } else { Vec::new() };
    let told = refused.map(ToString::to_string);
    let page = Page {
        words: words(language),
        refused: told.as_deref(),
        days: days(&turns, &rotations, &snapshot, language, DAYS),
        gaps: gaps(&turns, &snapshot, language),
        people,
        shifts: if may { swappable(&turns, &snapshot) } else { Vec::new() },
        rotations,
    };
    let frame = Frame { shared, visitor, snapshot: &snapshot, language, path: "/roster", events: "" };
    let mut response = html(page.render().and_then(|main| frame.whole(&main)));
    if let Some(refused) = refused {
        *response.status_mut() = asked::status(refused);
    }
    response
}

/// Everybody by id, with their names.
fn people(shared: &Shared) -> Vec<(String, String)> {
    let sheet = shared.sheet();
    sheet.choices.people.iter().map(|(id, name)| (id.clone(), name.clone())).collect()
}

/// Shifts that have not begun, as a form names them and as people do.
fn swappable(turns: &[Turn], snapshot: &Snapshot) -> Vec<(String, String)> {
    let open = turns.iter().filter(|turn| turn.from > snapshot.at && !turn.person_id.is_empty());
    let named = open.map(|turn| {
        // When comes first: a select shows no more than the beginning.
        let from = snapshot.local().short(turn.from);
        (name_of(turn), format!("{from} {} ({})", turn.person, turn.rotation))
    });
    named.collect()
}

fn name_of(turn: &Turn) -> String {
    format!("{}|{}", turn.from.as_second(), turn.rotation)
}

/// Lays two stand-ins: each of two people has the other's shift.
pub(super) async fn swap(
    Seen(shared): Seen,
    visitor: Visitor,
    _: OwnPage,
    Query(wish): Query<Wish>,
    Form(form): Form<Vec<(String, String)>>,
) -> Response {
    let snapshot = shared.snapshot();
    let language = wish.language(&snapshot);
    let turns = (shared.state.turns)(snapshot.at, later(snapshot.at, SPAN));
    let chosen = |key: &str| {
        let name = form.iter().find(|(known, _)| known == key).map(|(_, name)| name.as_str())?;
        turns.iter().find(|turn| name_of(turn) == name && turn.from > snapshot.at && !turn.person_id.is_empty())
    };
    let (one, other) = match (chosen("one"), chosen("other")) {
        (Some(one), Some(other)) if one.person_id != other.person_id => (one, other),
        _ => {
            let refused = Refused::Edit(Refusal::Unfit(words(language).no_swap.to_owned()));
            return shown(&shared, &visitor, language, Some(&refused));
        }
    };
    match exchange(&shared, &visitor, (one, other), &snapshot.fleet.commune.timezone, words(language)).await {
        Ok(()) => Redirect::to(&format!("/roster?lang={}", words(language).lang)).into_response(),
        Err(refused @ Refused::Denied(_)) => asked::refusal(&refused),
        Err(refused) => shown(&shared, &visitor, language, Some(&refused)),
    }
}

/// Lays the first, then the second; where that is refused, the first is taken back: half a swap leaves a hole.
async fn exchange(
    shared: &Shared,
    visitor: &Visitor,
    (one, other): (&Turn, &Turn),
    zone: &TimeZone,
    words: &Words,
) -> Result<(), Refused> {
    let reason = format!("{}: {} ↔ {}", words.swapped, one.person, other.person);
    let value = |shift: &Turn, person: &str| {
        let local = |at: Timestamp| at.to_zoned_datetime(zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string();
        Value::default()
            .with("rotation", Field::Text(shift.rotation.clone()))
            .text("person", person)
            .text("from", &local(shift.from))
            .text("until", &local(shift.until))
            .text("reason", &reason)
    };
    let lay = |value: Value| {
        let wish = EditWish { item: Item::new(Kind::StandIn, ""), version: String::new(), value: Some(value) };
        shared.ask(&visitor.by, Request::Edit(wish))
    };
    let first = value(one, &other.person_id);
    lay(first.clone()).await?;
    let second = lay(value(other, &one.person_id)).await;
    if second.is_err() {
        let sheet = shared.sheet();
        let laid = sheet.of(Kind::StandIn).find(|(_, line)| line.edit.as_ref().is_some_and(|edit| edit.value == first));
        if let Some((item, line)) = laid {
            let wish = EditWish { item: item.clone(), version: line.version(), value: None };
            shared.ask(&visitor.by, Request::Edit(wish)).await?;
        }
    }
    second.map(drop)
}
