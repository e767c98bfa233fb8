//! What a camera was in a time of which we heard too late: the same machine, run over the looks of that time.
//!
//! A function of the set of looks: in which order they came, and how often, makes no difference.

use super::{Machine, Settings};
use crate::model::{Codec, Detail, Failure, FailureKind, Kind, LateLook, Observation, State, StreamFacts, Transition};
use jiff::Timestamp;

/// Since when it was what, and why; a later entry is right about all time since it began. Between looks nothing is believed
/// for longer than it would have been then.
pub fn hindsight(kind: Kind, looks: &[&LateLook], settings: &Settings) -> Vec<(Timestamp, State, Option<FailureKind>)> {
    let key = |look: &LateLook| (look.at, look.check, look.failure.map(FailureKind::as_str), look.proves);
    let mut looks = looks.to_vec();
    looks.sort_by_key(|look| key(look));
    looks.dedup_by_key(|look| key(look));
    let Some(first) = looks.first() else { return Vec::new() };
    let mut machine = Machine::new(first.camera.clone(), kind, first.at);
    let mut states = Vec::new();
    let mut note = |turned: Option<Transition>| {
        states.extend(turned.map(|turned| (turned.since, turned.to, turned.cause)));
    };
    for look in looks {
        if let Some(at) = machine.deadline(settings).filter(|at| *at <= look.at) {
            note(machine.tick(at, settings));
        }
        let failure = look.failure.map(|kind| Failure::new(kind, Detail::default()));
        let stream = look.proves.then(|| StreamFacts { proven: true, ..StreamFacts::new(Codec::Other) });
        let seen = Observation { failure: failure.clone(), stream, ..Observation::new(look.check, look.at) };
        note(machine.observe(look.at, &seen, failure.as_ref(), settings));
    }
    if let Some(at) = machine.deadline(settings) {
        note(machine.tick(at, settings));
    }
    states
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Check, elapsed};
    use proptest::prelude::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + second).expect("a time in this century")
    }

    fn look(second: i64, check: Check, failure: Option<FailureKind>) -> LateLook {
        let proves = failure.is_none() && check.sees_media();
        LateLook { camera: "cam".into(), at: at(second), check, failure, proves }
    }

    /// What holds at a moment.
    fn state(states: &[(Timestamp, State, Option<FailureKind>)], moment: Timestamp) -> State {
        let mut known: Vec<(Timestamp, State)> = Vec::new();
        for (since, state, _) in states {
            known.retain(|(before, _)| before < since);
            known.push((*since, *state));
        }
        known.iter().rev().find(|(since, _)| *since <= moment).map_or(State::Unknown, |(_, state)| *state)
    }

    #[test]
    fn it_is_what_the_machine_would_have_said() {
        let refused = Some(FailureKind::Refused);
        let looks = [
            look(0, Check::Stream, None),
            look(60, Check::Liveness, refused),
            look(62, Check::Liveness, refused),
            look(64, Check::Liveness, refused),
            look(300, Check::Stream, None),
            look(302, Check::Stream, None),
        ];
        let looks: Vec<&LateLook> = looks.iter().collect();
        let settings = Settings::default();
        let states = hindsight(Kind::Household, &looks, &settings);
        for (second, wanted) in [
            (-1, State::Unknown),
            (0, State::Up),
            (59, State::Up),
            (60, State::Down),
            (299, State::Down),
            (300, State::Up),
            (302 + settings.stale_after_household.as_secs() as i64 + 1, State::Unknown),
        ] {
            assert_eq!(state(&states, at(second)), wanted, "{second}: {states:?}");
        }
    }

    prop_compose! {
        fn some_look()(
            second in 0..20_000i64, check in prop::sample::select(vec![Check::Liveness, Check::Stream, Check::Survey]),
            failure in prop::option::of(prop::sample::select(vec![
                FailureKind::Timeout, FailureKind::Refused, FailureKind::Stalled, FailureKind::Auth, FailureKind::LowFps,
            ])),
        ) -> LateLook {
            look(second, check, failure)
        }
    }

    proptest! {
        /// Any order and any repetition give the same; and whatever is seen was proven no longer ago than its limit.
        #[test]
        fn order_and_repetition_make_no_difference(
            (looks, shuffled) in prop::collection::vec(some_look(), 0..60).prop_flat_map(|looks| {
                let twice: Vec<LateLook> = looks.iter().chain(looks.iter().take(20)).cloned().collect();
                (Just(looks), Just(twice).prop_shuffle())
            }),
        ) {
            let settings = Settings::default();
            let of = |looks: &[LateLook]| hindsight(Kind::Public, &looks.iter().collect::<Vec<_>>(), &settings);
            let states = of(&looks);
            prop_assert_eq!(&states, &of(&shuffled));
            for second in (0..21_000).step_by(7) {
                if state(&states, at(second)).sees() {
                    let proven = looks.iter().filter(|look| look.proves && look.at <= at(second)).map(|look| look.at).max();
                    let young = |proven| elapsed(at(second), proven) <= settings.stale_after_public;
                    prop_assert!(proven.is_some_and(young), "{} {:?}", second, proven);
                }
            }
        }
    }
}
