//! The machine by tables: a line of looks and the changes that they must give, and properties over any line.

use super::*;
use crate::model::{Codec, StreamFacts};
use proptest::prelude::*;

/// One look in a table: its depth and what was wrong.
type Look = (Check, Option<FailureKind>);

const MEDIA: Look = (Check::Stream, None);
const ALIVE: Look = (Check::Liveness, None);

fn bad(kind: FailureKind) -> Look {
    (Check::Stream, Some(kind))
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).expect("a time in this century")
}

fn machine(state: State) -> Machine {
    let standing = Standing { state, cause: None, detail: Detail::default(), since: at(0) };
    Machine::restored("cam".into(), Kind::Public, standing, Some(at(0)), at(0))
}

fn feed(machine: &mut Machine, second: i64, (check, kind): Look) -> Option<Transition> {
    let failure = kind.map(|kind| Failure::new(kind, Detail::plain(kind.as_str())));
    let stream = check.sees_media().then(|| StreamFacts { proven: true, ..StreamFacts::new(Codec::H264) });
    let observation = Observation { failure: failure.clone(), stream, ..Observation::new(check, at(second)) };
    machine.observe(at(second), &observation, failure.as_ref(), &Settings::default())
}

/// Feeds looks ten seconds apart and compares the changes, each written as `second state cause since-second`.
#[track_caller]
fn check(start: State, looks: &[Look], expected: &[&str]) {
    let mut machine = machine(start);
    let changes: Vec<String> = (1..)
        .zip(looks)
        .filter_map(|(n, look)| feed(&mut machine, 10 * n, *look).map(|change| (10 * n, change)))
        .map(|(second, change)| {
            let cause = change.cause.map_or("-", FailureKind::as_str);
            let since = change.since.as_second() - at(0).as_second();
            format!("{second} {} {cause} {since}", change.to.as_str())
        })
        .collect();
    assert_eq!(changes, expected);
}

#[test]
fn one_look_with_media_makes_an_unknown_camera_up() {
    check(State::Unknown, &[MEDIA], &["10 up - 10"]);
}

#[test]
fn an_answer_without_media_makes_nothing_up() {
    check(State::Unknown, &[ALIVE, ALIVE, ALIVE], &[]);
    check(State::Down, &[ALIVE, ALIVE, ALIVE], &[]);
}

#[test]
fn two_bad_looks_are_not_enough() {
    let t = bad(FailureKind::Timeout);
    check(State::Up, &[t, t, MEDIA, t, t, MEDIA], &[]);
}

#[test]
fn three_bad_looks_are_down_since_the_first() {
    let t = bad(FailureKind::Timeout);
    check(State::Up, &[MEDIA, t, t, t], &["40 down timeout 20"]);
}

#[test]
fn an_answer_breaks_a_run_of_silence() {
    let t = bad(FailureKind::Timeout);
    check(State::Up, &[t, t, ALIVE, t, t], &[]);
}

#[test]
fn an_answer_does_not_excuse_missing_media() {
    let n = bad(FailureKind::NoMedia);
    check(State::Up, &[n, ALIVE, n, ALIVE, n], &["50 down no_media 10"]);
}

#[test]
fn recovery_needs_media_and_one_more_good_look() {
    check(State::Down, &[ALIVE, MEDIA, ALIVE], &["30 up - 20"]);
    check(State::Down, &[MEDIA, bad(FailureKind::Refused), MEDIA, MEDIA], &["40 up - 30"]);
}

#[test]
fn good_looks_further_apart_than_a_proof_lasts_say_nothing_of_the_time_between() {
    let mut machine = machine(State::Down);
    assert_eq!(feed(&mut machine, 10, MEDIA), None);
    // It goes on answering, so it is not forgotten, and nothing proves that it sees.
    assert_eq!(feed(&mut machine, 200, (Check::Device, None)), None);
    let change = feed(&mut machine, 400, MEDIA).expect("two good looks");
    assert_eq!((change.to, change.since), (State::Up, at(400)), "the first proof was good until 310");
}

#[test]
fn a_new_reason_is_believed_when_seen_twice() {
    let (t, r) = (bad(FailureKind::Timeout), bad(FailureKind::Refused));
    check(State::Up, &[t, t, t, r, t, r, r], &["30 down timeout 10", "70 down refused 10"]);
}

#[test]
fn a_fault_that_still_shows_the_road_degrades_after_two_looks() {
    let l = bad(FailureKind::Loss);
    check(State::Up, &[l, MEDIA, l, l, MEDIA, MEDIA], &["40 degraded loss 30", "60 up - 50"]);
}

#[test]
fn a_full_camera_is_believed_as_long_as_its_proof_lasts_and_is_never_down() {
    let full = bad(FailureKind::SessionLimit);
    check(State::Up, &[full; 9], &[]);
    check(State::Unknown, &[full, full], &["10 unknown session_limit 10"]);
    check(State::Down, &[full, full, MEDIA], &["20 unknown session_limit 20", "30 up - 30"]);
    let mut machine = machine(State::Up);
    (1..=30).for_each(|n| drop(feed(&mut machine, 10 * n, full)));
    let change = machine.tick(at(301), &Settings::default()).expect("five minutes without media");
    assert_eq!((change.to, change.cause), (State::Unknown, Some(FailureKind::SessionLimit)));
}

#[test]
fn a_stream_that_ends_late_is_not_excused_by_its_good_beginning() {
    let ends = (Check::Survey, Some(FailureKind::Stalled));
    let goes_on = (Check::Survey, None);
    check(State::Up, &[MEDIA, ends, MEDIA, MEDIA, ends, MEDIA, ends], &["70 down stalled 20"]);
    check(State::Down, &[ends, MEDIA, MEDIA, goes_on, MEDIA], &["50 up - 40"]);
    check(State::Up, &[ends, goes_on, ends, goes_on, ends], &[]);
    let mut machine = machine(State::Up);
    feed(&mut machine, 10, ends);
    feed(&mut machine, 20, MEDIA);
    assert_eq!(machine.proven(), Some(at(0)), "what it shows for a second proves nothing");
}

#[test]
fn what_does_not_prove_media_makes_nothing_up() {
    let mut machine = machine(State::Unknown);
    machine.proven = None;
    for (n, check) in (1..).zip([Check::Stream, Check::Survey, Check::Stream]) {
        let unproven = StreamFacts { frames: 10, ..StreamFacts::new(Codec::H264) };
        let look = Observation { stream: Some(unproven), ..Observation::new(check, at(n)) };
        assert_eq!(machine.observe(at(n), &look, None, &Settings::default()), None);
    }
}

#[test]
fn a_refused_login_is_unknown_never_down() {
    let auth = bad(FailureKind::Auth);
    check(State::Unknown, &[auth, auth, ALIVE], &["10 unknown auth 10"]);
    check(State::Down, &[auth], &["10 unknown auth 10"]);
    check(State::Up, &[auth, auth, auth], &[]);
}

#[test]
fn a_failure_of_our_own_changes_nothing() {
    check(State::Up, &[bad(FailureKind::ProbeFailed); 9], &[]);
}

#[test]
fn onvif_silence_takes_nothing_down() {
    check(State::Up, &[(Check::Device, Some(FailureKind::Timeout)); 9], &[]);
}

#[test]
fn a_camera_without_proof_becomes_unknown_and_says_why() {
    let mut machine = machine(State::Up);
    let settings = Settings::default();
    feed(&mut machine, 10, MEDIA);
    feed(&mut machine, 20, bad(FailureKind::Auth));
    for second in (30..=310).step_by(10) {
        feed(&mut machine, second, ALIVE);
        assert_eq!(machine.tick(at(second), &settings), None);
    }
    let change = machine.tick(at(311), &settings).expect("five minutes without media");
    assert_eq!((change.to, change.cause), (State::Unknown, Some(FailureKind::Auth)));
}

/// What may happen to a camera.
#[derive(Debug, Clone)]
enum Happens {
    Look(Look, bool),
    Time(i64),
    ClockSet(i64),
    Reload(u64),
    /// So many seconds down, with or without the last proof on the disk.
    Restart(i64, bool),
    Off(bool),
}

fn any_event() -> impl Strategy<Value = Happens> {
    prop_oneof![
        6 => (any_look(), any::<bool>()).prop_map(|(look, proven)| Happens::Look(look, proven)),
        6 => (0i64..400).prop_map(Happens::Time),
        1 => (-100_000i64..100_000).prop_map(Happens::ClockSet),
        1 => (60u64..4000).prop_map(Happens::Reload),
        1 => (0i64..1000, any::<bool>()).prop_map(|(down, remembered)| Happens::Restart(down, remembered)),
        1 => any::<bool>().prop_map(Happens::Off),
    ]
}

fn any_look() -> impl Strategy<Value = Look> {
    let kinds = proptest::option::of(proptest::sample::select(&FailureKind::ALL));
    (proptest::sample::select(Check::ALL.to_vec()), kinds)
}

proptest! {
    /// Whatever is seen: down only after three bad looks in the line, up only after media, and each change is one.
    #[test]
    fn no_line_of_looks_invents_a_state(looks in proptest::collection::vec(any_look(), 0..200)) {
        let mut machine = machine(State::Unknown);
        let mut before = machine.standing().clone();
        for (n, look) in (1..).zip(&looks) {
            let change = feed(&mut machine, 10 * n, *look);
            let after = machine.standing().clone();
            prop_assert_eq!(change.is_some(), before != after);
            if let Some(change) = change {
                prop_assert!(change.since <= change.decided);
                prop_assert!((change.from, before.cause) != (change.to, change.cause));
                if change.to == State::Down && change.from != State::Down {
                    let fails = looks[..n as usize]
                        .iter()
                        .filter(|(_, kind)| kind.is_some_and(|kind| kind.weight() == Weight::Fails))
                        .count();
                    prop_assert!(fails >= 3);
                }
                if change.to == State::Up {
                    prop_assert!(looks[..n as usize].iter().any(|(check, failure)| check.sees_media() && failure.is_none()));
                }
            }
            before = after;
        }
    }

    /// Whatever is seen, however the clock is set, through reloads and restarts: what counts as seeing has proven so by
    /// media, no longer ago than the limit.
    #[test]
    fn up_means_proof(events in proptest::collection::vec(any_event(), 1..300)) {
        let mut machine = machine(State::Unknown);
        machine.proven = None;
        let mut settings = Settings::default();
        // The time that really passed, what the clock shows beyond it, and when media was last proven.
        let (mut real, mut offset, mut proof) = (1000i64, 0i64, None::<i64>);
        for event in events {
            // A clock is looked at before and after it is set: the daemon's sweep is never far.
            let kind = machine.standing().clone();
            match event {
                Happens::Time(seconds) => real += seconds,
                Happens::ClockSet(by) => offset += by,
                Happens::Reload(limit) => settings.stale_after_public = Duration::from_secs(limit),
                Happens::Restart(down, remembered) => {
                    let kept = machine.proven().filter(|_| remembered);
                    real += down;
                    machine = Machine::restored("cam".into(), Kind::Public, kind, kept, at(real + offset));
                }
                Happens::Look((check, failure), proven) => {
                    let failure = failure.map(|kind| Failure::new(kind, Detail::default()));
                    let stream = Some(StreamFacts { proven, ..StreamFacts::new(Codec::H264) });
                    let look = Observation { failure: failure.clone(), stream, ..Observation::new(check, at(real)) };
                    if look.proves() {
                        proof = Some(real);
                    }
                    machine.observe(at(real + offset), &look, failure.as_ref(), &settings);
                }
                Happens::Off(off) => drop(machine.set_off(at(real + offset), off.then(Detail::default), &settings)),
            }
            machine.tick(at(real + offset), &settings);
            if machine.standing().state.sees() {
                let age = proof.map(|proof| real - proof);
                let limit = settings.stale_after_public.as_secs() as i64;
                prop_assert!(age.is_some_and(|age| age <= limit), "covered by a proof of {age:?} s, {limit} s is the limit");
            }
        }
    }

    /// A clock that jumps about never makes a camera down by itself.
    #[test]
    fn a_stepping_clock_invents_no_outage(steps in proptest::collection::vec(-1_000_000i64..1_000_000, 1..100)) {
        let mut machine = machine(State::Unknown);
        for step in steps {
            feed(&mut machine, step, MEDIA);
            machine.tick(at(step), &Settings::default());
            prop_assert_ne!(machine.standing().state, State::Down);
        }
    }
}
