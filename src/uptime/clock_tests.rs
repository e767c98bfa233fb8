//! The contract's clock against a recount second by second, and the cases that contractors and communes argue about.

use super::{
    tests::{any_links, any_rows, any_runs, at, fleet, painted, row},
    *,
};
use crate::model::{
    Ack, Branch, Cause, DailyHours, Duty, FailureKind, Fleet, History, Incident, Level, LevelChange, LinkState, Run,
    Site, Span, State, Transition, View, Watcher,
};
use jiff::Timestamp;
use proptest::prelude::*;
use std::{sync::Arc, time::Duration};

const LENGTH: i64 = 1000;
/// Seconds before the incident that the recount remembers.
const BEFORE: i64 = 400;

/// The site `cho` needs both cameras, `cang` needs `b`.
fn two_sites() -> Fleet {
    let mut fleet = fleet();
    let view = View::new("b", vec![Watcher { camera: "b".into(), spare: false }]);
    fleet.sites.insert("cang".into(), Arc::new(Site::new("cang", vec![view])));
    fleet
}

fn settings(respond: u64, repair: u64, hours: Option<Span>) -> Settings {
    let term = |level| Term {
        level,
        kinds: vec![],
        respond_by: Some(Duration::from_secs(respond)),
        repair_by: Some(Duration::from_secs(repair)),
        hours: hours.clone(),
    };
    let terms = [Level::Critical, Level::Blind, Level::Unknown].map(term).to_vec();
    Settings { contract: Some(Contract { terms, ..Contract::default() }), ..Settings::default() }
}

fn incident(sites: &[&str], told: Level) -> Incident {
    let sites = sites.iter().map(|id| ((*id).into(), told)).collect();
    Incident { number: 17, sites, opened: at(0), ..Incident::new(Cause::Site("cho".into()), at(-30), told) }
}

fn level(site: &str, level: Level, since: i64) -> LevelChange {
    LevelChange { site: site.into(), level, since: at(since) }
}

/// The clocks of one incident as they stand after so many seconds.
fn clocks_of(fleet: &Fleet, history: &History, settings: &Settings, incident: &Incident, now: i64) -> Vec<Clock> {
    clocks(fleet, history, settings, incident, at(now))
}

fn watched(levels: &[LevelChange], rows: &[Transition]) -> History {
    let runs = vec![Run { from: at(-1000), until: at(1_000_000) }];
    History { runs, levels: levels.to_vec(), transitions: rows.to_vec(), ..History::default() }
}

#[test]
fn a_term_runs_until_it_is_repaired_and_says_when_it_will_be_missed() {
    let history = watched(&[level("cho", Level::Blind, -30), level("cho", Level::Full, 500)], &[]);
    let (settings, open) = (settings(120, 400, None), incident(&["cho"], Level::Blind));
    let blind = |incident: &Incident, now| clocks_of(&fleet(), &history, &settings, incident, now).remove(0);
    let stand = |deadline: Option<Deadline>| deadline.map(|one| (one.stands, one.used_seconds, one.at));

    let early = blind(&open, 100);
    assert_eq!(stand(early.respond), Some((Stand::Running, 100, Some(at(120)))));
    assert_eq!(stand(early.repair), Some((Stand::Running, 100, Some(at(400)))));
    let late = blind(&open, 450);
    assert_eq!(stand(late.respond), Some((Stand::Missed, 450, Some(at(120)))));
    assert_eq!(stand(late.repair), Some((Stand::Missed, 450, Some(at(400)))));
    let overdue: Vec<_> = late.overdue().map(|one| (one.duty, one.at)).collect();
    assert_eq!(overdue, [(Duty::Respond, at(120)), (Duty::Repair, at(400))]);

    // Answered in time, and seen again before it ends: the seconds in which it waited for that to last do not count.
    let answer = Some(Ack { by: "Hưng".into(), via: "page".into(), at: at(60) });
    let ended = blind(&Incident { responded: answer, closed: Some(at(900)), ..open.clone() }, 950);
    assert_eq!(stand(ended.respond), Some((Stand::Kept, 60, Some(at(60)))));
    assert_eq!(ended.seconds, Reckoning { counted: 500, seen: 400, ..Reckoning::default() });
    assert_eq!(stand(ended.repair), Some((Stand::Missed, 500, Some(at(400)))), "as long as it took");
    let merged = Incident { closed: Some(at(50)), part_of: Some(9), ..open };
    assert_eq!(stand(blind(&merged, 70).repair), Some((Stand::Merged, 50, Some(at(50)))));
}

#[test]
fn each_level_has_a_clock_of_its_own() {
    let levels =
        [level("cho", Level::Critical, -30), level("cho", Level::Blind, 300), level("cho", Level::Critical, 400)];
    let clocks =
        clocks_of(&fleet(), &watched(&levels, &[]), &settings(60, 600, None), &incident(&["cho"], Level::Blind), 500);
    let seen: Vec<_> = clocks.iter().map(|clock| (clock.level, clock.seconds.counted, clock.seconds.milder)).collect();
    assert_eq!(seen, [(Level::Blind, 100, 400), (Level::Critical, 500, 0)]);
    assert_eq!(clocks[0].repair.map(|repair| repair.stands), Some(Stand::Paused), "it is no longer blind");
    let critical = incident(&["cho"], Level::Critical);
    let clocks = clocks_of(&fleet(), &watched(&levels, &[]), &settings(60, 600, None), &critical, 200);
    assert_eq!(clocks.len(), 1, "it never was blind");
}

#[test]
fn what_lies_with_others_does_not_count_and_what_is_left_does() {
    let link =
        |state, since| crate::model::LinkRecord { branch: Branch::Link("fibre".into()), state, since: at(since) };
    let rows = [
        row("a", State::Unreachable, -30, -30),
        row("b", State::Unreachable, -30, -30),
        // When the line is back, one of them stays silent by itself.
        row("a", State::Down, 200, 200),
        row("b", State::Up, 200, 200),
        // Out of service on purpose only after it broke: that was not planned.
        row("a", State::Maintenance, 600, 600),
    ];
    let levels = [level("cho", Level::Blind, -30), level("cho", Level::Critical, 200)];
    let history =
        History { links: vec![link(LinkState::Down, -30), link(LinkState::Up, 200)], ..watched(&levels, &rows) };
    let clocks = clocks_of(&fleet(), &history, &settings(60, 600, None), &incident(&["cho"], Level::Blind), 700);
    let expected = Reckoning { others: 200, milder: 500, ..Reckoning::default() };
    assert_eq!((clocks[0].level, clocks[0].seconds), (Level::Blind, expected));
    let expected = Reckoning { others: 200, counted: 500, ..Reckoning::default() };
    assert_eq!((clocks[1].level, clocks[1].seconds), (Level::Critical, expected));
    // A site that is blind by others' line and by a camera of the contractor's is theirs as far as that camera goes.
    let rows = [row("a", State::Unreachable, -30, -30), row("b", State::Down, -30, -30)];
    let history = History { links: vec![link(LinkState::Down, -30)], ..watched(&levels[..1], &rows) };
    let clocks = clocks_of(&fleet(), &history, &settings(60, 600, None), &incident(&["cho"], Level::Blind), 100);
    assert_eq!((clocks[0].seconds.others, clocks[1].seconds.counted), (100, 100));
}

#[test]
fn maintenance_that_was_entered_before_does_not_count_nor_does_what_a_site_lacks_after_it_left() {
    let rows = [
        row("a", State::Up, -60, -60),
        row("b", State::Up, -60, -60),
        row("a", State::Maintenance, 100, 100),
        row("b", State::Down, 300, 300),
    ];
    let levels = [level("cho", Level::Critical, 100), level("cho", Level::Blind, 300)];
    let clocks =
        |incident: &Incident| clocks_of(&fleet(), &watched(&levels, &rows), &settings(60, 600, None), incident, 500);
    let open = Incident { opened: at(100), ..incident(&["cho"], Level::Blind) };
    let [blind, critical] = &clocks(&open)[..] else { panic!("two terms") };
    assert_eq!(
        blind.seconds,
        Reckoning { milder: 200, maintenance: 200, ..Reckoning::default() },
        "with it one view is seen"
    );
    assert_eq!(critical.seconds, Reckoning { maintenance: 200, counted: 200, ..Reckoning::default() });
    let left = Incident { left: [("cho".into(), at(350))].into(), ..open };
    assert_eq!(
        clocks(&left)[1].seconds,
        Reckoning { maintenance: 200, counted: 50, seen: 150, ..Reckoning::default() }
    );
}

#[test]
fn a_repair_is_as_old_as_the_first_look_that_found_it() {
    let rows = ["a", "b"].map(|id| [row(id, State::Down, -30, -30), row(id, State::Up, 300, 330)]).concat();
    let levels = [level("cho", Level::Blind, -30), level("cho", Level::Full, 330)];
    let clocks =
        clocks_of(&fleet(), &watched(&levels, &rows), &settings(60, 600, None), &incident(&["cho"], Level::Blind), 400);
    assert_eq!(clocks[0].seconds, Reckoning { counted: 300, seen: 100, ..Reckoning::default() });
}

#[test]
fn outside_the_agreed_hours_time_stands_still_and_the_end_is_foretold() {
    let hours = DailyHours { from: jiff::civil::time(7, 0, 0, 0), to: jiff::civil::time(17, 0, 0, 0) };
    // Monday to Friday; it was decided on Thursday, 2026-10-01, at 16:00.
    let hours = Some(Span::Weekly { days: vec![1, 2, 3, 4, 5], hours });
    let opened = at(16 * 3600);
    let open = Incident { opened, ..incident(&["cho"], Level::Blind) };
    let history = watched(&[level("cho", Level::Blind, -30)], &[]);
    let settings = settings(3600, 12 * 3600, hours);
    let clock = |hour: i64| clocks_of(&fleet(), &history, &settings, &open, hour * 3600).remove(0);
    let friday = clock(24 + 8);
    assert_eq!(friday.seconds, Reckoning { counted: 2 * 3600, out_of_hours: 14 * 3600, ..Reckoning::default() });
    assert_eq!(friday.respond.map(|one| (one.stands, one.at)), Some((Stand::Missed, Some(at((24 + 7) * 3600)))));
    // Ten hours are left: nine of them on Friday, and one on Monday.
    let due = Some(at((4 * 24 + 8) * 3600));
    assert_eq!(friday.repair.map(|one| (one.stands, one.at)), Some((Stand::Running, due)));
    let saturday = clock(2 * 24 + 12);
    assert_eq!(saturday.repair.map(|one| (one.stands, one.left_seconds())), Some((Stand::Paused, 3600)));
    assert_eq!(saturday.now(), Some(Reckoned::OutOfHours));
}

#[test]
fn a_report_has_what_was_decided_in_its_month_and_no_other_has_it() {
    use super::tests::DAY;
    let levels = [level("cho", Level::Blind, -DAY), level("cho", Level::Full, DAY)];
    let history = History {
        incidents: vec![Incident {
            // From the last evening of September until the second day of October.
            opened: at(-3600),
            responded: Some(Ack { by: "=Hưng".into(), via: "page".into(), at: at(-1800) }),
            closed: Some(at(DAY + 600)),
            ..incident(&["cho"], Level::Blind)
        }],
        runs: vec![Run { from: at(-DAY), until: at(40 * DAY) }],
        ..watched(&levels, &[])
    };
    let settings = Settings {
        contract: settings(3600, 4 * 3600, None).contract.map(|contract| Contract {
            contractor: "Công ty Ánh Sáng".into(),
            terms: contract.terms.into_iter().filter(|term| term.level == Level::Blind).collect(),
        }),
        ..Settings::default()
    };
    let of = |month: &str| {
        let month = month.parse().expect("a month");
        of_month(&fleet(), &history, month, &settings, at(40 * DAY)).contract.expect("there is a contract")
    };
    let (september, october, november) = (of("2026-09"), of("2026-10"), of("2026-11"));
    let kept = |kept, missed, open| Kept { kept, missed, open };
    assert_eq!((september.respond, september.repair), (kept(1, 0, 0), kept(0, 0, 1)));
    assert_eq!((october.respond, october.repair), (kept(0, 0, 0), kept(0, 1, 0)));
    assert_eq!(november.lines, []);
    let line = &october.lines[0];
    assert_eq!((line.respond, line.seconds.counted, line.seconds.seen), (None, DAY + 3600, 600));
    assert_eq!(line.repair.and_then(|repair| repair.at), Some(at(3 * 3600)));
    assert_eq!((september.lines[0].closed, september.lines[0].seconds.total()), (None, 3600));
    assert_eq!(october.repair.share(), Some(0.0));
}

fn any_levels() -> impl Strategy<Value = Vec<LevelChange>> {
    let change = (prop::sample::select(vec!["cho", "cang"]), prop::sample::select(Level::ALL.to_vec()), 0..200_i64);
    prop::collection::vec(change, 0..16).prop_map(|changes| {
        let mut now = -60;
        let each = changes.into_iter().map(|(site, to, pause)| {
            now += pause;
            level(site, to, now)
        });
        each.collect()
    })
}

/// What a site lacks where some cameras work and others do not: `cho` needs both, `cang` needs `b`.
fn would(site: &str, works: [bool; 2], states: [State; 2]) -> Level {
    let lost = |one: usize| !works[one] && (states[one].is_lost() || states[one] == State::Maintenance);
    let unknown = |one: usize| !works[one] && matches!(states[one], State::Unknown | State::Off);
    let views: &[usize] = if site == "cho" { &[0, 1] } else { &[1] };
    let count = |is: &dyn Fn(usize) -> bool| views.iter().filter(|one| is(**one)).count();
    match (count(&lost), count(&unknown)) {
        (lost, _) if lost == views.len() => Level::Blind,
        (0, 0) => Level::Full,
        (0, _) => Level::Unknown,
        _ => Level::Critical,
    }
}

proptest! {
    #[test]
    fn it_agrees_with_a_recount_second_by_second(
        (a, b) in (any_rows(), any_rows()),
        links in any_links(),
        runs in any_runs(),
        levels in any_levels(),
        (told, unproven) in (prop::sample::select(vec![Level::Critical, Level::Blind]), any::<bool>()),
        (repair, respond) in (0..1200_u64, 0..1200_u64),
        (answered, closed) in (prop::option::of(0..LENGTH), prop::option::of(0..LENGTH)),
    ) {
        let b: Vec<Transition> = b.into_iter().map(|row| Transition { camera: "b".into(), ..row }).collect();
        let transitions = a.iter().chain(&b).cloned().collect();
        let history = History { transitions, links: links.clone(), runs: runs.clone(), levels: levels.clone(), ..History::default() };
        let ack = answered.map(|second| Ack { by: "Hưng".into(), via: "page".into(), at: at(second) });
        let mut incident = Incident { responded: ack, closed: closed.map(at), ..incident(&["cho", "cang"], told) };
        if unproven {
            incident.cause = Cause::Unproven("cho".into());
        }
        let settings = settings(respond, repair, None);
        let clocks = clocks_of(&two_sites(), &history, &settings, &incident, LENGTH);
        let end = closed.unwrap_or(LENGTH);
        prop_assert_eq!(clocks.len(), if unproven || told == Level::Critical { 1 } else { 2 });

        let states = [painted(&a, BEFORE, LENGTH + 3000), painted(&b, BEFORE, LENGTH + 3000)];
        let down = |id: &str, second: i64| {
            let last = links.iter().rev().find(|row| row.branch == Branch::Link(id.into()) && row.since <= at(second));
            last.is_some_and(|row| row.state == LinkState::Down)
        };
        for clock in &clocks {
            prop_assert_eq!(clock.seconds.total(), end, "each second is accounted for");
            let (mut sums, mut counted) = (std::collections::BTreeMap::<Reckoned, i64>::new(), Vec::new());
            for second in 0..end {
                // A run that gave a sign of life not long ago is taken to run still.
                let ends = |run: &Run| if (0..=90).contains(&(LENGTH - (run.until.as_second() - at(0).as_second()))) { at(LENGTH) } else { run.until };
                let awake = runs.iter().any(|run| (run.from..ends(run)).contains(&at(second)));
                let of_site = |site: &str| {
                    let last = levels.iter().rev().find(|row| row.site.as_str() == site && row.since <= at(second));
                    let told = last.map_or(Level::Unknown, |row| row.level);
                    let was = |one: usize| states[one][(BEFORE + second) as usize].map_or(State::Unknown, |(state, _): (State, Option<FailureKind>)| state);
                    // Planned is what was not lost before it was taken out of service.
                    let planned = |one: usize| {
                        let before = states[one][..=(BEFORE + second) as usize].iter().rev();
                        let state = |was: &Option<(State, Option<FailureKind>)>| was.map(|(state, _)| state);
                        let first = before.map(state).find(|state| *state != Some(State::Maintenance));
                        was(one) == State::Maintenance && !first.flatten().is_some_and(State::is_lost)
                    };
                    let others = |one: usize| {
                        planned(one) || (was(one) == State::Unreachable && (down("fibre", second) || !down("switch", second)))
                    };
                    let better = |level: Level, would: Level| match would {
                        _ if told == Level::Full => told,
                        Level::Unknown => level,
                        Level::Critical | Level::Blind if level == Level::Unknown => level,
                        would if level != Level::Unknown && would.severity() > level.severity() => level,
                        would => would,
                    };
                    let now = [was(0), was(1)];
                    // What is said to be better soon was so since the looks that found it.
                    let of_site = || levels.iter().filter(|row| row.site.as_str() == site && row.since > at(second));
                    let next = of_site().map(|row| row.since).min().and_then(|since| {
                        of_site().rfind(|row| row.since == since).map(|row| row.level)
                    });
                    let recovers = next.is_some_and(|next| better(told, next) != told);
                    let level = if recovers { better(told, would(site, [false, false], now)) } else { told };
                    let theirs = better(level, would(site, [others(0), others(1)], now));
                    let unplanned = better(level, would(site, [planned(0), planned(1)], now));
                    // Of what does not see the site nothing is said.
                    let watchers: &[usize] = if site == "cho" { &[0, 1] } else { &[1] };
                    let theirs = if watchers.iter().any(|one| others(*one)) { theirs } else { level };
                    let unplanned = if watchers.iter().any(|one| others(*one)) { unplanned } else { level };
                    let reaches = |level: Level| match clock.level {
                        Level::Unknown => level == Level::Unknown,
                        Level::Blind => level == Level::Blind,
                        _ => matches!(level, Level::Critical | Level::Blind),
                    };
                    match () {
                        () if !awake => Reckoned::MonitorDown,
                        () if level == Level::Unknown && clock.level != Level::Unknown => Reckoned::Unseen,
                        () if reaches(level) && reaches(theirs) => Reckoned::Counted,
                        () if reaches(level) && reaches(unplanned) => Reckoned::Others,
                        () if reaches(level) => Reckoned::Maintenance,
                        () if level == Level::Full || clock.level == Level::Unknown => Reckoned::Seen,
                        () => Reckoned::Milder,
                    }
                };
                let first = of_site("cho").min(of_site("cang"));
                *sums.entry(first).or_default() += 1;
                counted.push(first == Reckoned::Counted);
            }
            for reckoned in Reckoned::ALL {
                prop_assert_eq!(clock.seconds.of(reckoned), sums.get(&reckoned).copied().unwrap_or_default(), "{:?}", reckoned);
            }
            for (duty, deadline) in clock.deadlines() {
                let done = answered.filter(|second| duty == Duty::Respond && *second <= end);
                let until = done.unwrap_or(end).min(end) as usize;
                let used = counted[..until].iter().filter(|counts| **counts).count() as i64;
                prop_assert_eq!(deadline.used_seconds, used);
                prop_assert_eq!(deadline.stands == Stand::Missed, used > deadline.allowed_seconds);
                if deadline.stands == Stand::Missed {
                    let at_then = deadline.at.map(|at| at.as_second()).unwrap_or_default() - at(0).as_second();
                    let used_then = counted[..at_then as usize].iter().filter(|counts| **counts).count() as i64;
                    prop_assert_eq!(used_then, deadline.allowed_seconds, "it was used up at that second");
                    prop_assert!(counted[at_then as usize], "and went on");
                }
            }
            let ends: Vec<(Timestamp, Timestamp)> = clock.pieces.iter().map(|piece| (piece.from, piece.until)).collect();
            prop_assert!(ends.windows(2).all(|two| two[0].1 == two[1].0), "without a gap");
        }
    }
}
