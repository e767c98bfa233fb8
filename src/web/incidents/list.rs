//! The list of incidents, open and past, the newest first.

use super::search::{ROWS, Search, causes};
use crate::{
    model::{Cause, Found, Incident, Language, Level, SiteId, Snapshot, Sought},
    uptime::{Clock, Clocks},
    web::{
        contract,
        incident::cause_text,
        page::{Moment, moment},
        words::{Words, words},
    },
};
use askama::Template;

#[derive(Template)]
#[template(path = "incidents.html")]
struct Page<'a> {
    words: &'static Words,
    at: Moment,
    search: &'a Search,
    /// What the site is called to which the list is bound, and the list without that.
    site: Option<(String, String)>,
    levels: Vec<Choice>,
    causes: Vec<Choice>,
    rows: Vec<Row>,
    /// Whether there is a contract, whose deadlines are shown.
    contract: bool,
    /// Whether it is what the snapshot has, since the journal cannot be read.
    lately: bool,
    newest: Option<String>,
    older: Option<String>,
}

/// A value, its words, and whether it is chosen.
type Choice = (&'static str, &'static str, bool);

struct Row {
    number: u32,
    place: String,
    level: &'static str,
    word: String,
    worst: &'static str,
    cause: &'static str,
    since: Moment,
    taken_on: Result<String, &'static str>,
    closed: String,
    /// The deadline that is to be looked at first: what is to be done, what is left, and its class.
    deadline: Option<(&'static str, String, &'static str)>,
}

/// The page's content; `found` is what was read of the journal, and `sought` what it was to be.
pub(in crate::web) fn main(
    snapshot: &Snapshot,
    found: Option<&Found>,
    (search, sought): (&Search, &Sought),
    (clocks, bound): (&Clocks, bool),
    language: Language,
) -> askama::Result<String> {
    let words = words(language);
    let row = |incident: &Incident| row(snapshot, incident, clocks.of_seen(incident, bound), language);
    let (rows, older): (Vec<Row>, Option<u32>) = match found {
        Some(found) => {
            // What is open is shown as it is now, and not as it was written.
            let now = |read: &Incident| snapshot.incident(read.id.as_str()).map_or_else(|| row(read), |now| row(now));
            (found.incidents.iter().map(now).collect(), found.older)
        }
        None => {
            (snapshot.incidents.iter().filter(|one| sought.takes(one)).take(ROWS).map(|one| row(one)).collect(), None)
        }
    };
    let to = |before: Option<u32>| Search { before, ..search.clone() }.address(language);
    let site = (!search.site.is_empty()).then(|| {
        let name = snapshot.place(&Cause::Site(SiteId::from(search.site.as_str())));
        (name, Search { site: String::new(), before: None, ..search.clone() }.address(language))
    });
    let chosen = search.cause;
    Page {
        words,
        at: moment(snapshot.at, snapshot),
        search,
        site,
        levels: [Level::Blind, Level::Critical, Level::Reduced, Level::Unknown]
            .map(|level| (level.as_str(), level.text(language), search.level == Some(level)))
            .into(),
        causes: causes()
            .iter()
            .map(|cause| (cause.kind(), cause_text(cause, language), chosen == Some(cause.kind())))
            .collect(),
        rows,
        contract: clocks.contractor.is_some(),
        lately: found.is_none(),
        newest: search.before.is_some().then(|| to(None)),
        older: older.map(|older| to(Some(older))),
    }
    .render()
}

fn row(snapshot: &Snapshot, incident: &Incident, clocks: &[Clock], language: Language) -> Row {
    let (course, words) = (snapshot.course(incident), words(language));
    let ack = incident.ack.as_ref().or(incident.lapsed.as_ref().map(|lapsed| &lapsed.last));
    Row {
        number: incident.number,
        place: snapshot.place(&incident.cause),
        level: course.level().as_str(),
        word: snapshot.course_text(course, language),
        worst: if incident.is_drill() { "–" } else { incident.told.text(language) },
        cause: cause_text(&incident.cause, language),
        since: moment(incident.since, snapshot),
        taken_on: ack.map(|ack| ack.by.clone()).ok_or(match incident.closed {
            Some(_) => words.nobody,
            None => words.nobody_yet,
        }),
        closed: incident.closed.map_or_else(String::new, |at| moment(at, snapshot).text),
        deadline: (incident.closed.is_none()).then(|| contract::at_a_glance(clocks, language)).flatten(),
    }
}
