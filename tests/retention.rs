//! A month's report says the same before what is old was forgotten and after.

use camhealth::{
    config::load_with,
    journal::{Batch, Journal, Settings},
    model::{
        Branch, Cause, Detail, FailureKind, Incident, Level, LinkRecord, LinkState, SiteRecord, State, Transition,
    },
    uptime::{self, Month, Report},
};
use jiff::Timestamp;
use proptest::prelude::*;
use std::path::Path;

const DAY: i64 = 24 * 3600;
/// Now: the middle of a month.
const NOW: i64 = 1_797_000_000;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("a time in this century")
}

/// Something happened so many hours ago.
#[derive(Debug, Clone)]
struct Event {
    hours: i64,
    which: usize,
    kind: usize,
    bad: bool,
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = (0..560 * 24i64, 0..6usize, 0..4usize, any::<bool>());
    prop::collection::vec(event, 20..120).prop_map(|all| {
        let of = |(hours, which, kind, bad)| Event { hours, which, kind, bad };
        let mut all: Vec<Event> = all.into_iter().map(of).collect();
        all.sort_by_key(|event| std::cmp::Reverse(event.hours));
        all
    })
}

/// What changes as time goes by whatever is forgotten: since when anything is remembered.
fn without_beginning(report: Report) -> Report {
    Report { known_since: None, ..report }
}

/// The same without what compares it with another month.
fn alone(report: Report) -> serde_json::Value {
    let mut json = serde_json::to_value(without_beginning(report)).expect("JSON");
    strip(&mut json);
    json
}

fn strip(json: &mut serde_json::Value) {
    match json {
        serde_json::Value::Object(fields) => {
            for key in ["before", "change"] {
                fields.remove(key);
            }
            fields.values_mut().for_each(strip);
        }
        serde_json::Value::Array(list) => list.iter_mut().for_each(strip),
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_report_says_the_same_when_what_is_older_is_forgotten(events in events()) {
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/camhealth.toml");
        let config = load_with(&example, &|name| Some(format!("value-of-{name}"))).expect("the example is right");
        let fleet = config.fleet;
        let settings = Settings { path: None, ..Settings::default() };
        let (cameras, sites, links): (Vec<_>, Vec<_>, Vec<_>) =
            (fleet.cameras.keys().collect(), fleet.sites.keys().collect(), fleet.links.keys().collect());
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let begin = NOW - 580 * DAY;
        let (journal, _) = Journal::open(&settings, at(begin)).expect("a journal");
        let mut batch = Batch::default();
        for (number, event) in (1..).zip(&events) {
            let when = at(NOW - event.hours * 3600);
            match event.kind {
                0 | 1 => batch.transitions.push(Transition {
                    camera: cameras[event.which * 7 % cameras.len()].clone(),
                    from: State::Up,
                    to: if event.bad { State::Down } else { State::Up },
                    cause: event.bad.then_some(FailureKind::Timeout),
                    detail: Detail::default(),
                    since: when,
                    decided: when,
                }),
                2 => {
                    batch.sites.push(SiteRecord {
                        site: sites[event.which % sites.len()].clone(),
                        level: if event.bad { Level::Blind } else { Level::Full },
                        since: when,
                        alert: None,
                        ended: vec![],
                    });
                    let cause = Cause::Site(sites[event.which % sites.len()].clone());
                    batch.incidents.push(
                        Incident {
                            number,
                            step: 1,
                            closed: Some(at(NOW - event.hours * 3600 + 1800)),
                            ..Incident::new(cause, when, Level::Blind)
                        }
                        .into(),
                    );
                }
                _ => batch.links.push(LinkRecord {
                    branch: Branch::Link(links[event.which % links.len()].clone()),
                    state: if event.bad { LinkState::Down } else { LinkState::Up },
                    since: when,
                }),
            }
        }
        // What it decided last says that it ran until now.
        let (camera, cause, detail) = (cameras[0].clone(), None, Detail::default());
        let last = at(NOW);
        batch.transitions.push(Transition {
            camera, from: State::Up, to: State::Up, cause, detail, since: last, decided: last,
        });
        runtime.block_on(journal.commit(batch)).expect("it is written");
        let zone = &fleet.commune.timezone;
        let months: Vec<Month> =
            std::iter::successors(Some(Month::of(at(NOW), zone)), |month| Some(month.before())).take(13).collect();
        let report = |month: Month| {
            let (from, until) = uptime::reach(&fleet, month, at(NOW));
            let history = runtime.block_on(journal.history(from, until)).expect("history");
            uptime::of_month(&fleet, &history, month, &config.uptime, at(NOW))
        };
        let before: Vec<Report> = months.iter().map(|month| report(*month)).collect();
        let size = || runtime.block_on(journal.history(at(0), at(NOW))).expect("history");
        let (had, mut has) = (size(), None);
        while has.as_ref() != Some(&size()) {
            has = Some(size());
            runtime.block_on(journal.keep(at(NOW), settings.clone())).expect("what is old goes");
        }
        let limit = NOW - 400 * DAY;
        let old = had.transitions.iter().filter(|row| row.decided < at(limit)).count();
        let has = has.expect("it was read");
        prop_assert!(has.transitions.len() <= had.transitions.len() && (old < 40 || has.transitions.len() < had.transitions.len()));
        for (month, before) in months.into_iter().zip(before) {
            let after = report(month);
            let from = month.before().period(zone, at(NOW)).from;
            if from >= limit || has.forgotten.is_none() {
                prop_assert_eq!(without_beginning(after), without_beginning(before), "{}", month);
            } else {
                prop_assert!(after.before.is_none(), "{}: half a month is no measure of a whole one", month);
                prop_assert_eq!(alone(after), alone(before), "{}", month);
            }
        }
    }
}
