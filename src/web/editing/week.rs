//! Who is on when, in the next days.

use crate::model::{GapKind, Language, Snapshot};
use jiff::Timestamp;

/// A time in which somebody answers for a rotation.
#[derive(Debug, Clone)]
pub struct Turn {
    /// Which rotation.
    pub rotation: String,
    /// Who, by name.
    pub person: String,
    /// Who, by id.
    pub person_id: String,
    /// First moment.
    pub from: Timestamp,
    /// First moment after.
    pub until: Timestamp,
    /// Whether they stand in for whoever has the turn.
    pub stands_in: bool,
    /// Why nobody can be told in it, if so.
    pub gap: Option<GapKind>,
}

/// A line of the table.
pub(super) struct Night {
    pub(super) rotation: String,
    pub(super) day: &'static str,
    pub(super) from: String,
    pub(super) until: String,
    pub(super) person: String,
    pub(super) stands_in: bool,
}

/// The turns as lines, in the order in which they come.
pub(super) fn nights(turns: Vec<Turn>, snapshot: &Snapshot, language: Language) -> Vec<Night> {
    const DAYS: [(&str, &str); 7] = [
        ("Thứ Hai", "Mon"),
        ("Thứ Ba", "Tue"),
        ("Thứ Tư", "Wed"),
        ("Thứ Năm", "Thu"),
        ("Thứ Sáu", "Fri"),
        ("Thứ Bảy", "Sat"),
        ("Chủ Nhật", "Sun"),
    ];
    let night = |turn: Turn| {
        let local = turn.from.to_zoned_datetime(snapshot.fleet.commune.timezone.clone());
        let day = usize::try_from(local.weekday().to_monday_zero_offset()).ok().and_then(|day| DAYS.get(day));
        let (vietnamese, english) = day.copied().unwrap_or_default();
        Night {
            rotation: turn.rotation,
            day: language.pick(vietnamese, english),
            from: snapshot.local().full(turn.from),
            until: snapshot.local().full(turn.until),
            person: turn.person,
            stands_in: turn.stands_in,
        }
    };
    turns.into_iter().map(night).collect()
}
