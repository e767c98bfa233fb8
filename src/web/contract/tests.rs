//! What people are shown of the contract, in both languages.

use super::{main, part, part::at_a_glance};
use crate::{
    model::{Ack, Language, Level, Snapshot, State},
    uptime::{Clock, Clocks, Deadline, IncidentClocks, Reckoned, ReckonedPiece, Reckoning, Stand},
    web::router::tests::snapshot,
};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;

fn deadline(stands: Stand, used_seconds: i64, at: Option<Timestamp>) -> Option<Deadline> {
    Some(Deadline { allowed_seconds: 4 * 3600, used_seconds, stands, at })
}

/// One that ran for an hour, and stands still by others' fault.
fn clock(snapshot: &Snapshot) -> Clock {
    let before = |minutes: i64| snapshot.at - SignedDuration::from_mins(minutes);
    let piece = |from, until, counts_as| ReckonedPiece { from: before(from), until: before(until), counts_as };
    Clock {
        level: Level::Blind,
        hours: None,
        respond: deadline(Stand::Missed, 5 * 3600, Some(before(30))),
        repair: deadline(Stand::Paused, 3600, None),
        seconds: Reckoning { counted: 3600, others: 1800, ..Reckoning::default() },
        pieces: vec![piece(90, 30, Reckoned::Counted), piece(30, 0, Reckoned::Others)],
    }
}

fn clocks(snapshot: &Snapshot, clocks: Vec<Clock>) -> Clocks {
    let id = snapshot.incidents[0].id.clone();
    let of = [(id, IncidentClocks { sites: snapshot.incidents[0].sites.len(), clocks })].into();
    Clocks { at: snapshot.at, contractor: Some("<b>Ánh Sáng".into()), of }
}

#[test]
fn the_contractors_page_says_what_is_left_what_stops_it_and_who_answered() {
    let whole = snapshot(State::Down, 0);
    let known = clocks(&whole, vec![clock(&whole)]);
    let page = main(&whole, (&known, false), Language::Vi).expect("it is rendered");
    for part in [
        "&#60;b&#62;Ánh Sáng",
        "#17 · cho",
        "3 giờ",
        "tạm dừng: do đường truyền hoặc điện của bên khác",
        "quá 1 giờ",
        "✗ quá hạn từ",
        "<b class=\"bad\">1</b> sự cố quá hạn",
        "chưa ai nhận",
    ] {
        assert!(page.contains(part), "{part} is missing in {page}");
    }
    let page = main(&whole, (&known, false), Language::En).expect("it is rendered");
    assert!(
        page.contains("paused: others' lines or power") || page.contains("paused: others&#39; lines or power"),
        "{page}"
    );
    // Whoever sees a part of an incident is told nothing of how the rest stood.
    let mut part = (*whole).clone();
    let mut seen = (*part.incidents[0]).clone();
    seen.sites.clear();
    part.incidents = Arc::new(vec![Arc::new(seen)]);
    let page = main(&part, (&known, true), Language::Vi).expect("it is rendered");
    assert!(!page.contains("#17") && page.contains("Không có sự cố nào"), "{page}");
    let page =
        main(&whole, (&Clocks { at: whole.at, ..Clocks::default() }, false), Language::Vi).expect("it is rendered");
    assert!(page.contains("[contract]") && !page.contains("<table"), "{page}");
}

#[test]
fn an_incidents_part_accounts_for_each_second() {
    let whole = snapshot(State::Down, 0);
    let (clock, incident) = (clock(&whole), &whole.incidents[0]);
    let shown = part(&whole, incident, std::slice::from_ref(&clock), Some("Ánh Sáng"), Language::Vi).expect("a part");
    assert!(shown.waits && shown.responded.is_none());
    let rows: Vec<_> = shown.rows.iter().map(|row| (row.duty, &*row.used, &*row.left, row.class)).collect();
    assert_eq!(rows, [("tiếp nhận", "5 giờ", "quá 1 giờ", "bad"), ("khắc phục", "1 giờ", "3 giờ", "quiet")]);
    let sum = &shown.sums[0];
    assert_eq!(sum.lines.len(), 2);
    assert_eq!((sum.total.as_str(), sum.pieces.len(), sum.left_out), ("1 giờ 30 phút", 2, 0));
    // A year of a site that comes and goes has a page with an end.
    let long = Clock { pieces: vec![clock.pieces[0]; 5000], ..clock.clone() };
    let shown = part(&whole, incident, &[long], Some("Ánh Sáng"), Language::Vi).expect("a part");
    assert_eq!((shown.sums[0].pieces.len(), shown.sums[0].left_out), (100, 4900));

    let mut answered = (**incident).clone();
    answered.responded = Some(Ack { by: "Hưng".into(), via: "page".into(), at: whole.at });
    let shown = part(&whole, &answered, &[clock], Some("Ánh Sáng"), Language::En).expect("a part");
    assert!(!shown.waits && shown.responded.is_some_and(|(by, _)| by == "Hưng"));
    assert!(part(&whole, incident, &[], Some("Ánh Sáng"), Language::Vi).is_none(), "it is under no term");
}

#[test]
fn a_list_shows_the_deadline_that_is_to_be_looked_at_first() {
    let whole = snapshot(State::Down, 0);
    let late = clock(&whole);
    assert_eq!(
        at_a_glance(std::slice::from_ref(&late), Language::En),
        Some(("response", "over by 1 h".to_owned(), "bad"))
    );
    let soon = Some(whole.at + SignedDuration::from_mins(20));
    let running = Clock {
        respond: deadline(Stand::Kept, 60, Some(whole.at)),
        repair: deadline(Stand::Running, 4 * 3600 - 1200, soon),
        ..late
    };
    assert_eq!(at_a_glance(&[running], Language::Vi), Some(("khắc phục", "20 phút".to_owned(), "fair")));
    assert_eq!(at_a_glance(&[], Language::Vi), None);
}
