//! Shifts of a span, made up: they have no holes, say who is on call, and gaps are found before they come.

use super::*;
use crate::alert::{Override, Person, roster};
use crate::model::local::hour;
use jiff::civil::{date, time};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn zone() -> TimeZone {
    TimeZone::fixed(jiff::tz::offset(7))
}

fn at(local: &str) -> Timestamp {
    format!("{local}+07:00").parse().expect("a time")
}

fn settings(handovers: &[i8], notice: u64) -> Settings {
    let people = ["an", "binh", "chi"];
    let person = |name: &str| Person { name: name.to_uppercase(), channels: vec![name.into()], calls: vec![] };
    Settings {
        people: people.iter().map(|name| ((*name).into(), person(name))).collect(),
        rotations: vec![Rotation {
            id: "truc".into(),
            people: people.iter().map(|name| (*name).into()).collect(),
            start: date(2026, 11, 2),
            handovers: handovers.iter().map(|hour| time(*hour, 0, 0, 0)).collect(),
            days: 1,
            handover_notice: Duration::from_secs(notice),
        }],
        ..Settings::default()
    }
}

fn instead(person: Option<&str>, from: &str, until: &str) -> Override {
    let person = person.map(Into::into);
    Override { rotation: None, person, from: at(from), until: at(until), reason: "phép".into() }
}

fn shown(turns: &[Turn]) -> Vec<String> {
    let one = |turn: &Turn| {
        let (shift, mark) = (&turn.shift, if turn.shift.stands_in { "*" } else { "" });
        let gap = turn.gap.map(|gap| format!(" {}", gap.as_str())).unwrap_or_default();
        let local = shift.from.to_zoned_datetime(zone());
        format!("{}{mark} {:02} {}{gap}", shift.person, local.day(), hour(local.time()))
    };
    turns.iter().map(one).collect()
}

#[test]
fn a_shift_without_anybody_is_a_gap_until_somebody_stands_in() {
    let mut settings = settings(&[7], 0);
    let (from, until) = (at("2026-11-02T08:00:00"), at("2026-11-06T08:00:00"));
    assert_eq!(gaps(&settings, from, until, &zone()), []);
    settings.overrides.push(instead(None, "2026-11-03T07:00:00", "2026-11-04T07:00:00"));
    // Whoever has the turn is told all the same: that is better than nobody.
    assert_eq!(shown(&gaps(&settings, from, until, &zone())), ["binh 03 07:00 open"]);
    settings.overrides.push(instead(Some("an"), "2026-11-03T07:00:00", "2026-11-03T19:00:00"));
    assert_eq!(shown(&gaps(&settings, from, until, &zone())), ["binh 03 19:00 open"]);
    let all = turns(&settings, from, until, &zone());
    assert_eq!(
        shown(&all),
        ["an 02 08:00", "an* 03 07:00", "binh 03 19:00 open", "chi 04 07:00", "an 05 07:00", "binh 06 07:00"]
    );
}

#[test]
fn whoever_is_gone_or_cannot_be_reached_leaves_a_gap() {
    let mut settings = settings(&[7], 0);
    settings.people.remove("binh");
    settings.people.get_mut("chi").expect("she is there").channels.clear();
    let found = gaps(&settings, at("2026-11-02T08:00:00"), at("2026-11-05T07:00:00"), &zone());
    assert_eq!(shown(&found), ["binh 03 07:00 gone", "chi 04 07:00 unreachable"]);
    settings.rotations[0].people.clear();
    let found = gaps(&settings, at("2026-11-02T08:00:00"), at("2026-11-05T07:00:00"), &zone());
    assert_eq!(shown(&found), [" 02 08:00 nobody"]);
}

#[test]
fn who_takes_over_is_told_before_and_who_goes_on_is_not() {
    let mut settings = settings(&[7], 1800);
    settings.overrides.push(instead(Some("an"), "2026-11-03T07:00:00", "2026-11-04T07:00:00"));
    let (from, until) = (at("2026-11-02T08:00:00"), at("2026-11-06T00:00:00"));
    let found = handovers(&settings, from, until, &zone());
    let shown: Vec<String> = found.iter().map(|one| format!("{} {}", one.shift.person, one.due)).collect();
    // Of the third An is on call as a stand-in: he goes on.
    assert_eq!(shown, ["chi 2026-11-03T23:30:00Z", "an 2026-11-04T23:30:00Z"]);
    settings.rotations[0].handover_notice = Duration::ZERO;
    assert_eq!(handovers(&settings, from, until, &zone()), []);
}

fn overrides() -> impl Strategy<Value = Vec<Override>> {
    let one = (prop::option::of(0..3usize), 0i64..400, 1i64..100).prop_map(|(who, from, hours)| {
        let begins = at("2026-11-01T00:00:00");
        let hour = |hours: i64| begins + jiff::Span::new().hours(hours);
        let person = who.map(|who| ["an", "binh", "chi"][who].into());
        Override { rotation: None, person, from: hour(from), until: hour(from + hours), reason: "x".into() }
    });
    prop::collection::vec(one, 0..6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Shifts follow each other without a hole from the beginning of a span to its end, neighbours differ, and at any time
    /// the shift's person is who is on call.
    #[test]
    fn shifts_fill_a_span_and_say_who_is_on_call(
        hours in prop::collection::btree_set(0i8..24, 1..4),
        overrides in overrides(),
        begins in 0i64..300,
        length in 1i64..400,
        asked in 0i64..400,
    ) {
        let mut settings = settings(&hours.into_iter().collect::<Vec<_>>(), 600);
        settings.overrides = overrides;
        let from = at("2026-11-01T00:00:00") + jiff::Span::new().hours(begins);
        let until = from + jiff::Span::new().hours(length);
        let turns = turns(&settings, from, until, &zone());
        prop_assert_eq!(turns.first().map(|turn| turn.shift.from), Some(from));
        prop_assert_eq!(turns.last().map(|turn| turn.shift.until), Some(until));
        for (one, next) in turns.iter().zip(turns.iter().skip(1)) {
            prop_assert_eq!(one.shift.until, next.shift.from);
            prop_assert!(one.shift.person != next.shift.person
                || one.shift.stands_in != next.shift.stands_in
                || one.gap != next.gap);
        }
        let time = from + jiff::Span::new().minutes(asked * length * 60 / 400);
        let turn = turns.iter().find(|turn| turn.shift.from <= time && time < turn.shift.until);
        let person = roster::on_call(&settings, &settings.rotations[0], time, &zone());
        prop_assert_eq!(turn.map(|turn| &turn.shift.person), person);
        // Whoever is told that they take over does so.
        let known: BTreeMap<Timestamp, &PersonId> =
            turns.iter().map(|turn| (turn.shift.from, &turn.shift.person)).collect();
        for handover in handovers(&settings, from, until, &zone()) {
            prop_assert_eq!(known.get(&handover.shift.from), Some(&&handover.shift.person));
            prop_assert!(handover.due < handover.shift.from);
        }
    }
}
