//! What a timeline shows: each entry once, in order, and those who did not answer by name.

use super::*;
use crate::model::{Ack, Cause, ChannelId, Detail, Lapsed, Level};
use proptest::prelude::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + second).expect("a time in this century")
}

fn incident() -> Incident {
    Incident { number: 42, ..Incident::new(Cause::Site("cho".into()), at(0), Level::Blind) }
}

fn entry(second: i64, what: Happening, person: Option<&str>) -> Happened {
    Happened { person: person.map(Into::into), ..Happened::to(&incident(), what, at(second)) }
}

/// Lines as `second what person: silent / unreached`.
fn words(timeline: &Timeline) -> Vec<String> {
    let names = |people: &BTreeSet<PersonId>| people.iter().map(PersonId::as_str).collect::<Vec<_>>().join("+");
    let word = |line: &TimelineLine| {
        let second = line.entry.at.as_second() - at(0).as_second();
        let person = line.entry.person.as_ref().map_or(String::new(), |person| format!(" {person}"));
        let silent = match (line.silent.is_empty(), line.unreached.is_empty()) {
            (true, true) => String::new(),
            _ => format!(": {} / {}", names(&line.silent), names(&line.unreached)),
        };
        format!("{second} {}{person}{silent}", line.entry.what.as_str())
    };
    timeline.lines.iter().map(word).collect()
}

#[test]
fn who_was_told_and_did_not_take_it_on_within_the_step_is_named() {
    use Happening::{AckExpired, Delivered, Ended, Escalated, Failed, Heard, Opened, Queued, Sent, TakenOn};
    /// What it is about, what happened, and the lines.
    type Case = (&'static str, &'static [(i64, Happening, Option<&'static str>)], &'static [&'static str]);
    #[rustfmt::skip]
    let cases: [Case; 6] = [
        ("each step names all who were told before it", &[
            (0, Opened, None), (0, Queued, Some("an")), (0, Queued, None), (1, Sent, None), (2, Sent, Some("an")),
            (300, Escalated, None), (300, Queued, Some("binh")), (301, Sent, Some("binh")),
            (900, Escalated, None),
        ], &[
            "0 opened", "0 queued an", "0 queued", "1 sent", "2 sent an",
            "300 escalated: an / ", "300 queued binh", "301 sent binh",
            "900 escalated: an+binh / ",
        ]),
        ("who was not reached is told apart", &[
            (0, Opened, None), (0, Queued, Some("an")), (0, Queued, Some("dung")), (1, Failed, Some("an")),
            (2, Delivered, Some("dung")), (300, Escalated, None),
        ], &[
            "0 opened", "0 queued an", "0 queued dung", "1 failed an", "2 delivered dung", "300 escalated: dung / an",
        ]),
        ("who answered a call is not silent", &[
            (0, Opened, None), (0, Queued, Some("an")), (1, Sent, Some("an")), (2, Heard, Some("an")),
            (3, Sent, Some("dung")), (300, Escalated, None),
        ], &["0 opened", "0 queued an", "1 sent an", "2 heard an", "3 sent dung", "300 escalated: dung / "]),
        ("who is told at the step itself is not silent by it", &[
            (0, Opened, None), (300, Escalated, None), (300, Queued, Some("an")), (300, Sent, Some("an")),
        ], &["0 opened", "300 escalated", "300 queued an", "300 sent an"]),
        ("a round begins anew", &[
            (0, Opened, None), (0, Queued, Some("an")), (1, Sent, Some("an")), (60, TakenOn, None),
            (900, AckExpired, None), (900, Queued, Some("binh")), (901, Sent, Some("binh")), (1200, Escalated, None),
        ], &[
            "0 opened", "0 queued an", "1 sent an", "60 taken_on", "900 ack_expired", "900 queued binh", "901 sent binh",
            "1200 escalated: binh / ",
        ]),
        ("what ends at the moment at which it opens ends after it", &[(0, Ended, None), (0, Opened, None)],
            &["0 opened", "0 ended"]),
    ];
    for (what, entries, expected) in cases {
        let entries = entries.iter().map(|(second, what, person)| entry(*second, *what, *person)).collect();
        assert_eq!(words(&Timeline::of(&incident(), entries)), expected, "{what}");
    }
}

#[test]
fn what_an_earlier_version_did_not_note_is_told_from_the_incident() {
    let ack = |second| Ack { by: "An".into(), via: "zalo".into(), at: at(second) };
    let old = Incident {
        ack: Some(ack(900)),
        lapsed: Some(Lapsed { count: 1, last: ack(60), ran_out: None }),
        closed: Some(at(1000)),
        ..incident()
    };
    let told = Timeline::of(&old, Vec::new());
    assert_eq!(words(&told), ["0 opened", "60 taken_on", "900 taken_on", "1000 ended"]);
    let noted = told.lines.iter().map(|line| line.entry.clone()).collect();
    assert_eq!(Timeline::of(&old, noted), told, "and not twice");
}

fn entries() -> impl Strategy<Value = Vec<Happened>> {
    let person = prop::option::of(prop::sample::select(vec!["an", "binh", "chi", "dung"]));
    let one = (0..2000i64, prop::sample::select(Happening::ALL.to_vec()), person);
    prop::collection::vec(one, 0..40).prop_map(|mut all| {
        all.sort_by_key(|(second, ..)| *second);
        all.into_iter()
            .map(|(second, what, person)| {
                let person = person.filter(|_| what.is_of_a_message());
                let channel: Option<ChannelId> = what.is_of_a_message().then(|| "zalo".into());
                Happened { channel, ..entry(second, what, person) }.saying(&Detail::plain("vì sao"))
            })
            .collect()
    })
}

proptest! {
    #[test]
    fn each_entry_is_shown_once_and_in_order(entries in entries()) {
        let timeline = Timeline::of(&incident(), entries.clone());
        prop_assert!(timeline.lines.is_sorted_by_key(|line| line.entry.at));
        let opens = usize::from(!entries.iter().any(|entry| entry.what == Happening::Opened));
        prop_assert_eq!(timeline.lines.len(), entries.len() + opens);
        for entry in &entries {
            let times = |all: &[&Happened]| all.iter().filter(|other| **other == entry).count();
            let shown: Vec<&Happened> = timeline.lines.iter().map(|line| &line.entry).collect();
            prop_assert_eq!(times(&shown), times(&entries.iter().collect::<Vec<_>>()));
        }
    }

    /// Recounted backwards from each step.
    #[test]
    fn the_silent_are_those_who_were_told_in_this_round(entries in entries()) {
        let timeline = Timeline::of(&incident(), entries);
        for (place, line) in timeline.lines.iter().enumerate() {
            let round = timeline.lines[..place].iter().rev().map(|line| &line.entry);
            let round = round.take_while(|entry| !matches!(entry.what, Happening::TakenOn | Happening::AckExpired));
            let round: Vec<&Happened> = round.collect();
            let people = |counts: fn(Happening) -> bool| -> BTreeSet<PersonId> {
                round.iter().filter(|entry| counts(entry.what)).filter_map(|entry| entry.person.clone()).collect()
            };
            let reached = people(Happening::reaches);
            let unreached = people(|what| what == Happening::Queued).difference(&reached).cloned().collect();
            let heard = people(|what| what == Happening::Heard);
            let expected = match line.entry.what {
                Happening::Escalated => (reached.difference(&heard).cloned().collect(), unreached),
                _ => Default::default(),
            };
            prop_assert_eq!((&line.silent, &line.unreached), (&expected.0, &expected.1));
        }
    }

    #[test]
    fn without_names_nobody_is_named(entries in entries()) {
        let whole = Timeline::of(&incident(), entries);
        let shown = whole.clone().without_names();
        let times = |timeline: &Timeline| -> Vec<_> {
            timeline.lines.iter().map(|line| (line.entry.at, line.entry.what)).collect()
        };
        prop_assert_eq!(times(&whole), times(&shown));
        prop_assert!(shown.silent().is_empty());
        for line in &shown.lines {
            prop_assert_eq!((&line.entry.person, &line.entry.channel), (&None, &None));
            prop_assert!(!line.entry.what.is_of_a_message() || line.entry.detail.is_empty());
            prop_assert!(line.unreached.is_empty());
        }
    }
}

/// The clock is finer than what the journal keeps.
#[test]
fn what_is_known_twice_is_shown_once() {
    let taken = at(60) + jiff::SignedDuration::from_nanos(683_024);
    let ack = Ack { by: "An".into(), via: "page".into(), at: taken };
    let ended = at(90) + jiff::SignedDuration::from_nanos(1);
    let incident = Incident { ack: Some(ack), closed: Some(ended), ..incident() };
    let entries = [Happening::Opened, Happening::TakenOn, Happening::Ended];
    let entries = entries.into_iter().zip([0, 60, 90]).map(|(what, second)| entry(second, what, None)).collect();
    assert_eq!(words(&Timeline::of(&incident, entries)), ["0 opened", "60 taken_on", "90 ended"]);
}
