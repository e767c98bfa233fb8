//! The contract's part of a report: how many terms were kept and missed, and each incident under them.

use super::{
    figures::{length, percent},
    words::words,
};
use crate::{
    model::{Language, Local},
    uptime::{Deadline, Kept, Reckoned, Report, Stand, TermLine, Terms},
};

/// Lines on the page of a large fleet, what was missed first.
const LINES: usize = 60;

/// The part of the page.
pub(super) struct Contract {
    pub(super) contractor: String,
    /// What was to be done, and how often it was.
    pub(super) figures: Vec<(&'static str, String)>,
    pub(super) rows: Vec<Row>,
    pub(super) more: usize,
}

/// An incident under one term.
pub(super) struct Row {
    pub(super) number: u32,
    pub(super) place: String,
    pub(super) level: &'static str,
    pub(super) class: &'static str,
    pub(super) opened: String,
    pub(super) answered: String,
    /// How it stands, and its class.
    pub(super) respond: (String, &'static str),
    pub(super) repair: (String, &'static str),
    pub(super) counted: String,
    pub(super) not_counted: String,
}

/// What is shown of the terms; of a large fleet's what was missed, and the first of the others.
pub(super) fn contract(terms: &Terms, report: &Report, language: Language, whole: bool) -> Contract {
    let words = words(language);
    let most = if whole { terms.lines.len() } else { LINES };
    Contract {
        contractor: terms.contractor.clone(),
        figures: vec![
            (words.response, figure(&terms.respond, language)),
            (words.repair, figure(&terms.repair, language)),
        ],
        rows: terms.lines.iter().take(most).map(|line| row(line, report, language)).collect(),
        more: terms.lines.len().saturating_sub(most),
    }
}

/// How many were kept, missed, and are not decided.
pub fn figure(kept: &Kept, language: Language) -> String {
    let words = words(language);
    let mut text = format!("{} {}, {} {}", kept.kept, words.kept, kept.missed, words.missed);
    if kept.open > 0 {
        text += &format!(", {} {}", kept.open, words.not_decided);
    }
    match kept.share() {
        Some(share) => format!("{} ({text})", percent(Some(share), language)),
        None => text,
    }
}

fn row(line: &TermLine, report: &Report, language: Language) -> Row {
    let local = Local::new(&report.zone, report.until);
    Row {
        number: line.number,
        place: line.place.clone(),
        level: line.level.text(language),
        class: line.level.as_str(),
        opened: local.full(line.opened),
        answered: match (&line.responded_by, line.responded) {
            (Some(by), Some(at)) => format!("{by}, {}", local.short(at)),
            _ => "–".to_owned(),
        },
        respond: stands(line.respond.as_ref(), language),
        repair: stands(line.repair.as_ref(), language),
        counted: length(line.seconds.counted, language),
        not_counted: not_counted(line, language),
    }
}

/// What was used of what was agreed, with a sign.
fn stands(deadline: Option<&Deadline>, language: Language) -> (String, &'static str) {
    let Some(deadline) = deadline else { return ("–".to_owned(), "") };
    let class = match deadline.stands {
        Stand::Kept => "pass",
        Stand::Missed => "fail",
        Stand::Running | Stand::Paused | Stand::Merged => "thin",
    };
    let (used, allowed) = (length(deadline.used_seconds, language), length(deadline.allowed_seconds, language));
    (format!("{}: {used} / {allowed}", deadline.stands.text(language)), class)
}

/// All that did not count, each with its length, the longest first.
pub(super) fn not_counted(line: &TermLine, language: Language) -> String {
    let others = Reckoned::ALL.into_iter().filter(|one| *one != Reckoned::Counted);
    let mut others: Vec<(i64, &str)> =
        others.map(|one| (line.seconds.of(one), one.text(language))).filter(|(seconds, _)| *seconds > 0).collect();
    if line.earlier_seconds > 0 {
        others.push((line.earlier_seconds, language.pick("trước kỳ số liệu", "before what a report reads")));
    }
    others.sort_by_key(|(seconds, _)| std::cmp::Reverse(*seconds));
    let each = others.into_iter().map(|(seconds, what)| format!("{} {what}", length(seconds, language)));
    each.collect::<Vec<_>>().join("; ")
}
