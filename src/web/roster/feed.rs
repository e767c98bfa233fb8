//! A person's shifts as a calendar (RFC 5545) at a secret address, for their phone to read again and again.
//!
//! The address is a pass of its own kind: it opens this calendar and nothing else, and ends when it is revoked. It tells of
//! shifts alone, not of cameras or incidents.

use super::words::{Words, words};
use crate::{
    model::{hex, later},
    rights::PassKind,
    web::{
        editing::Turn,
        secrets,
        state::{Shared, Wish},
    },
};
use axum::{
    extract::{Path, Query, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use icalendar::{Calendar, Component, Event, EventLike, Property};
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use std::time::Duration;

/// How far the calendar looks back and ahead.
const BACK: Duration = Duration::from_secs(4 * 7 * 24 * 3600);
const AHEAD: Duration = Duration::from_secs(8 * 7 * 24 * 3600);

/// Gives the calendar behind a secret.
pub(in crate::web) async fn feed(
    State(shared): State<Shared>,
    Path(secret): Path<String>,
    Query(wish): Query<Wish>,
) -> Response {
    let (snapshot, access) = (shared.snapshot(), &shared.state.access);
    let words = words(wish.language(&snapshot));
    let (now, register) = ((access.now)(), access.register.borrow().clone());
    let secret = secret.strip_suffix(".ics").unwrap_or(&secret);
    let pass = register.pass(now, &secrets::known_as(secret)).filter(|pass| pass.kind == PassKind::Calendar);
    let Some((pass, person)) = pass.and_then(|pass| Some((pass, pass.person.as_ref()?))) else {
        return (StatusCode::NOT_FOUND, format!("{}\n", words.no_calendar)).into_response();
    };
    if pass.is_to_be_noted(now) {
        shared.mention(pass.id.clone());
    }
    let begins = now.checked_sub(BACK).unwrap_or(now);
    let mut turns = (shared.state.turns)(begins, later(now, AHEAD));
    turns.retain(|turn| turn.person_id == person.as_str());
    let text = calendar(&turns, begins, now, (&snapshot.fleet.commune.name, words));
    let headers = [
        (header::CONTENT_TYPE, "text/calendar; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "inline; filename=\"truc.ics\""),
    ];
    (headers, text).into_response()
}

/// Shifts of a span as a calendar.
fn calendar(turns: &[Turn], begins: Timestamp, now: Timestamp, (commune, words): (&str, &Words)) -> String {
    let mut calendar = Calendar::empty();
    for (name, value) in [("VERSION", "2.0"), ("PRODID", "-//camhealth//roster//EN"), ("CALSCALE", "GREGORIAN")] {
        calendar.append_property(Property::new(name, value));
    }
    calendar.name(&format!("{} – {commune}", words.calendar));
    // What phones go by for how often they read it again: the standard's name, and the older one.
    let mut refresh = Property::new("REFRESH-INTERVAL", "PT1H");
    calendar.append_property(refresh.add_parameter("VALUE", "DURATION").done());
    calendar.append_property(Property::new("X-PUBLISHED-TTL", "PT1H"));
    for turn in turns {
        // The same over all readings, so that phones change what they have. What began before the span has one name.
        let from = if turn.from == begins { "before".to_owned() } else { turn.from.as_second().to_string() };
        let hash = Sha256::digest(format!("{}|{from}", turn.rotation));
        let mut event = Event::new();
        event
            .uid(&format!("{}@camhealth", hex(&hash[..12])))
            .summary(&format!("{} {}", words.on_call, turn.rotation))
            .location(commune)
            .add_property("DTSTAMP", utc(now))
            .add_property("DTSTART", utc(turn.from))
            .add_property("DTEND", utc(turn.until));
        if turn.stands_in {
            event.description(words.stands_in);
        }
        calendar.push(event.done());
    }
    calendar.done().to_string()
}

/// A time as calendars write it, in UTC: so no time zone needs to be described.
fn utc(at: Timestamp) -> String {
    at.strftime("%Y%m%dT%H%M%SZ").to_string()
}
