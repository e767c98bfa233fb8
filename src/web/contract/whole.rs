//! The page of what is open under the contract: the contractor's list of work, what is overdue first.

use super::{
    class,
    part::{left, nearest},
    stands,
};
use crate::{
    model::{Duty, Incident, Language, Snapshot},
    uptime::{Clock, Clocks, Deadline, Month, Stand},
    web::{
        page::{Moment, moment},
        words::{Words, words},
    },
};
use askama::Template;

/// Incidents that the page shows.
const ROWS: usize = 200;

#[derive(Template)]
#[template(path = "contract.html")]
struct Page<'a> {
    words: &'static Words,
    contractor: Option<&'a str>,
    /// When it was worked out.
    at: Moment,
    month: String,
    overdue: usize,
    open: usize,
    rows: Vec<Row>,
    more: usize,
}

struct Row {
    number: u32,
    place: String,
    /// How it stands, and its level's class.
    level: String,
    level_class: &'static str,
    since: Moment,
    respond: Option<Cell>,
    repair: Option<Cell>,
    responded: Option<String>,
    taken_on: Option<String>,
}

/// A deadline.
struct Cell {
    left: String,
    stands: String,
    class: &'static str,
}

/// The page's content.
pub(in crate::web) fn main(
    snapshot: &Snapshot,
    (clocks, bound): (&Clocks, bool),
    language: Language,
) -> askama::Result<String> {
    let open = snapshot.incidents.iter().filter(|incident| incident.closed.is_none());
    let mut under: Vec<(&Incident, &[Clock])> =
        open.map(|one| (&**one, clocks.of_seen(one, bound))).filter(|(_, clocks)| !clocks.is_empty()).collect();
    // What is overdue comes first, then what ends next; what was kept, or is not to be done, comes last.
    let urgency = |clocks: &[Clock]| {
        nearest(clocks).map_or((2, i64::MAX), |(_, _, deadline)| {
            (u8::from(deadline.stands != Stand::Missed), deadline.left_seconds())
        })
    };
    under.sort_by_key(|(incident, clocks)| (urgency(clocks), incident.number));
    let is_overdue = |clocks: &[Clock]| nearest(clocks).is_some_and(|(.., deadline)| deadline.stands == Stand::Missed);
    let page = Page {
        words: words(language),
        contractor: clocks.contractor.as_deref(),
        at: moment(clocks.at, snapshot),
        month: Month::of(snapshot.at, &snapshot.fleet.commune.timezone).to_string(),
        overdue: under.iter().filter(|(_, clocks)| is_overdue(clocks)).count(),
        open: under.len(),
        rows: under.iter().take(ROWS).map(|(incident, clocks)| row(snapshot, incident, clocks, language)).collect(),
        more: under.len().saturating_sub(ROWS),
    };
    page.render()
}

fn row(snapshot: &Snapshot, incident: &Incident, clocks: &[Clock], language: Language) -> Row {
    let course = snapshot.course(incident);
    Row {
        number: incident.number,
        place: snapshot.place(&incident.cause),
        level: snapshot.course_text(course, language),
        level_class: course.level().as_str(),
        since: moment(incident.opened, snapshot),
        respond: cell(snapshot, clocks, Duty::Respond, language),
        repair: cell(snapshot, clocks, Duty::Repair, language),
        responded: incident.responded.as_ref().map(|ack| ack.by.clone()),
        taken_on: incident.ack.as_ref().map(|ack| ack.by.clone()),
    }
}

/// Of one thing that is to be done the deadline that is to be looked at first.
fn cell(snapshot: &Snapshot, clocks: &[Clock], duty: Duty, language: Language) -> Option<Cell> {
    let of_duty = |clock: &'_ Clock| clock.deadlines().find(|(one, _)| *one == duty).map(|(_, deadline)| *deadline);
    let all = clocks.iter().filter_map(|clock| Some((clock, of_duty(clock)?)));
    let rank = |deadline: &Deadline| match deadline.stands {
        Stand::Missed => 0,
        Stand::Running => 1,
        Stand::Paused => 2,
        Stand::Kept | Stand::Merged => 3,
    };
    let (clock, deadline) = all.min_by_key(|(_, deadline)| (rank(deadline), deadline.left_seconds()))?;
    let over = matches!(deadline.stands, Stand::Kept | Stand::Merged);
    Some(Cell {
        left: if over { String::new() } else { left(&deadline, language) },
        stands: stands(snapshot, clock, &deadline, language),
        class: class(&deadline),
    })
}
