//! Strips against a recount second by second, and where their pieces begin.

use super::{
    strip::{Of, Range, together},
    tests::{DAY, START, any_rows, any_runs, at, fleet, painted, row, zone},
    *,
};
use crate::model::{
    Area, FailureKind, History, Level, LevelChange, LinkRecord, LinkState, Run, Scope, Site, Span, State, Transition,
    Window,
};
use jiff::{Timestamp, tz::TimeZone};
use proptest::prelude::*;
use std::sync::Arc;

/// Times of rows are so much further apart here: they are to lie in several pieces.
const WIDER: i64 = 97;

fn wider(at: Timestamp) -> Timestamp {
    tests::at((at.as_second() - START) * WIDER)
}

fn strip(of: &Of, history: &History, range: Range, now: Timestamp) -> Strip {
    of.strip(&fleet(), history, range, &Settings::default(), now).expect("the fleet has it")
}

#[test]
fn pieces_begin_at_whole_hours_where_people_live_and_the_last_one_runs() {
    let now = at(5 * DAY + 13 * 3600 + 40 * 60 + 7);
    for (range, begin, last) in [
        (Range::Day, 4 * DAY + 14 * 3600, 10 * 60 + 7),
        (Range::Week, -DAY - DAY + 14 * 3600, 3600 + 40 * 60 + 7),
        (Range::Month, -25 * DAY + 16 * 3600, 5 * 3600 + 40 * 60 + 7),
    ] {
        assert_eq!(range.begins(now, &zone()), START + begin, "{range:?}");
        let strip = strip(&Of::Camera("a".into()), &History::default(), range, now);
        let (count, step) = range.grid();
        assert_eq!(strip.pieces.len(), count);
        assert!(strip.pieces.windows(2).all(|two| two[0].until == two[1].from && two[0].until - two[0].from == step));
        let piece = strip.pieces.last().expect("some");
        assert_eq!((piece.until, piece.until - piece.from), (now.as_second(), last), "{range:?}");
    }
    // Half an hour east of a whole one, and exactly at a boundary: the piece that begins is empty.
    let zone = TimeZone::fixed(jiff::tz::Offset::from_seconds(5 * 3600 + 1800).expect("an offset"));
    assert_eq!((Range::Week.begins(at(1234), &zone) + 5 * 3600 + 1800).rem_euclid(7200), 0);
    let strip = strip(&Of::Camera("a".into()), &History::default(), Range::Day, at(DAY));
    assert_eq!(strip.pieces.last().map(|piece| piece.seconds.total()), Some(0));
}

#[test]
fn a_piece_is_called_after_what_was_down_longest_in_it() {
    let transitions = vec![
        row("a", State::Up, 0, 0),
        row("a", State::Degraded, 100, 100),
        Transition { cause: Some(FailureKind::Timeout), ..row("a", State::Down, 1700, 1700) },
        Transition { cause: Some(FailureKind::NoMedia), ..row("a", State::Down, 1720, 1720) },
        row("a", State::Up, 1799, 1799),
    ];
    let runs = vec![Run { from: at(-DAY), until: at(DAY) }];
    let history = History { transitions, runs, ..History::default() };
    let strip = strip(&Of::Camera("a".into()), &history, Range::Day, at(DAY - 1));
    let first = &strip.pieces[0];
    assert_eq!(first.seconds, Seconds { up: 101, degraded: 1600, down: 99, ..Seconds::default() });
    let fault = first.main_fault().expect("something was not well");
    assert_eq!((fault.account, fault.cause), (Account::Down, Some(FailureKind::NoMedia)));
    assert_eq!(strip.pieces[1].main_fault(), None);
    assert_eq!(strip.spells.len(), 5);
    assert_eq!(strip.seconds().total(), DAY - 1);
}

#[test]
fn a_site_tells_why_and_all_sites_together_are_their_sum() {
    let mut history = History { runs: vec![Run { from: at(-DAY), until: at(DAY) }], ..History::default() };
    history.transitions = vec![row("a", State::Up, 0, 0), row("b", State::Up, 0, 0), row("b", State::Down, 4000, 4000)];
    let level = |level, since| LevelChange { site: "cho".into(), level, since: at(since) };
    history.levels = vec![level(Level::Full, 0), level(Level::Critical, 4000), level(Level::Blind, 5000)];
    let now = at(6000);
    let strip = strip(&Of::Site("cho".into()), &history, Range::Day, now);
    let piece = |number: usize| &strip.pieces[strip.pieces.len() - 4 + number];
    let why = |number: usize| piece(number).main_fault().map(|stands| (stands.account, stands.cause, stands.blind));
    assert_eq!(why(0), None);
    assert_eq!(why(2), Some((Account::Down, Some(FailureKind::Refused), false)), "critical for longer than blind");
    assert_eq!(why(3), Some((Account::Down, Some(FailureKind::Refused), true)));
    // A restart of some seconds is no gap of half an hour, and a night without the monitor is one.
    let runs = vec![Run { from: at(-DAY), until: at(700) }, Run { from: at(720), until: at(1800) }];
    let restarted = History { runs, levels: history.levels[..1].to_vec(), ..History::default() };
    let glance = together(&fleet(), &restarted, Range::Day, &Settings::default(), at(3599));
    let last: Vec<Account> = glance.sites["cho"].iter().rev().take(2).copied().collect();
    assert_eq!(last, [Account::MonitorDown, Account::Up]);
    let all = together(&fleet(), &history, Range::Day, &Settings::default(), now);
    assert_eq!(all.commune.pieces, strip.pieces, "there is one site");
    assert_eq!(all.sites["cho"].len(), strip.pieces.len());
    assert_eq!(all.sites["cho"][strip.pieces.len() - 1], Account::Down);
}

#[test]
fn an_area_is_the_sum_of_its_sites_and_of_those_within_it() {
    let area = |parent: Option<&str>| Area { name: "Thôn".into(), parent: parent.map(Into::into) };
    let mut fleet = fleet();
    fleet.areas = [("xa".into(), area(None)), ("thon".into(), area(Some("xa"))), ("trong".into(), area(None))].into();
    let site = |id: &str, area: Option<&str>| {
        let site = Site { id: id.into(), area: area.map(Into::into), ..(*fleet.sites["cho"]).clone() };
        (site.id.clone(), Arc::new(site))
    };
    fleet.sites = [site("cho", Some("thon")), site("cang", Some("xa")), site("ngoai", None)].into();
    let runs = vec![Run { from: at(-DAY), until: at(DAY) }];
    let level = |site: &str, level, since| LevelChange { site: site.into(), level, since: at(since) };
    let levels = vec![
        level("cho", Level::Full, 0),
        level("cang", Level::Full, 0),
        level("ngoai", Level::Blind, 0),
        level("cho", Level::Blind, 5400),
    ];
    let history = History { runs, levels, ..History::default() };
    for range in Range::ALL {
        let all = together(&fleet, &history, range, &Settings::default(), at(7200));
        let own = |id: &str| Of::Site(id.into()).strip(&fleet, &history, range, &Settings::default(), at(7200));
        let sum = |ids: &[&str]| {
            let mut sum = Seconds::default();
            ids.iter().for_each(|id| sum.add_all(&own(id).expect("a site").seconds()));
            sum
        };
        assert_eq!(all.areas["thon"].pieces, own("cho").expect("a site").pieces, "it has one site");
        assert_eq!(all.areas["xa"].seconds(), sum(&["cho", "cang"]));
        assert_eq!(all.commune.seconds(), sum(&["cho", "cang", "ngoai"]));
        assert!(!all.areas.contains_key("trong"), "it has no site");
    }
    let all = together(&fleet, &history, Range::Day, &Settings::default(), at(7199));
    let last: Vec<Account> = all.areas["xa"].pieces.iter().rev().take(2).map(Piece::of_many).collect();
    assert_eq!(last, [Account::Down, Account::Up], "one of two was lost in the last half hour");
}

#[test]
fn a_link_knows_its_windows_and_what_is_not_in_the_fleet_has_no_strip() {
    let link =
        |state, since| LinkRecord { branch: crate::model::Branch::Link("fibre".into()), state, since: at(since) };
    let mut history = History { runs: vec![Run { from: at(-DAY), until: at(DAY) }], ..History::default() };
    history.links = vec![link(LinkState::Up, 0), link(LinkState::Down, 600), link(LinkState::Up, 700)];
    history.windows = vec![Window {
        id: "w".into(),
        scope: Scope::All,
        span: Span::Once { from: at(900), until: at(1000) },
        author: "An".into(),
        reason: "thay tủ".into(),
    }];
    let strip = strip(&Of::Link("fibre".into()), &history, Range::Day, at(1800 - 1));
    let expected = Seconds { up: 1599, external: 100, maintenance: 100, ..Seconds::default() };
    assert_eq!(strip.pieces.last().map(|piece| piece.seconds), Some(expected));
    for of in [Of::Camera("x".into()), Of::Site("x".into()), Of::Link("x".into())] {
        assert_eq!(of.bearing(&fleet()), None);
        assert_eq!(of.strip(&fleet(), &history, Range::Day, &Settings::default(), at(0)), None);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn it_agrees_with_a_recount_second_by_second(rows in any_rows(), runs in any_runs(), now in 1..110_000_i64) {
        let transitions = rows.into_iter().map(|row| {
            Transition { since: wider(row.since), decided: wider(row.decided), ..row }
        });
        let transitions: Vec<_> = transitions.collect();
        let runs: Vec<_> = runs.iter().map(|run| Run { from: wider(run.from), until: wider(run.until) }).collect();
        // What was decided later is not known yet.
        let known = transitions.iter().filter(|row| row.decided < at(now)).cloned().collect::<Vec<_>>();
        let history = History { transitions: known.clone(), runs: runs.clone(), ..History::default() };
        let strip = strip(&Of::Camera("a".into()), &history, Range::Day, at(now));

        let before = 200 * WIDER;
        let states = painted(&known, before, 1400 * WIDER);
        let alive = |run: &Run| if (0..=90).contains(&(at(now).as_second() - run.until.as_second())) { at(now) } else { run.until };
        for piece in &strip.pieces {
            let mut counted = Seconds::default();
            for second in piece.from..piece.until {
                let moment = Timestamp::from_second(second).expect("a time");
                let awake = runs.iter().any(|run| run.from <= moment && moment < alive(run));
                // Nothing is claimed of earlier times than `before`.
                let index = usize::try_from(second - START + before).ok();
                let state = index.and_then(|index| states[index]);
                counted.add(match state.map(|(state, _)| state) {
                    _ if !awake => Account::MonitorDown,
                    None | Some(State::Unknown) => Account::Unseen,
                    Some(State::Up) => Account::Up,
                    Some(State::Degraded) => Account::Degraded,
                    Some(State::Down) => Account::Down,
                    Some(State::Unreachable) => Account::External,
                    Some(State::Maintenance) => Account::Maintenance,
                    Some(State::Off) => Account::Off,
                }, 1);
            }
            prop_assert_eq!(piece.seconds, counted);
            prop_assert_eq!(counted.total(), piece.until - piece.from);
            let unwell: i64 = piece.unwell.values().sum();
            prop_assert_eq!(unwell + counted.up, counted.total());
        }
        // Change by change it says the same.
        let spells = strip.spells.iter().map(Spell::seconds).sum::<i64>();
        prop_assert_eq!(spells, strip.seconds().total());
        prop_assert!(strip.spells.windows(2).all(|two| two[0].until == two[1].from && two[0].stands != two[1].stands));
    }
}
