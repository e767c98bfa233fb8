//! What an agent saw: what of it is of the present, what of the past, and what is not taken at all.

use crate::model::{AgentLook, CameraId, Check, Content, Fleet, LateLook, LinkId, Observer, Sighting};
use jiff::Timestamp;
use std::{collections::BTreeMap, time::Duration};

/// What ended no longer ago says something of the present. An agent sends what changed at once, and what did not every some
/// tens of seconds.
const FRESH: Duration = Duration::from_secs(60);
/// What is older is not believed: agents keep a week.
const OLDEST: Duration = Duration::from_secs(8 * 24 * 3600);
/// A look takes seconds; steps of it that are kept.
const LONGEST: Duration = Duration::from_secs(120);
const RUNGS: usize = 32;

/// An agent's looks, sorted.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sorted {
    /// Those of the present.
    pub fresh: Vec<Sighting>,
    /// Those of the past from which something follows.
    pub late: Vec<LateLook>,
    /// The others of the past: all was well, as before.
    pub uneventful: u64,
    /// The number up to which all are dealt with.
    pub taken: u64,
    /// Looks that were taken before.
    pub repeated: u64,
    /// Looks of cameras that are not this agent's, of times that cannot be, or of a size that none has.
    pub refused: u64,
}

/// Sorts what an agent sends, of which all up to a number was taken before. Numbers say what is new, so it makes no difference
/// how often something is sent.
pub fn sorted(now: Timestamp, before: u64, (agent, fleet): (&LinkId, &Fleet), mut looks: Vec<AgentLook>) -> Sorted {
    looks.sort_by_key(|look| look.number);
    let mut sorted = Sorted { taken: before, ..Sorted::default() };
    // Of what nothing follows only what came right after a failure is kept: it says that the failure was over.
    let mut failed: BTreeMap<CameraId, bool> = BTreeMap::new();
    for look in looks {
        if look.number <= sorted.taken {
            sorted.repeated += 1;
            continue;
        }
        sorted.taken = look.number;
        let error = Duration::from_millis(look.error);
        let age = Duration::from_millis(look.age).saturating_add(error);
        let is_theirs =
            fleet.cameras.get(&look.camera).is_some_and(|camera| fleet.agent_of(camera).as_ref() == Some(agent));
        let is_taken = |_: &Timestamp| is_theirs && age <= OLDEST && !look.oversized;
        let Some(ended) = now.checked_sub(age).ok().filter(is_taken) else {
            sorted.refused += 1;
            continue;
        };
        let AgentLook { camera, mut seen, .. } = look;
        seen.took = seen.took.min(LONGEST);
        seen.started = ended.checked_sub(seen.took).unwrap_or(ended);
        seen.rungs.truncate(RUNGS);
        if age <= FRESH {
            let (by, content) = (Observer::Agent(agent.clone()), Content::Look(Box::new(seen)));
            sorted.fresh.push(Sighting { camera, by, age, error, content });
            continue;
        }
        let fails = seen.failure.is_some();
        let something_follows = seen.check != Check::Device && {
            let was_failing = failed.insert(camera.clone(), fails).unwrap_or(true);
            fails || was_failing || seen.check.sees_media()
        };
        if !something_follows {
            sorted.uneventful += 1;
            continue;
        }
        sorted.late.push(LateLook {
            at: ended,
            check: seen.check,
            failure: seen.failure.as_ref().map(|failure| failure.kind),
            proves: seen.proves(),
            camera,
        });
    }
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        Camera, Commune, DailyHours, Detail, Failure, FailureKind, Language, Link, LinkKind, Observation,
    };
    use proptest::prelude::*;
    use std::{collections::BTreeSet, sync::Arc};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + second).expect("a time in this century")
    }

    /// Two houses with an agent each, `a` and `b`, and a camera of the daemon's own.
    fn fleet() -> Fleet {
        let (name, timezone) = ("Hải Bình".to_owned(), jiff::tz::TimeZone::UTC);
        let mut fleet = Fleet::empty(Commune { name, language: Language::Vi, timezone, night: DailyHours::NIGHT });
        for id in ["a", "b"] {
            let kind = LinkKind::Agent;
            let link =
                Link { name: id.into(), kind, parent: None, bytes_per_day: None, looks_per_second: 1.0, probe: None };
            fleet.links.insert(id.into(), link);
        }
        for (id, link) in [("a-1", Some("a")), ("a-2", Some("a")), ("b-1", Some("b")), ("own", None)] {
            let rtsp = format!("rtsp://10.0.0.1/{id}").parse().expect("a URL");
            let camera = Camera { link: link.map(LinkId::from), ..Camera::new(id, rtsp) };
            fleet.cameras.insert(id.into(), Arc::new(camera));
        }
        fleet
    }

    fn look(number: u64, camera: &str, age: u64, fails: bool) -> AgentLook {
        let failure = fails.then(|| Failure::new(FailureKind::Refused, Detail::default()));
        let seen = Observation { failure, ..Observation::new(Check::Liveness, at(-1_000_000)) };
        AgentLook { number, camera: camera.into(), age: age * 1000, error: 0, seen, oversized: false }
    }

    #[test]
    fn the_present_is_young_and_of_its_own_cameras() {
        let looks = vec![
            look(5, "a-1", 3600, false),
            look(6, "a-1", 59, false),
            look(7, "b-1", 1, true),
            look(8, "own", 1, true),
            look(9, "nowhere", 1, true),
            look(10, "a-2", 9 * 24 * 3600, true),
            look(11, "a-2", u64::MAX / 1000, true),
        ];
        let sorted = sorted(at(0), 4, (&"a".into(), &fleet()), looks);
        assert_eq!((sorted.taken, sorted.refused, sorted.repeated), (11, 5, 0));
        assert_eq!(sorted.fresh.len(), 1);
        let Content::Look(look) = &sorted.fresh[0].content else { panic!("an agent looks") };
        assert_eq!(look.started, at(-59), "by our own clock, whatever theirs said");
        assert_eq!(sorted.late.len(), 1);
        assert_eq!(sorted.late[0].at, at(-3600));
    }

    #[test]
    fn a_look_that_is_larger_than_any_is_refused() {
        let mut huge = look(1, "a-1", 1, true);
        huge.oversized = true;
        let sorted = sorted(at(0), 0, (&"a".into(), &fleet()), vec![huge, look(2, "a-1", 1, true)]);
        assert_eq!((sorted.taken, sorted.refused, sorted.fresh.len()), (2, 1, 1));
    }

    #[test]
    fn what_nothing_follows_from_is_not_kept() {
        let looks = [false, false, true, true, false, false].into_iter().zip(1..);
        let looks = looks.map(|(fails, number)| look(number, "a-1", 3600 - number, fails)).collect();
        let late = sorted(at(0), 0, (&"a".into(), &fleet()), looks).late;
        let kept: Vec<bool> = late.iter().map(|look| look.failure.is_some()).collect();
        assert_eq!(kept, [false, true, true, false]);
    }

    proptest! {
        /// Looks arrive in messages of any size, each sent any number of times: each is taken once.
        #[test]
        fn however_often_it_is_sent_it_counts_once(
            ages in prop::collection::vec(0..200_000u64, 1..60),
            cuts in prop::collection::vec((1..10usize, 1..4usize), 1..40),
        ) {
            let fleet = fleet();
            let all: Vec<AgentLook> = ages.iter().zip(1..).map(|(age, number)| look(number, "a-1", *age, true)).collect();
            let (mut taken, mut seen, mut from) = (0, Vec::new(), 0);
            for (length, times) in cuts {
                let until = (from + length).min(all.len());
                for _ in 0..times {
                    // An answer that was lost: all since the last that was heard is sent again.
                    let sorted = sorted(at(0), taken, (&"a".into(), &fleet), all[from..until].to_vec());
                    taken = sorted.taken;
                    seen.extend(sorted.fresh.iter().map(|fresh| fresh.age.as_secs()));
                    seen.extend(sorted.late.iter().map(|look| at(0).as_second().abs_diff(look.at.as_second())));
                    prop_assert_eq!(sorted.refused, 0);
                }
                // Sometimes the agent hears of it.
                if times % 2 == 0 {
                    from = until;
                }
            }
            let numbers: BTreeSet<u64> = (1..=taken).collect();
            let mut wanted: Vec<u64> = all.iter().filter(|look| numbers.contains(&look.number)).map(|look| look.age / 1000).collect();
            wanted.sort_unstable();
            seen.sort_unstable();
            prop_assert_eq!(seen, wanted);
        }
    }
}
