//! The plan in made-up time: cadence, confirmation, recovery, the login breaker, and limits under any outcomes.

use super::*;
use crate::model::{Commune, Device, Kind, Language, Transport};
use proptest::prelude::*;

fn camera(id: &str, device: &str, kind: Kind) -> Arc<Camera> {
    Arc::new(Camera {
        id: id.into(),
        name: id.into(),
        kind,
        device: device.into(),
        link: None,
        rtsp: format!("rtsp://127.0.0.1/{id}").parse().expect("a URL"),
        transport: Transport::Tcp,
        onvif: None,
        login: None,
    })
}

fn fleet(cameras: Vec<Arc<Camera>>, sessions: usize) -> Fleet {
    Fleet {
        commune: Commune { name: String::new(), language: Language::Vi, timezone: jiff::tz::TimeZone::UTC },
        devices: cameras.iter().map(|camera| (camera.device.clone(), Device { sessions })).collect(),
        cameras: cameras.into_iter().map(|camera| (camera.id.clone(), camera)).collect(),
        sites: BTreeMap::new(),
        links: BTreeMap::new(),
    }
}

fn at(millisecond: i64) -> Timestamp {
    Timestamp::from_millisecond(millisecond).expect("a small time")
}

/// Runs a plan of one public camera for some seconds; a look takes no time and finds what `outcome` says.
/// Gives each look as `second check`.
fn looks(seconds: i64, outcome: impl Fn(i64, Check) -> Option<FailureKind>) -> Vec<(i64, Check)> {
    let settings = Settings { jitter: 0.0, ..Settings::default() };
    let fleet = fleet(vec![camera("cam", "cam", Kind::Public)], 1);
    let mut plan = Plan::new(settings, &fleet, at(0), 7);
    let mut seen = Vec::new();
    for millisecond in (0..seconds * 1000).step_by(100) {
        while let Some((camera, check)) = plan.take(at(millisecond)) {
            seen.push((millisecond / 1000, check));
            plan.finished(at(millisecond), &camera, check, outcome(millisecond / 1000, check));
        }
    }
    seen
}

#[test]
fn a_well_camera_is_looked_at_by_its_cadence() {
    let seen = looks(3600, |_, _| None);
    let streams = seen.iter().filter(|(_, check)| *check == Check::Stream).count();
    assert!((59..=61).contains(&streams), "{streams} stream checks in an hour");
    assert!((355..=365).contains(&seen.len()), "{} looks in an hour", seen.len());
}

#[test]
fn a_failure_is_confirmed_within_seconds_and_then_tried_seldom() {
    let seen = looks(200, |second, _| (second >= 100).then_some(FailureKind::Timeout));
    let bad: Vec<i64> = seen.iter().map(|(second, _)| *second).filter(|second| *second >= 100).collect();
    assert!(bad[0] < 110 && bad[2] - bad[0] <= 7, "{bad:?}");
    assert!(bad.windows(2).skip(3).all(|pair| pair[1] - pair[0] >= 29), "{bad:?}");
    let late = seen.iter().filter(|(second, _)| *second > 101);
    assert!(late.into_iter().all(|(_, check)| *check == Check::Liveness), "no deep look while nobody answers");
}

#[test]
fn who_answers_again_is_looked_at_deeply_at_once() {
    let seen = looks(400, |second, _| (100..300).contains(&second).then_some(FailureKind::Refused));
    let back: Vec<_> = seen.iter().filter(|(second, _)| *second >= 300).take(3).collect();
    assert_eq!((back[0].1, back[1].1, back[2].1), (Check::Liveness, Check::Stream, Check::Liveness));
    assert_eq!(back[0].0, back[1].0);
    assert!(back[2].0 - back[1].0 <= 4, "the recovery is confirmed quickly");
}

#[test]
fn missing_media_is_confirmed_by_looks_at_media() {
    let outcome = |second, check| (second >= 100 && check == Check::Stream).then_some(FailureKind::NoMedia);
    let streams: Vec<i64> = looks(400, outcome)
        .into_iter()
        .filter(|(second, check)| *second >= 100 && *check == Check::Stream)
        .map(|(second, _)| second)
        .collect();
    assert!(streams[2] - streams[0] <= 7, "{streams:?}");
    assert!(streams.windows(2).skip(3).all(|pair| pair[1] - pair[0] >= 59), "{streams:?}");
}

#[test]
fn a_rejected_login_is_tried_twice_and_never_again() {
    let day = 24 * 3600;
    let seen = looks(day, |_, check| (check == Check::Stream).then_some(FailureKind::Auth));
    let logins: Vec<i64> =
        seen.iter().filter(|(_, check)| *check == Check::Stream).map(|(second, _)| *second).collect();
    assert_eq!(logins.len(), 2, "{logins:?}");
    assert!(logins[1] - logins[0] >= 35 * 60);
    assert!(seen.len() > 8000, "liveness goes on");
}

#[test]
fn a_login_that_only_onvif_rejects_does_not_blind_the_stream() {
    let settings = Settings { jitter: 0.0, ..Settings::default() };
    let onvif = "http://127.0.0.1/onvif/device_service".parse().expect("a URL");
    let with_onvif = Arc::new(Camera { onvif: Some(onvif), ..(*camera("cam", "cam", Kind::Public)).clone() });
    let mut plan = Plan::new(settings, &fleet(vec![with_onvif], 1), at(0), 7);
    let (mut streams, mut devices) = (0, 0);
    for second in 0..6 * 3600 {
        while let Some((camera, check)) = plan.take(at(1000 * second)) {
            streams += u32::from(check == Check::Stream);
            devices += u32::from(check == Check::Device);
            let failure = (check == Check::Device).then_some(FailureKind::Auth);
            plan.finished(at(1000 * second), &camera, check, failure);
        }
    }
    assert_eq!(devices, 2);
    assert!(streams >= 6 * 59, "{streams} stream checks in six hours");
}

#[test]
fn a_full_camera_is_not_asked_again_inside_a_minute() {
    let seen = looks(600, |_, check| (check == Check::Stream).then_some(FailureKind::SessionLimit));
    let streams: Vec<i64> =
        seen.iter().filter(|(_, check)| *check == Check::Stream).map(|(second, _)| *second).collect();
    assert!(streams.windows(2).all(|pair| pair[1] - pair[0] >= 64), "{streams:?}");
}

#[test]
fn a_changed_login_closes_the_breaker_and_an_unchanged_one_does_not() {
    let settings = Settings { jitter: 0.0, ..Settings::default() };
    let before = camera("cam", "cam", Kind::Public);
    let mut plan = Plan::new(settings.clone(), &fleet(vec![before.clone()], 1), at(0), 7);
    let strike = |plan: &mut Plan, from: i64, until: i64| {
        let mut streams = 0;
        for second in from..until {
            while let Some((camera, check)) = plan.take(at(1000 * second)) {
                streams += usize::from(check == Check::Stream);
                let failure = (check == Check::Stream).then_some(FailureKind::Auth);
                plan.finished(at(1000 * second), &camera, check, failure);
            }
        }
        streams
    };
    assert_eq!(strike(&mut plan, 0, 5000), 2);
    plan.replan(settings.clone(), &fleet(vec![before.clone()], 1), at(5_000_000));
    assert_eq!(strike(&mut plan, 5000, 10_000), 0);
    let login = crate::model::Login { username: "a".into(), password: "new".to_owned().into() };
    let after = Arc::new(Camera { login: Some(Arc::new(login)), ..(*before).clone() });
    plan.replan(settings, &fleet(vec![after], 1), at(10_000_000));
    assert_eq!(strike(&mut plan, 10_000, 15_000), 2);
}

proptest! {
    /// Whatever looks find and however long they take: never two at once on a device of one session, never more
    /// than allowed over all, and at most two rejected logins on a recorder with eight channels.
    #[test]
    fn limits_hold_under_any_outcomes(
        seed in any::<u64>(),
        outcomes in proptest::collection::vec((proptest::option::of(proptest::sample::select(FailureKind::ALL)), 1u32..40), 50..400),
    ) {
        let cameras: Vec<_> = (0..8)
            .map(|n| camera(&format!("nvr-{n}"), "nvr", Kind::Public))
            .chain((0..6).map(|n| camera(&format!("cam-{n}"), &format!("cam-{n}"), Kind::Household)))
            .collect();
        let settings = Settings { concurrency: 4, ..Settings::default() };
        let mut plan = Plan::new(settings, &fleet(cameras, 1), at(0), seed);
        let mut flying: Vec<(i64, Arc<Camera>, Check, Option<FailureKind>)> = Vec::new();
        let mut rejected = 0;
        let mut outcomes = outcomes.into_iter();
        'world: for second in 0..100_000i64 {
            let (done, still): (Vec<_>, Vec<_>) = flying.into_iter().partition(|(until, ..)| *until <= second);
            flying = still;
            for (_, camera, check, failure) in done {
                rejected += i32::from(camera.device.as_str() == "nvr" && failure == Some(FailureKind::Auth));
                plan.finished(at(1000 * second), &camera, check, failure);
            }
            while let Some((camera, check)) = plan.take(at(1000 * second)) {
                let Some((kind, took)) = outcomes.next() else { break 'world };
                // On the recorder every login is wrong and liveness is well.
                let kind = match (camera.device.as_str(), check) {
                    ("nvr", Check::Stream) => Some(FailureKind::Auth),
                    ("nvr", _) => None,
                    _ => kind,
                };
                prop_assert!(flying.iter().all(|(_, other, ..)| other.device != camera.device));
                flying.push((second + i64::from(took), camera, check, kind));
                prop_assert!(flying.len() <= 4);
            }
        }
        prop_assert!(rejected <= 2);
        prop_assert_eq!(plan.queue.len() + plan.in_flight, plan.entries.len(), "a camera is forgotten");
    }
}
