//! What pages' contents share: times, signs and numbers.

use crate::model::{Camera, Course, Language, Level, LinkState, Rung, SiteStatus, Snapshot, State, ToldRung};
use jiff::Timestamp;

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

/// A link's state as a sign beside its colour.
pub(super) fn link_symbol(state: LinkState) -> &'static str {
    match state {
        LinkState::Up => "●",
        LinkState::Down => "✕",
        LinkState::Unknown => "?",
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
