//! The next days as a table: a line for each day, a column for each rotation. Pure.

use super::words::words;
use crate::{
    model::{
        GapKind, Language, Snapshot,
        local::{day, hour},
    },
    web::editing::Turn,
};
use jiff::{Timestamp, ToSpan, civil::Date};

/// A day.
pub(super) struct Day {
    pub(super) weekday: &'static str,
    pub(super) date: String,
    pub(super) is_today: bool,
    /// What falls into it, for each rotation.
    pub(super) cells: Vec<Vec<Entry>>,
}

/// A shift, or a part of one, in a day.
pub(super) struct Entry {
    /// When it begins that day; nothing where it goes on from the day before.
    pub(super) from: String,
    pub(super) person: String,
    pub(super) stands_in: bool,
    pub(super) gap: bool,
}

/// A shift in which nobody can be told.
pub(super) struct Gap {
    pub(super) rotation: String,
    pub(super) span: String,
    pub(super) person: String,
    pub(super) why: &'static str,
}

const WEEKDAYS: [(&str, &str); 7] = [
    ("Thứ Hai", "Mon"),
    ("Thứ Ba", "Tue"),
    ("Thứ Tư", "Wed"),
    ("Thứ Năm", "Thu"),
    ("Thứ Sáu", "Fri"),
    ("Thứ Bảy", "Sat"),
    ("Chủ Nhật", "Sun"),
];

/// So many days from the snapshot's on.
pub(super) fn days(
    turns: &[Turn],
    rotations: &[String],
    snapshot: &Snapshot,
    language: Language,
    count: usize,
) -> Vec<Day> {
    let zone = &snapshot.fleet.commune.timezone;
    let today = snapshot.at.to_zoned_datetime(zone.clone()).date();
    let midnight = |date: Date| {
        let begins = date.to_datetime(jiff::civil::Time::midnight()).to_zoned_datetime(zone.clone());
        begins.map_or(snapshot.at, |begins| begins.timestamp())
    };
    let of = |number: usize| {
        let date = today.checked_add((number as i64).days()).ok()?;
        let (begins, ends) = (midnight(date), midnight(date.tomorrow().ok()?));
        let (vietnamese, english) = WEEKDAYS[date.weekday().to_monday_zero_offset() as usize % 7];
        let cell = |rotation: &String| {
            let of_day =
                turns.iter().filter(|turn| turn.rotation == *rotation && turn.from < ends && begins < turn.until);
            of_day.map(|turn| entry(turn, begins, snapshot)).collect()
        };
        Some(Day {
            weekday: language.pick(vietnamese, english),
            date: day(date),
            is_today: number == 0,
            cells: rotations.iter().map(cell).collect(),
        })
    };
    (0..count).filter_map(of).collect()
}

fn entry(turn: &Turn, begins: Timestamp, snapshot: &Snapshot) -> Entry {
    let from = match turn.from >= begins && turn.from > snapshot.at {
        true => hour(turn.from.to_zoned_datetime(snapshot.fleet.commune.timezone.clone()).time()),
        false => String::new(),
    };
    Entry { from, person: turn.person.clone(), stands_in: turn.stands_in, gap: turn.gap.is_some() }
}

/// Shifts in which nobody can be told, in their order.
pub(super) fn gaps(turns: &[Turn], snapshot: &Snapshot, language: Language) -> Vec<Gap> {
    let local = snapshot.local();
    let gap = |turn: &Turn| {
        let why: GapKind = turn.gap?;
        let span = format!("{} – {}", local.full(turn.from), local.full(turn.until));
        let person = if turn.person.is_empty() { words(language).nobody.to_owned() } else { turn.person.clone() };
        Some(Gap { rotation: turn.rotation.clone(), span, person, why: why.text(language) })
    };
    turns.iter().filter_map(gap).collect()
}
