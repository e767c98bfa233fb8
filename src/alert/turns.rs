//! What follows of a roster for people: all shifts of a span, those in which nobody can be told, and whose begins soon.
//!
//! Pure.

use super::{
    Rotation, Settings,
    roster::{Shift, is_open, next_boundary, on_call, stands_in},
};
use crate::model::{GapKind, PersonId};
use jiff::{Timestamp, tz::TimeZone};
use std::time::Duration;

/// Boundaries of a span that are looked at in one rotation: two weeks have far fewer, however many stand-ins there are.
const BOUNDARIES: usize = 4096;

/// A shift of a span.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// The rotation.
    pub rotation: String,
    /// Who, when, and whether they stand in; nobody where the rotation names nobody.
    pub shift: Shift,
    /// Why nobody can be told in it, if so.
    pub gap: Option<GapKind>,
}

/// Somebody takes over from another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handover {
    /// The rotation.
    pub rotation: String,
    /// Who takes over, from when until when.
    pub shift: Shift,
    /// When they are to be told.
    pub due: Timestamp,
}

/// All shifts that fall into a span, of one rotation after the other.
pub fn turns(settings: &Settings, from: Timestamp, until: Timestamp, zone: &TimeZone) -> Vec<Turn> {
    settings.rotations.iter().flat_map(|rotation| of_one(settings, rotation, from, until, zone)).collect()
}

/// Those of a span in which nobody can be told.
pub fn gaps(settings: &Settings, from: Timestamp, until: Timestamp, zone: &TimeZone) -> Vec<Turn> {
    let mut turns = turns(settings, from, until, zone);
    turns.retain(|turn| turn.gap.is_some());
    turns
}

/// Who takes over within a span, and is to be told of it before.
pub fn handovers(settings: &Settings, from: Timestamp, until: Timestamp, zone: &TimeZone) -> Vec<Handover> {
    let mut found = Vec::new();
    for rotation in settings.rotations.iter().filter(|rotation| rotation.handover_notice > Duration::ZERO) {
        let turns = of_one(settings, rotation, from, until, zone);
        for (before, after) in turns.iter().zip(turns.iter().skip(1)) {
            // Who goes on takes over nothing.
            if before.shift.person != after.shift.person {
                let due = after.shift.from.checked_sub(rotation.handover_notice).unwrap_or(after.shift.from);
                found.push(Handover { rotation: rotation.id.clone(), shift: after.shift.clone(), due });
            }
        }
    }
    found
}

fn of_one(settings: &Settings, rotation: &Rotation, from: Timestamp, until: Timestamp, zone: &TimeZone) -> Vec<Turn> {
    let mut turns: Vec<Turn> = Vec::new();
    let mut at = from;
    for _ in 0..BOUNDARIES {
        let next = next_boundary(settings, rotation, at, zone).filter(|next| *next > at);
        let ends = next.map_or(until, |next| next.min(until));
        let person = on_call(settings, rotation, at, zone).cloned();
        let gap = gap(settings, rotation, person.as_ref(), at);
        let stands_in = stands_in(settings, rotation, at);
        let person = person.unwrap_or_else(|| PersonId::from(""));
        let same =
            |last: &&mut Turn| last.shift.person == person && last.shift.stands_in == stands_in && last.gap == gap;
        match turns.last_mut().filter(same) {
            Some(last) => last.shift.until = ends,
            None => {
                let shift = Shift { person, from: at, until: ends, stands_in };
                turns.push(Turn { rotation: rotation.id.clone(), shift, gap });
            }
        }
        at = ends;
        if at >= until {
            break;
        }
    }
    turns
}

/// Why nobody can be told at a time, if so.
fn gap(settings: &Settings, rotation: &Rotation, person: Option<&PersonId>, at: Timestamp) -> Option<GapKind> {
    let Some(person) = person else { return Some(GapKind::Nobody) };
    match settings.people.get(person) {
        None => Some(GapKind::Gone),
        Some(known) if known.channels.is_empty() => Some(GapKind::Unreachable),
        Some(_) if is_open(settings, rotation, at) => Some(GapKind::Open),
        Some(_) => None,
    }
}

#[cfg(test)]
#[path = "turns_tests.rs"]
mod tests;
