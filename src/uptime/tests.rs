//! The report against a recount second by second, and the cases that other systems get wrong.

use super::{
    report::report,
    span::{Month, Period},
    *,
};
use crate::model::{
    Branch, Camera, Cause, Commune, Detail, FailureKind, Fleet, History, Incident, Kind, Language, Level, LevelChange,
    Link, LinkKind, LinkRecord, LinkState, Run, Scope, Site, Span, State, Transition, View, Watcher, Window,
};
use jiff::{Timestamp, tz::TimeZone};
use proptest::prelude::*;
use std::sync::Arc;

/// Midnight in Vietnam, 2026-10-01.
pub(super) const START: i64 = 1_790_787_600;
pub(super) const DAY: i64 = 86_400;

pub(super) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(START + second).expect("a time in this century")
}

pub(super) fn zone() -> TimeZone {
    TimeZone::fixed(jiff::tz::offset(7))
}

fn period(length: i64) -> Period {
    Period { from: START, until: START + length, end: START + length, zone: zone() }
}

pub(super) fn row(camera: &str, to: State, since: i64, decided: i64) -> Transition {
    let cause = (to == State::Down).then_some(FailureKind::Refused);
    let detail = Detail::default();
    Transition {
        camera: camera.into(),
        from: State::Unknown,
        to,
        cause,
        detail,
        since: at(since),
        decided: at(decided),
    }
}

/// Cameras `a` and `b` behind a switch on an uplink, and a site that needs both.
pub(super) fn fleet() -> Fleet {
    let zone = zone();
    let commune = Commune {
        name: "Xã Thử".into(),
        language: Language::Vi,
        timezone: zone,
        night: crate::model::DailyHours::NIGHT,
    };
    let mut fleet = Fleet::empty(commune);
    let link = |kind, parent: Option<&str>| Link {
        name: "một liên kết".into(),
        kind,
        parent: parent.map(Into::into),
        bytes_per_day: None,
        looks_per_second: 5.0,
        probe: None,
    };
    fleet.links.insert("fibre".into(), link(LinkKind::Uplink, None));
    fleet.links.insert("switch".into(), link(LinkKind::Switch, Some("fibre")));
    for id in ["a", "b"] {
        let url = "rtsp://10.0.0.1/sub".parse().expect("a URL");
        let camera = Camera { link: Some("switch".into()), ..Camera::new(id, url) };
        fleet.cameras.insert(id.into(), Arc::new(camera));
    }
    let view = |camera: &str| View::new(camera, vec![Watcher { camera: camera.into(), spare: false }]);
    fleet.sites.insert("cho".into(), Arc::new(Site::new("cho", vec![view("a"), view("b")])));
    fleet
}

/// The monitor ran all the time.
fn watched(length: i64) -> History {
    History { runs: vec![Run { from: at(-100), until: at(length) }], ..History::default() }
}

fn made(history: &History, length: i64) -> Report {
    report(&fleet(), history, &period(length), &Settings::default(), at(length + 1_000_000), None)
}

fn camera<'a>(report: &'a Report, id: &str) -> &'a Line {
    report.cameras.iter().find(|line| line.id == id).expect("the camera is in the report")
}

#[track_caller]
fn check(rows: &[Transition], links: &[(&str, LinkState, i64)], expected: &[(Account, i64)]) {
    let links = links.iter().map(|(id, state, since)| LinkRecord {
        branch: Branch::Link((*id).into()),
        state: *state,
        since: at(*since),
    });
    let history = History { transitions: rows.to_vec(), links: links.collect(), ..watched(1000) };
    let seconds = camera(&made(&history, 1000), "a").seconds;
    let seen: Vec<(Account, i64)> =
        Account::ALL.iter().map(|one| (*one, seconds.of(*one))).filter(|(_, seconds)| *seconds > 0).collect();
    assert_eq!(seen, expected);
}

#[test]
fn what_was_never_seen_is_not_up() {
    check(&[], &[], &[(Account::Unseen, 1000)]);
}

#[test]
fn down_counts_from_the_first_look_that_failed() {
    let rows = [row("a", State::Up, -50, -40), row("a", State::Down, 100, 130), row("a", State::Up, 300, 310)];
    check(&rows, &[], &[(Account::Up, 800), (Account::Down, 200)]);
}

#[test]
fn a_link_that_explains_it_takes_back_what_was_called_down() {
    let rows = [row("a", State::Up, 0, 0), row("a", State::Down, 100, 120), row("a", State::Unreachable, 90, 125)];
    let cut = [("switch", LinkState::Down, 90)];
    check(&rows, &cut, &[(Account::Up, 90), (Account::Unreachable, 910)]);
    let cut = [("switch", LinkState::Down, 90), ("fibre", LinkState::Down, 90)];
    check(&rows, &cut, &[(Account::Up, 90), (Account::External, 910)]);
    check(&rows, &[], &[(Account::Up, 90), (Account::External, 910)]);
}

#[test]
fn a_state_that_shows_up_again_takes_back_no_maintenance_and_no_cut() {
    let rows = [row("a", State::Up, 0, 0), row("a", State::Maintenance, 100, 100), row("a", State::Up, 0, 400)];
    check(&rows, &[], &[(Account::Up, 700), (Account::Maintenance, 300)]);
    let rows = [row("a", State::Up, 0, 0), row("a", State::Maintenance, 100, 100), row("a", State::Down, 150, 400)];
    check(&rows, &[], &[(Account::Up, 100), (Account::Down, 600), (Account::Maintenance, 300)]);
    let rows = [row("a", State::Up, 0, 0), row("a", State::Unreachable, 100, 110), row("a", State::Up, 0, 400)];
    check(&rows, &[], &[(Account::Up, 700), (Account::External, 300)]);
    let rows = [row("a", State::Up, 0, 0), row("a", State::Unreachable, 100, 110), row("a", State::Down, 105, 400)];
    check(&rows, &[], &[(Account::Up, 100), (Account::Down, 600), (Account::External, 300)]);
}

#[test]
fn the_monitors_own_isolation_charges_no_downtime() {
    let rows = [
        row("a", State::Up, 0, 0),
        row("a", State::Down, 95, 120),
        row("a", State::Unknown, 90, 130),
        row("a", State::Down, 95, 400),
        row("a", State::Up, 420, 430),
    ];
    check(&rows, &[], &[(Account::Up, 670), (Account::Down, 20), (Account::Unseen, 310)]);
}

#[test]
fn a_rejected_login_is_shown_by_itself_and_is_neither_up_nor_down() {
    let refused = Transition { cause: Some(FailureKind::Auth), ..row("a", State::Unknown, 500, 500) };
    check(&[row("a", State::Up, 0, 0), refused], &[], &[(Account::Up, 500), (Account::Login, 500)]);
}

#[test]
fn time_in_which_the_monitor_did_not_run_is_nobodys() {
    let runs = vec![Run { from: at(-10), until: at(300) }, Run { from: at(700), until: at(1000) }];
    let transitions = vec![row("a", State::Up, 0, 0), row("a", State::Down, 200, 210)];
    let report = made(&History { runs, transitions, ..History::default() }, 1000);
    let line = camera(&report, "a");
    assert_eq!(line.seconds, Seconds { up: 200, down: 400, monitor_down: 400, ..Seconds::default() });
    assert_eq!((line.outages, line.measured), (1, Some(0.6)), "a gap nobody saw makes no second outage");
    assert_eq!(line.verdict, Some(Verdict::NotMeasured));
}

#[test]
fn a_site_in_maintenance_is_excused_only_where_maintenance_is_what_it_lacks() {
    let mut history = watched(1000);
    history.transitions = vec![
        row("a", State::Up, 0, 0),
        row("b", State::Up, 0, 0),
        row("a", State::Maintenance, 100, 100),
        row("b", State::Down, 300, 300),
    ];
    let level = |level, since| LevelChange { site: "cho".into(), level, since: at(since) };
    history.levels = vec![level(Level::Full, 0), level(Level::Critical, 100), level(Level::Blind, 300)];
    let report = made(&history, 1000);
    let site = &report.sites[0];
    assert_eq!(site.seconds, Seconds { up: 100, maintenance: 200, down: 700, ..Seconds::default() });
    assert_eq!(site.blind_seconds, Some(700));
    assert_eq!(site.verdict, Some(Verdict::Fail));
}

#[test]
fn a_link_is_judged_with_those_above_it_and_its_windows() {
    let link = |id: &str, state, since| LinkRecord { branch: Branch::Link(id.into()), state, since: at(since) };
    let mut history = watched(1000);
    history.links = vec![
        link("fibre", LinkState::Up, 0),
        link("switch", LinkState::Up, 0),
        link("switch", LinkState::Down, 100),
        link("switch", LinkState::Up, 200),
        link("fibre", LinkState::Down, 300),
        link("fibre", LinkState::Up, 400),
    ];
    history.windows = vec![Window {
        id: "w".into(),
        scope: Scope::Link("fibre".into()),
        span: Span::Once { from: at(380), until: at(500) },
        author: "An".into(),
        reason: "thay tủ".into(),
    }];
    let report = made(&history, 1000);
    let line = |id: &str| report.links.iter().find(|line| line.id == id).expect("it is in the report");
    let expected = Seconds { up: 700, unreachable: 100, external: 80, maintenance: 120, ..Seconds::default() };
    assert_eq!(line("switch").seconds, expected);
    assert_eq!(line("fibre").seconds, Seconds { up: 800, external: 80, maintenance: 120, ..Seconds::default() });
}

#[test]
fn cameras_are_added_up_by_seconds_and_held_against_the_target() {
    let mut history = watched(1000);
    history.transitions = vec![row("a", State::Up, 0, 0), row("b", State::Up, 0, 0), row("b", State::Down, 990, 990)];
    let report = made(&history, 1000);
    assert_eq!(report.total.seconds.total(), 2000);
    assert_eq!(report.total.service, Some(0.995));
    assert_eq!(report.total.verdict, Some(Verdict::Pass));
    assert_eq!((report.total.failures, report.total.mttr_seconds), (1, Some(10.0)));
    assert_eq!(report.total.mtbf_seconds, Some(1990.0));
    assert_eq!(report.causes[0].cause, Some(FailureKind::Refused));
    let ids: Vec<&str> = report.cameras.iter().map(|line| line.id.as_str()).collect();
    assert_eq!(ids, ["b", "a"], "worst first");
}

#[test]
fn a_month_begins_and_ends_where_people_live_and_is_compared_with_the_one_before() {
    let month: Month = "2026-10".parse().expect("a month");
    let now = at(31 * DAY);
    let october = month.period(&zone(), now);
    assert_eq!((october.from, october.until, october.end), (START, START + 31 * DAY, START + 31 * DAY));
    assert_eq!(october.days().len(), 31);
    assert_eq!(month.period(&zone(), at(5 * DAY + 7)).until, START + 5 * DAY + 7, "not beyond now");
    assert_eq!(month.before().to_string(), "2026-09");
    let september = month.before().period(&zone(), now);
    let mut history = History { runs: vec![Run { from: at(-30 * DAY), until: now }], ..History::default() };
    history.transitions = vec![row("a", State::Up, -30 * DAY, -30 * DAY), row("a", State::Down, -15 * DAY, -15 * DAY)];
    history.transitions.push(row("a", State::Up, 0, 0));
    let settings = Settings::default();
    let before = report(&fleet(), &history, &september, &settings, now, None);
    let report = report(&fleet(), &history, &october, &settings, now, Some(&before));
    assert_eq!(camera(&report, "a").change, Some(0.5));
    assert_eq!(report.before.as_ref().and_then(|before| before.service), Some(0.5));
    for wrong in ["2026-13", "2026-1", "26-01", "2026/01", "tháng 1", "9999-12", "-001-01"] {
        let error = wrong.parse::<Month>().expect_err(wrong);
        assert!(error.contains("write it as 2026-10"), "{error}");
    }
}

#[test]
fn households_are_named_by_their_ids_and_incidents_by_their_places() {
    let mut fleet = fleet();
    let mut lent = (*fleet.cameras["a"]).clone();
    (lent.kind, lent.name) = (Kind::Household, "Nhà ông Ba".into());
    fleet.cameras.insert("a".into(), Arc::new(lent));
    let mut history = watched(1000);
    history.incidents = vec![Incident {
        number: 17,
        opened: at(110),
        sites: [("cho".into(), Level::Blind)].into(),
        step: 1,
        paged: true,
        ack: Some(crate::model::Ack { by: "An".into(), via: "page".into(), at: at(170) }),
        closed: Some(at(400)),
        ..Incident::new(Cause::Site("cho".into()), at(100), Level::Blind)
    }];
    let report = report(&fleet, &history, &period(1000), &Settings::default(), at(1000), None);
    assert_eq!(camera(&report, "a").name, "a");
    let incident = &report.incidents[0];
    assert_eq!((incident.seconds, incident.acknowledged_after_seconds), (300, Some(60)));
    assert!(!serde_json::to_string(&report).expect("JSON").contains("ông Ba"));
}

/// Any state, with a span of time that it claims.
pub(super) fn any_rows() -> impl Strategy<Value = Vec<Transition>> {
    let state = prop::sample::select(State::ALL.to_vec());
    let each = (state, 0..40_i64, 0..120_i64);
    prop::collection::vec(each, 0..30).prop_map(|rows| {
        let mut now = -60;
        let each = rows.into_iter().map(|(to, pause, back)| {
            now += pause;
            row("a", to, now - back, now)
        });
        each.collect()
    })
}

pub(super) fn any_links() -> impl Strategy<Value = Vec<LinkRecord>> {
    let state = prop::sample::select(LinkState::ALL.to_vec());
    let row = (prop::sample::select(vec!["fibre", "switch"]), state, -20..1000_i64);
    let link =
        |(id, state, since): (&str, _, _)| LinkRecord { branch: Branch::Link(id.into()), state, since: at(since) };
    prop::collection::vec(row.prop_map(link), 0..12)
}

pub(super) fn any_runs() -> impl Strategy<Value = Vec<Run>> {
    let run = (-50..1000_i64, 0..600_i64).prop_map(|(from, length)| Run { from: at(from), until: at(from + length) });
    prop::collection::vec(run, 0..6)
}

const RECOUNTED: i64 = 1000;
/// Seconds before the period that the recount remembers.
const BEFORE: i64 = 400;

/// What a camera was in each second, painted over row by row; from so many seconds before the beginning on.
pub(super) fn painted(rows: &[Transition], before: i64, length: i64) -> Vec<Option<(State, Option<FailureKind>)>> {
    let mut owner: Vec<Option<usize>> = vec![None; (before + length) as usize];
    let index = |second: i64| (second - START + before) as usize;
    for (number, row) in rows.iter().enumerate() {
        let (since, decided) = (index(row.since.as_second()), index(row.decided.as_second()));
        let begin = match number.checked_sub(1) {
            None => since,
            Some(last) => {
                let began = owner.iter().position(|one| *one == Some(last)).expect("the last row owns the end");
                let (from, to) = (rows[last].to, row.to);
                let returns = matches!(from, State::Maintenance | State::Off)
                    || (matches!(from, State::Unknown | State::Unreachable) && to.is_lost())
                    || (to.sees() && since <= began);
                let keeps = |one: &Option<usize>| {
                    let state = one.map(|one| rows[one].to);
                    matches!(state, Some(State::Maintenance | State::Off | State::Unknown))
                        || (state == Some(State::Unreachable) && to != State::Unknown)
                };
                if returns {
                    decided.max(began)
                } else if keeps(&Some(last)) {
                    since.max(began)
                } else {
                    owner.iter().rposition(keeps).map_or(since, |kept| since.max(kept + 1))
                }
            }
        };
        owner[begin..].fill(Some(number));
    }
    owner.iter().map(|one| one.map(|one| (rows[one].to, rows[one].cause))).collect()
}

fn last_before<T: Copy>(changes: &[(i64, T)], second: i64) -> Option<T> {
    // The later written is right about all time since it began.
    changes.iter().rev().find(|(since, _)| *since <= second).map(|(_, value)| *value)
}

proptest! {
    #[test]
    fn it_agrees_with_a_recount_second_by_second(rows in any_rows(), links in any_links(), runs in any_runs()) {
        let history = History { transitions: rows.clone(), links: links.clone(), runs: runs.clone(), ..History::default() };
        let report = made(&history, RECOUNTED);
        let line = camera(&report, "a");
        prop_assert_eq!(line.seconds.total(), RECOUNTED);

        let states = painted(&rows, BEFORE, RECOUNTED + 1000);
        let link = |id: &str| -> Vec<(i64, LinkState)> {
            let rows = links.iter().filter(|row| row.branch == Branch::Link(id.into()));
            rows.map(|row| (row.since.as_second() - START, row.state)).collect()
        };
        let (fibre, switch) = (link("fibre"), link("switch"));
        let mut counted = Seconds::default();
        let (mut outages, mut down) = (0, false);
        for second in 0..RECOUNTED {
            let awake = runs.iter().any(|run| (run.from..run.until).contains(&at(second)));
            let account = match states[(BEFORE + second) as usize] {
                _ if !awake => Account::MonitorDown,
                None => Account::Unseen,
                Some((State::Up, _)) => Account::Up,
                Some((State::Degraded, _)) => Account::Degraded,
                Some((State::Down, _)) => Account::Down,
                Some((State::Unreachable, _)) if last_before(&fibre, second) == Some(LinkState::Down) => Account::External,
                Some((State::Unreachable, _)) if last_before(&switch, second) == Some(LinkState::Down) => Account::Unreachable,
                Some((State::Unreachable, _)) => Account::External,
                Some((State::Unknown, _)) => Account::Unseen,
                Some((State::Maintenance, _)) => Account::Maintenance,
                Some((State::Off, _)) => Account::Off,
            };
            counted.add(account, 1);
            match account.class() {
                Class::Up => down = false,
                Class::Down if !down => (outages, down) = (outages + 1, true),
                _ => {}
            }
        }
        prop_assert_eq!(line.seconds, counted);
        prop_assert_eq!(line.outages, outages);
        let days: i64 = report.days.iter().map(|day| day.seconds.total()).sum();
        prop_assert_eq!(days, 2 * RECOUNTED, "the days of both cameras add up");
    }
}
