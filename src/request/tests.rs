//! What may be asked for, in made-up time: each refusal by its kind, and windows that are what was wished for.

use super::*;
use crate::model::{
    Ack, Cause, Commune, DailyHours, Fleet, Incident, IncidentId, Language, Level, Scope, Span, Window, later,
};
use jiff::{Timestamp, tz::TimeZone};
use proptest::prelude::*;
use std::time::Duration;

const MINUTE: i64 = 60;
const DAY: i64 = 24 * 60 * MINUTE;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + second).expect("a time in this century")
}

fn fleet() -> Fleet {
    Fleet::empty(Commune {
        name: "Hải Bình".into(),
        language: Language::Vi,
        timezone: TimeZone::UTC,
        night: DailyHours::NIGHT,
    })
}

fn incident(ack: Option<&str>) -> Incident {
    Incident {
        id: IncidentId::stored("cho-1".into()),
        number: 17,
        step: 1,
        paged: true,
        ack: ack.map(|by| Ack { by: by.into(), via: "page".into(), at: at(0) }),
        escalated: 1,
        ..Incident::new(Cause::Site("cho".into()), at(0), Level::Blind)
    }
}

#[test]
fn an_incident_is_taken_on_once_by_somebody_with_a_name() {
    let (open, taken) = (incident(None), incident(Some("Bình")));
    let ask = |open, known, by: &str| take_on(at(9), ("17", open, known), by, "link".into());
    let ack = Ack { by: "An".into(), via: "link".into(), at: at(9) };
    assert_eq!(ask(Some(&open), true, " An\u{7}\n"), Ok(TakingOn::Now(ack, Done::TakenOn { number: 17 })));
    let before = Done::TakenOnBefore { number: 17, by: "Bình".into() };
    assert_eq!(ask(Some(&taken), true, "An"), Ok(TakingOn::Before(before)));
    assert_eq!(ask(None, true, "An"), Err(Refused::Over("17".into())));
    assert_eq!(ask(None, false, "An"), Err(Refused::Unknown(Unknown::Incident("17".into()))));
    assert_eq!(ask(Some(&open), true, " \u{7} "), Err(Refused::Invalid(Invalid::Empty(Field::By))));
    let long = ask(Some(&open), true, &"ê".repeat(200));
    assert!(matches!(long, Ok(TakingOn::Now(Ack { by, .. }, _)) if by.chars().count() == 80));
}

fn wish() -> Silence {
    let (author, reason) = ("An".into(), "thay camera".into());
    Silence { scope: Scope::All, from: None, until: None, minutes: Some(60.0), author, reason }
}

fn set(now: Timestamp, wish: Silence) -> Result<Window, Refused> {
    let (quota, last) = (&mut Quota::new(now), &mut 0);
    window(now, wish, &fleet(), Windows { standing: 0, quota, last, is_there: |_: &str| false })
}

#[test]
fn a_window_is_set_within_bounds_by_somebody_for_a_reason() {
    let span = |wish| set(at(0), wish).map(|window| window.span);
    let once = |from, until| Ok(Span::Once { from: at(from), until: at(until) });
    let invalid = |what| Err(Refused::Invalid(what));
    let by = |from: Option<i64>, until: Option<i64>, minutes: Option<f64>| Silence {
        from: from.map(at),
        until: until.map(at),
        minutes,
        ..wish()
    };
    let unknown = Scope::Site("cho".into());
    #[rustfmt::skip]
    let cases = [
        ("from now on", wish(), once(0, 60 * MINUTE)),
        ("until a time", by(None, Some(90), None), once(0, 90)),
        ("what begins in the past begins now, and ends when it was said", by(Some(-600), None, Some(11.0)), once(0, 60)),
        ("later", by(Some(DAY), None, Some(1.0)), once(DAY, DAY + 60)),
        ("31 days", by(None, Some(31 * DAY), None), once(0, 31 * DAY)),
        ("more", by(None, Some(31 * DAY + 1), None), invalid(Invalid::Longer)),
        ("no end", by(None, None, None), invalid(Invalid::End)),
        ("two ends", by(None, Some(60), Some(1.0)), invalid(Invalid::End)),
        ("over already", by(Some(-600), None, Some(10.0)), invalid(Invalid::Past)),
        ("nothing", by(None, Some(0), None), invalid(Invalid::Past)),
        ("no length", by(None, None, Some(0.0)), invalid(Invalid::Minutes)),
        ("half a minute", by(None, None, Some(0.5)), invalid(Invalid::Minutes)),
        ("no number", by(None, None, Some(f64::NAN)), invalid(Invalid::Minutes)),
        ("32 days", by(None, None, Some(32.0 * 24.0 * 60.0)), invalid(Invalid::Minutes)),
        ("in 90 days", by(Some(90 * DAY), None, Some(1.0)), once(90 * DAY, 90 * DAY + 60)),
        ("later still", by(Some(90 * DAY + 1), None, Some(1.0)), invalid(Invalid::TooFar)),
        ("nobody", Silence { author: "\t".into(), ..wish() }, invalid(Invalid::Empty(Field::Author))),
        ("for nothing", Silence { reason: String::new(), ..wish() }, invalid(Invalid::Empty(Field::Reason))),
        ("a site that is not there", Silence { scope: unknown.clone(), ..wish() }, Err(Refused::Unknown(Unknown::Scope(unknown)))),
    ];
    for (what, wish, expected) in cases {
        assert_eq!(span(wish), expected, "{what}");
    }
}

#[test]
fn windows_are_bounded_in_number_and_have_an_id_each() {
    let (mut quota, mut last) = (Quota::new(at(0)), 0);
    let mut ask = |now: Timestamp, standing, taken: &[String]| {
        let is_there = |id: &str| taken.iter().any(|known| known == id);
        window(now, wish(), &fleet(), Windows { standing, quota: &mut quota, last: &mut last, is_there })
            .map(|window| window.id)
    };
    assert_eq!(ask(at(0), 200, &[]), Err(Refused::TooMany(TooMany::Windows(200))));
    let mut ids: Vec<String> = Vec::new();
    for _ in 0..1000 {
        let id = ask(at(1), 0, &ids[ids.len().saturating_sub(3)..]).expect("it may be");
        assert!(!ids.contains(&id), "{id} twice");
        ids.push(id);
    }
    assert_eq!(ask(at(1), 0, &[]), Err(Refused::TooMany(TooMany::WindowsADay(1000))));
    assert!(ask(at(DAY), 0, &[]).is_ok(), "a day later");
    assert!(ask(at(-DAY), 0, &ids).is_ok_and(|id| !ids.contains(&id)), "the clock was set back");
    assert_eq!(end("w1".into(), false), Err(Refused::Unknown(Unknown::Window("w1".into()))));
}

proptest! {
    /// Whatever is wished for: a window that is set lies ahead, lasts, and ends within 31 days of what was said.
    #[test]
    fn a_window_that_is_set_is_what_may_be_set(
        now in -DAY..DAY, from in prop::option::of(-200 * DAY..200 * DAY), until in prop::option::of(-200 * DAY..200 * DAY),
        minutes in prop::option::of(prop_oneof![(0..50_000i32).prop_map(f64::from), any::<f64>()]),
        author in "\\PC{0,90}", reason in any::<String>(),
    ) {
        let now = at(now);
        let wish = Silence { from: from.map(at), until: until.map(at), minutes, author, reason, ..wish() };
        if let Ok(window) = set(now, wish.clone()) {
            let Span::Once { from, until } = window.span else { panic!("it repeats") };
            prop_assert!(now <= from && from < until && from <= later(now, Duration::from_secs(90 * DAY as u64)));
            let said = wish.from.unwrap_or(now);
            prop_assert!(until <= later(said, Duration::from_secs(31 * DAY as u64)));
            prop_assert!(wish.until.is_some() != wish.minutes.is_some());
            for text in [&window.author, &window.reason] {
                prop_assert!((1..=80).contains(&text.chars().count()) && !text.chars().any(char::is_control));
            }
        }
    }
}
