//! The contract's clock on an incident's page: what is left of each term, who answered, and what each second counts as.

use super::{class, stands};
use crate::{
    model::{Duty, Incident, Language, Snapshot},
    uptime::{Clock, Deadline, Reckoned, Stand},
    web::{page::moment, report::length},
};

/// Pieces of an incident that are shown, the latest.
const PIECES: usize = 100;

/// The part of a page.
pub(in crate::web) struct Part {
    pub(in crate::web) contractor: String,
    /// Who answered for the contractor, and when.
    pub(in crate::web) responded: Option<(String, String)>,
    /// Whether somebody may still answer.
    pub(in crate::web) waits: bool,
    pub(in crate::web) rows: Vec<Row>,
    pub(in crate::web) sums: Vec<Sum>,
}

/// One thing that is to be done in time.
pub(in crate::web) struct Row {
    pub(in crate::web) id: String,
    pub(in crate::web) duty: &'static str,
    pub(in crate::web) level: &'static str,
    pub(in crate::web) level_class: &'static str,
    pub(in crate::web) allowed: String,
    pub(in crate::web) used: String,
    pub(in crate::web) left: String,
    pub(in crate::web) stands: String,
    pub(in crate::web) class: &'static str,
}

/// What all seconds count as under one term.
pub(in crate::web) struct Sum {
    pub(in crate::web) id: String,
    pub(in crate::web) level: &'static str,
    /// What they count as, how long, and whether that counts against the contractor.
    pub(in crate::web) lines: Vec<(&'static str, String, bool)>,
    pub(in crate::web) total: String,
    /// From, until, how long, and as what.
    pub(in crate::web) pieces: Vec<(String, String, String, &'static str)>,
    /// Earlier pieces that are not shown.
    pub(in crate::web) left_out: usize,
}

/// How an incident stands; nothing where it is under no term.
pub(in crate::web) fn part(
    snapshot: &Snapshot,
    incident: &Incident,
    clocks: &[Clock],
    contractor: Option<&str>,
    language: Language,
) -> Option<Part> {
    let contractor = contractor.filter(|_| !clocks.is_empty())?;
    let rows = clocks
        .iter()
        .flat_map(|clock| clock.deadlines().map(|(duty, deadline)| row(snapshot, clock, (duty, deadline), language)));
    Some(Part {
        contractor: contractor.to_owned(),
        responded: incident.responded.as_ref().map(|ack| (ack.by.clone(), moment(ack.at, snapshot).text)),
        waits: incident.responded.is_none() && incident.closed.is_none(),
        rows: rows.collect(),
        sums: clocks.iter().map(|clock| sum(snapshot, clock, language)).collect(),
    })
}

fn row(snapshot: &Snapshot, clock: &Clock, (duty, deadline): (Duty, &Deadline), language: Language) -> Row {
    Row {
        id: format!("{}-{}", duty.as_str(), clock.level.as_str()),
        duty: duty.text(language),
        level: clock.level.text(language),
        level_class: clock.level.as_str(),
        allowed: length(deadline.allowed_seconds, language),
        used: length(deadline.used_seconds, language),
        left: left(deadline, language),
        stands: stands(snapshot, clock, deadline, language),
        class: class(deadline),
    }
}

/// What is left of a deadline, or by how much it was missed.
pub(super) fn left(deadline: &Deadline, language: Language) -> String {
    match deadline.left_seconds() {
        left if left < 0 => format!("{} {}", language.pick("quá", "over by"), length(-left, language)),
        left => length(left, language),
    }
}

fn sum(snapshot: &Snapshot, clock: &Clock, language: Language) -> Sum {
    let lines = Reckoned::ALL.into_iter().filter(|one| clock.seconds.of(*one) > 0);
    let piece = |piece: &crate::uptime::ReckonedPiece| {
        let seconds = piece.until.as_second() - piece.from.as_second();
        let exact = |at| snapshot.local().exact(at);
        (exact(piece.from), exact(piece.until), length(seconds, language), piece.counts_as.text(language))
    };
    let left_out = clock.pieces.len().saturating_sub(PIECES);
    Sum {
        id: clock.level.as_str().to_owned(),
        level: clock.level.text(language),
        lines: lines
            .map(|one| (one.text(language), length(clock.seconds.of(one), language), one == Reckoned::Counted))
            .collect(),
        total: length(clock.seconds.total(), language),
        pieces: clock.pieces[left_out..].iter().map(piece).collect(),
        left_out,
    }
}

/// The deadline of an incident that is to be looked at first: what is to be done, what is left of it, and its class.
pub(in crate::web) fn at_a_glance(
    clocks: &[Clock],
    language: Language,
) -> Option<(&'static str, String, &'static str)> {
    nearest(clocks).map(|(_, duty, deadline)| (duty.text(language), left(deadline, language), class(deadline)))
}

/// Of all deadlines of an incident the one that is to be looked at first: what was missed longest ago, then what ends next,
/// in terms of what is left of it.
pub(super) fn nearest(clocks: &[Clock]) -> Option<(&Clock, Duty, &Deadline)> {
    let all = clocks.iter().flat_map(|clock| clock.deadlines().map(move |(duty, deadline)| (clock, duty, deadline)));
    let open = all.filter(|(.., deadline)| matches!(deadline.stands, Stand::Running | Stand::Paused | Stand::Missed));
    open.min_by_key(|(.., deadline)| (deadline.stands != Stand::Missed, deadline.left_seconds()))
}
