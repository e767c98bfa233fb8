//! What somebody saw, whoever it was, in any order, late and repeated: a camera counts as seeing by a proof alone that is as
//! strong as it is believed by, and younger than its limit.

use super::tests::{at, fleet};
use super::*;
use crate::model::{
    Camera, Check, Claim, Codec, Content, Link, LinkId, LinkKind, Observation, Observer, Sighting, StreamFacts,
    Strength,
};
use proptest::prelude::*;

const CAMERAS: [(&str, Option<&str>, Strength); 4] = [
    ("0-north", Some("cloud"), Strength::Counter),
    ("0-south", Some("cloud"), Strength::Word),
    ("1-north", None, Strength::Media),
    ("1-south", Some("house"), Strength::Media),
];

/// Two cameras of which a source tells, one of the daemon's own, and one behind an agent.
fn commune() -> Arc<Fleet> {
    let mut fleet = (*fleet(2)).clone();
    for (id, kind) in [("cloud", LinkKind::Source), ("house", LinkKind::Agent)] {
        let link =
            Link { name: id.into(), kind, parent: None, bytes_per_day: None, looks_per_second: 1.0, probe: None };
        fleet.links.insert(id.into(), link);
    }
    for (id, link, proof) in CAMERAS {
        let camera: &mut Camera = Arc::make_mut(fleet.cameras.get_mut(id).expect("it is there"));
        (camera.link, camera.proof) = (link.map(LinkId::from), proof);
    }
    Arc::new(fleet)
}

/// Somebody sees something of a camera, by number, and says so so many seconds later.
#[derive(Debug, Clone)]
enum Saw {
    Media(bool),
    Counter(u64),
    Works(bool),
}

#[derive(Debug, Clone)]
struct Told {
    camera: usize,
    saw: Saw,
    age: i64,
    /// How often it is said.
    times: usize,
    /// Seconds that pass before the next.
    pause: i64,
}

fn any_told() -> impl Strategy<Value = Told> {
    let saw = prop_oneof![
        3 => any::<bool>().prop_map(Saw::Media),
        4 => (0..40u64).prop_map(Saw::Counter),
        3 => any::<bool>().prop_map(Saw::Works),
    ];
    let pause = prop_oneof![6 => 0..30i64, 1 => 60..20_000i64];
    (0..CAMERAS.len(), saw, 0..60i64, 1..3usize, pause).prop_map(|(camera, saw, age, times, pause)| Told {
        camera,
        saw,
        age,
        times,
        pause,
    })
}

fn sighting(told: &Told, now: i64) -> Sighting {
    let (id, link, _) = CAMERAS[told.camera];
    let content = match told.saw {
        Saw::Counter(count) => Content::Claim(Claim::Counter(count)),
        Saw::Works(works) => Content::Claim(Claim::Works(works)),
        Saw::Media(well) => {
            let failure =
                (!well).then(|| crate::model::Failure::new(FailureKind::Refused, crate::model::Detail::default()));
            let stream = well.then(|| StreamFacts { proven: true, frames: 10, ..StreamFacts::new(Codec::H264) });
            let look = Observation { failure, stream, ..Observation::new(Check::Stream, at(now - told.age)) };
            Content::Look(Box::new(look))
        }
    };
    let by = match (&content, link) {
        (Content::Claim(_), _) => Observer::Source("cloud".into()),
        (_, Some(house)) => Observer::Agent(house.into()),
        (_, None) => Observer::Daemon,
    };
    let (age, error) = (Duration::from_secs(told.age.unsigned_abs()), Duration::ZERO);
    Sighting { camera: id.into(), by, age, error, content }
}

proptest! {
    /// The oracle keeps all that was ever said. A counter can prove something by having been lower before.
    #[test]
    fn whoever_saw_it_a_proof_is_as_strong_as_it_must_be_and_young(all in prop::collection::vec(any_told(), 1..150)) {
        let fleet = commune();
        let settings = Settings::default();
        let mut now = 1000;
        let (mut monitor, _) = Monitor::new(fleet.clone(), settings.clone(), Restored::default(), at(0));
        let mut proofs: Vec<(usize, i64)> = Vec::new();
        let mut lowest = [u64::MAX; CAMERAS.len()];
        for told in &all {
            let believed = CAMERAS[told.camera].2;
            let proves = match told.saw {
                Saw::Media(well) => well,
                Saw::Counter(count) => {
                    let was_lower = lowest[told.camera] < count;
                    lowest[told.camera] = lowest[told.camera].min(count);
                    was_lower && believed >= Strength::Counter
                }
                Saw::Works(works) => works && believed >= Strength::Word,
            };
            if proves {
                proofs.push((told.camera, now - told.age));
            }
            for _ in 0..told.times {
                monitor.handle(at(now), Event::Seen(sighting(told, now)));
            }
            now += told.pause;
            monitor.handle(at(now), Event::Tick);
            let snapshot = monitor.snapshot(at(now));
            for (number, (id, _, believed)) in CAMERAS.iter().enumerate() {
                let status = &snapshot.cameras[&CameraId::from(*id)];
                if !status.state.sees() {
                    continue;
                }
                let limit = settings.health.stale_after_public.as_secs() as i64;
                let young = proofs.iter().any(|(of, when)| *of == number && now - when <= limit);
                prop_assert!(young, "{id} is {:?} at {now} by none of {proofs:?}", status.state);
                let proof = status.proof.as_ref().expect("what proved it is shown");
                prop_assert!(proof.strength <= *believed && proofs.contains(&(number, proof.at.as_second() - at(0).as_second())));
            }
            for site in snapshot.sites.values() {
                for view in &site.views {
                    prop_assert!(view.seeing <= proofs.len());
                }
            }
        }
    }
}

fn says(monitor: &mut Monitor, second: i64, camera: usize, saw: Saw) -> State {
    let told = Told { camera, saw, age: 0, times: 1, pause: 0 };
    monitor.handle(at(second), Event::Seen(sighting(&told, second)));
    monitor.snapshot(at(second)).cameras[&CameraId::from(CAMERAS[camera].0)].state
}

#[test]
fn a_counter_proves_by_rising_and_fails_by_standing_still() {
    let (mut monitor, _) = Monitor::new(commune(), Settings::default(), Restored::default(), at(0));
    assert_eq!(says(&mut monitor, 10, 0, Saw::Counter(100)), State::Unknown, "there is nothing to compare it with");
    assert_eq!(says(&mut monitor, 70, 0, Saw::Works(true)), State::Unknown, "a word is too weak for it");
    assert_eq!(says(&mut monitor, 71, 0, Saw::Counter(101)), State::Up);
    assert_eq!(says(&mut monitor, 72, 0, Saw::Counter(101)), State::Up, "a second later it may stand still");
    for (second, state) in [(130, State::Up), (190, State::Up), (250, State::Down)] {
        assert_eq!(says(&mut monitor, second, 0, Saw::Counter(101)), state, "{second}");
    }
    let snapshot = monitor.snapshot(at(250));
    let status = &snapshot.cameras[&CameraId::from("0-north")];
    assert_eq!(status.cause, Some(FailureKind::Stalled));
    assert_eq!(status.detail.to_string(), "the counter at cloud, a source, stands still at 101");
    assert_eq!(says(&mut monitor, 310, 0, Saw::Counter(5)), State::Down, "it has begun anew");
    assert_eq!(says(&mut monitor, 370, 0, Saw::Counter(6)), State::Down, "once");
    assert_eq!(says(&mut monitor, 430, 0, Saw::Counter(7)), State::Up, "twice");
}

#[test]
fn a_word_is_believed_where_it_is_to_be_and_a_lost_source_takes_its_cameras_with_it() {
    let (mut monitor, _) = Monitor::new(commune(), Settings::default(), Restored::default(), at(0));
    assert_eq!(says(&mut monitor, 10, 1, Saw::Works(true)), State::Up);
    assert_eq!(says(&mut monitor, 10, 2, Saw::Works(true)), State::Unknown, "the daemon looks at that one itself");
    for (second, state) in [(70, State::Up), (130, State::Up), (190, State::Down)] {
        assert_eq!(says(&mut monitor, second, 1, Saw::Works(false)), state, "{second}");
    }
    says(&mut monitor, 250, 1, Saw::Works(true));
    assert_eq!(says(&mut monitor, 310, 1, Saw::Works(true)), State::Up);
    says(&mut monitor, 600, 2, Saw::Media(true));
    monitor.handle(at(611), Event::ObserverLost("cloud".into(), at(310)));
    for second in 611..700 {
        monitor.handle(at(second), Event::Tick);
    }
    let state = |monitor: &mut Monitor, id: &str| monitor.snapshot(at(700)).cameras[&CameraId::from(id)].state;
    assert_eq!(state(&mut monitor, "0-south"), State::Unreachable);
    assert_eq!(state(&mut monitor, "1-north"), State::Up);
    monitor.handle(at(700), Event::Heard(topology::Voice::Link("cloud".into()), true));
    assert_eq!(says(&mut monitor, 701, 1, Saw::Works(true)), State::Up);
}
