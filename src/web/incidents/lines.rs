//! A timeline as the rows of a table: when, what, who, over what and why, and who did not answer.

use super::sources::Names;
use crate::{
    model::{Happening, Language, PersonId, Snapshot, Timeline, TimelineLine},
    web::{page::moment, words::words},
};
use std::collections::BTreeSet;

/// Rows that a page shows; of more, the first and the last.
const ROWS: usize = 400;

/// One row.
pub(in crate::web) struct Line {
    /// By which the row is known while others come.
    pub(in crate::web) id: String,
    pub(in crate::web) at: String,
    pub(in crate::web) what: &'static str,
    /// How it is coloured.
    pub(in crate::web) class: &'static str,
    pub(in crate::web) who: String,
    pub(in crate::web) over: String,
    pub(in crate::web) why: String,
    /// Names of those who did not answer, and of those who were not reached.
    pub(in crate::web) silent: String,
    pub(in crate::web) unreached: String,
}

/// A timeline's table.
pub(in crate::web) struct Lines {
    pub(in crate::web) lines: Vec<Line>,
    /// How many stand between the first and the last of these, and are not shown.
    pub(in crate::web) left_out: usize,
    /// All who did not answer within some step.
    pub(in crate::web) silent: String,
    /// Whether people are named.
    pub(in crate::web) named: bool,
}

/// The rows of a timeline, with people called as they are; without them where they are not to be named.
pub(in crate::web) fn lines(
    snapshot: &Snapshot,
    timeline: &Timeline,
    names: Option<&Names>,
    language: Language,
) -> Lines {
    let hidden = names.is_none().then(|| timeline.clone().without_names());
    let timeline = hidden.as_ref().unwrap_or(timeline);
    let called = |person: &PersonId| names.map_or_else(String::new, |name| name(person));
    let all = |people: &BTreeSet<PersonId>| people.iter().map(called).collect::<Vec<_>>().join(", ");
    let count = timeline.lines.len();
    let (first, last) = if count > ROWS { (ROWS / 2, count - ROWS / 2) } else { (count, count) };
    let shown = timeline.lines.iter().enumerate().filter(|(place, _)| *place < first || *place >= last);
    let line = |(place, line): (usize, &TimelineLine)| {
        let entry = &line.entry;
        let level = entry.level.map(|level| level.text(language).to_owned());
        let until = entry.until.map(|until| format!("{} {}", words(language).until, moment(until, snapshot).text));
        let detail = Some(entry.detail.text(language)).filter(|detail| !detail.is_empty());
        let why: Vec<String> = [level, detail, until].into_iter().flatten().collect();
        Line {
            id: format!("entry-{place}"),
            at: snapshot.local().exact(entry.at),
            what: entry.what.text(language),
            class: class(entry.what),
            who: entry.person.as_ref().map_or_else(String::new, called),
            over: entry.channel.as_ref().map_or_else(String::new, ToString::to_string),
            why: why.join("; "),
            silent: all(&line.silent),
            unreached: all(&line.unreached),
        }
    };
    Lines {
        lines: shown.map(line).collect(),
        left_out: last - first,
        silent: timeline.silent().into_iter().map(called).collect::<Vec<_>>().join(", "),
        named: names.is_some(),
    }
}

fn class(what: Happening) -> &'static str {
    match what {
        Happening::Opened | Happening::Worse | Happening::Escalated | Happening::AckExpired | Happening::Overdue => {
            "bad"
        }
        Happening::Failed | Happening::Abandoned => "fair",
        Happening::TakenOn | Happening::Responded | Happening::Ended | Happening::Heard | Happening::Delivered => {
            "good"
        }
        Happening::KeptBack | Happening::Released | Happening::RootFound | Happening::Merged => "news",
        Happening::Queued | Happening::Sent | Happening::Moved | Happening::Superseded | Happening::Needless => "quiet",
    }
}
