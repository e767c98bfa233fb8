//! The plan in made-up time: cadence, confirmation, recovery, the login breaker, and limits under any outcomes.

use super::*;
use crate::model::{Commune, Consent, Device, Kind, Language, Link, LinkKind, Login};
use proptest::prelude::*;
use std::collections::BTreeSet;

fn camera(id: &str, device: &str, kind: Kind) -> Arc<Camera> {
    let rtsp = format!("rtsp://127.0.0.1/{id}").parse().expect("a URL");
    let login = Some(Arc::new(Login::new("u", "p".to_owned())));
    Arc::new(Camera { kind, device: device.into(), login, ..Camera::new(id, rtsp) })
}

fn fleet(cameras: Vec<Arc<Camera>>, sessions: usize) -> Fleet {
    let (timezone, night) = (jiff::tz::TimeZone::UTC, crate::model::DailyHours::NIGHT);
    let commune = Commune { name: String::new(), language: Language::Vi, timezone, night };
    Fleet {
        devices: cameras.iter().map(|camera| (camera.device.clone(), Device { sessions, notes: None })).collect(),
        cameras: cameras.into_iter().map(|camera| (camera.id.clone(), camera)).collect(),
        ..Fleet::empty(commune)
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
    let mut plan = Plan::new(settings, &fleet, &[], at(0), 7);
    let mut seen = Vec::new();
    for millisecond in (0..seconds * 1000).step_by(100) {
        while let Some(order) = plan.take(at(millisecond)) {
            seen.push((millisecond / 1000, order.check));
            plan.finished(at(millisecond), &order, outcome(millisecond / 1000, order.check), 0);
        }
    }
    seen
}

#[test]
fn a_well_camera_is_looked_at_by_its_cadence() {
    let seen = looks(3600, |_, _| None);
    let streams = seen.iter().filter(|(_, check)| check.sees_media()).count();
    assert!((59..=61).contains(&streams), "{streams} stream checks in an hour");
    assert!((355..=365).contains(&seen.len()), "{} looks in an hour", seen.len());
}

#[test]
fn a_failure_is_confirmed_within_seconds_and_then_tried_seldom() {
    let seen = looks(200, |second, _| (second >= 100).then_some(FailureKind::Timeout));
    let bad: Vec<i64> = seen.iter().map(|(second, _)| *second).filter(|second| *second >= 100).collect();
    assert!(bad[0] < 110 && bad[2] - bad[0] <= 5, "{bad:?}");
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
    let outcome = |second, check: Check| (second >= 100 && check.sees_media()).then_some(FailureKind::NoMedia);
    let streams: Vec<i64> = looks(400, outcome)
        .into_iter()
        .filter(|(second, check)| *second >= 100 && check.sees_media())
        .map(|(second, _)| second)
        .collect();
    assert!(streams[2] - streams[0] <= 5, "{streams:?}");
    assert!(streams.windows(2).skip(3).all(|pair| pair[1] - pair[0] >= 59), "{streams:?}");
}

#[test]
fn a_long_look_comes_within_a_minute_of_a_recovery() {
    let outcome = |second, _| (100..300).contains(&second).then_some(FailureKind::Refused);
    let seen = looks(600, outcome);
    let back = seen.iter().find(|(second, check)| *second >= 300 && *check == Check::Stream).expect("a look").0;
    let long = seen.iter().find(|(second, check)| *second >= 300 && *check == Check::Survey).expect("a long look").0;
    assert!((back..=back + 121).contains(&long), "back at {back}, long look at {long}");
}

#[test]
fn what_saw_media_end_is_not_refuted_by_a_silence() {
    // Media ends, then the camera is switched off and on: the first look at media after it must be a long one, since
    // health believes no other.
    let outcome = |second, check: Check| match second {
        0..200 => (check == Check::Survey).then_some(FailureKind::Stalled),
        200..300 => Some(FailureKind::Timeout),
        _ => None,
    };
    let seen = looks(600, outcome);
    let back = seen.iter().find(|(second, check)| *second >= 300 && check.sees_media()).expect("a look at media");
    assert_eq!(back.1, Check::Survey, "{seen:?}");
}

#[test]
fn a_rejected_login_is_tried_twice_and_never_again() {
    let day = 24 * 3600;
    let seen = looks(day, |_, check| (check.sees_media()).then_some(FailureKind::Auth));
    let logins: Vec<i64> = seen.iter().filter(|(_, check)| check.sees_media()).map(|(second, _)| *second).collect();
    assert_eq!(logins.len(), 2, "{logins:?}");
    assert!(logins[1] - logins[0] >= 35 * 60);
    assert!(seen.len() > 8000, "liveness goes on");
}

#[test]
fn a_login_that_only_onvif_rejects_does_not_blind_the_stream() {
    let settings = Settings { jitter: 0.0, ..Settings::default() };
    let onvif = "http://127.0.0.1/onvif/device_service".parse().expect("a URL");
    let with_onvif = Arc::new(Camera { onvif: Some(onvif), ..(*camera("cam", "cam", Kind::Public)).clone() });
    let mut plan = Plan::new(settings, &fleet(vec![with_onvif], 1), &[], at(0), 7);
    let (mut streams, mut devices) = (0, 0);
    for second in 0..6 * 3600 {
        while let Some(order) = plan.take(at(1000 * second)) {
            streams += u32::from(order.check.sees_media());
            devices += u32::from(order.check == Check::Device);
            let failure = (order.check == Check::Device).then_some(FailureKind::Auth);
            plan.finished(at(1000 * second), &order, failure, 0);
        }
    }
    assert_eq!(devices, 2);
    assert!(streams >= 6 * 59, "{streams} stream checks in six hours");
}

#[test]
fn a_full_camera_is_not_asked_again_inside_a_minute() {
    let seen = looks(600, |_, check| (check.sees_media()).then_some(FailureKind::SessionLimit));
    let streams: Vec<i64> = seen.iter().filter(|(_, check)| check.sees_media()).map(|(second, _)| *second).collect();
    assert!(streams.windows(2).all(|pair| pair[1] - pair[0] >= 64), "{streams:?}");
}

#[test]
fn a_changed_login_closes_the_breaker_and_an_unchanged_one_does_not() {
    let settings = Settings { jitter: 0.0, ..Settings::default() };
    let before = camera("cam", "cam", Kind::Public);
    let mut plan = Plan::new(settings.clone(), &fleet(vec![before.clone()], 1), &[], at(0), 7);
    let strike = |plan: &mut Plan, from: i64, until: i64| {
        let mut streams = 0;
        for second in from..until {
            while let Some(order) = plan.take(at(1000 * second)) {
                streams += usize::from(order.check.sees_media());
                let failure = order.check.sees_media().then_some(FailureKind::Auth);
                plan.finished(at(1000 * second), &order, failure, 0);
            }
        }
        streams
    };
    assert_eq!(strike(&mut plan, 0, 5000), 2);
    plan.replan(settings.clone(), &fleet(vec![before.clone()], 1), at(5_000_000));
    assert_eq!(strike(&mut plan, 5000, 10_000), 0);
    let login = Login::new("a", "new".to_owned());
    let after = Arc::new(Camera { login: Some(Arc::new(login)), ..(*before).clone() });
    plan.replan(settings, &fleet(vec![after], 1), at(10_000_000));
    assert_eq!(strike(&mut plan, 10_000, 15_000), 2);
}

#[test]
fn a_restart_remembers_a_rejected_login() {
    let settings = Settings { jitter: 0.0, ..Settings::default() };
    let fleet = fleet(vec![camera("cam", "cam", Kind::Public)], 1);
    let mut plan = Plan::new(settings.clone(), &fleet, &[], at(0), 7);
    let mut record = None;
    for second in 0..60 {
        while let Some(order) = plan.take(at(1000 * second)) {
            let failure = order.check.sees_media().then_some(FailureKind::Auth);
            record = plan.finished(at(1000 * second), &order, failure, 0).or(record);
        }
    }
    let record = record.expect("a strike to remember");
    let mut plan = Plan::new(settings, &fleet, &[record], at(60_000), 8);
    let mut logins = Vec::new();
    for second in 60..20_000 {
        while let Some(order) = plan.take(at(1000 * second)) {
            logins.extend(order.check.sees_media().then_some(second));
            let failure = order.check.sees_media().then_some(FailureKind::Auth);
            plan.finished(at(1000 * second), &order, failure, 0);
        }
    }
    assert_eq!(logins.len(), 1, "{logins:?}");
    assert!(logins[0] >= 35 * 60);
    assert_eq!(plan.outlooks(at(20_000_000)).cameras["cam"].held, Some(Held::LoginRejected));
}

#[test]
fn nobody_knocks_during_the_owners_hours() {
    let hours = "00:10-00:50".parse().expect("a span");
    let lent = Arc::new(Camera { off_hours: vec![hours], ..(*camera("ho", "ho", Kind::Household)).clone() });
    let mut plan = Plan::new(Settings::default(), &fleet(vec![lent], 1), &[], at(0), 7);
    let mut seen = Vec::new();
    for second in 0..7200 {
        while let Some(order) = plan.take(at(1000 * second)) {
            seen.push(second);
            plan.finished(at(1000 * second), &order, None, 1000);
        }
    }
    assert!(seen.iter().all(|second| !(600..3000).contains(second)), "{seen:?}");
    assert!(seen.iter().any(|second| (3000..3010).contains(second)), "looked at as soon as it may be: {seen:?}");
}

#[test]
fn a_link_that_comes_back_is_not_swamped() {
    let cameras: Vec<_> = (0..240)
        .map(|n| {
            let id = format!("cam-{n}");
            Arc::new(Camera { link: Some("switch".into()), ..(*camera(&id, &id, Kind::Public)).clone() })
        })
        .collect();
    let link = |parent: Option<&str>, rate| Link {
        name: String::new(),
        kind: LinkKind::Uplink,
        parent: parent.map(Into::into),
        bytes_per_day: None,
        looks_per_second: rate,
        probe: None,
    };
    let mut fleet = fleet(cameras, 1);
    fleet.links = [("uplink".into(), link(None, 5.0)), ("switch".into(), link(Some("uplink"), 50.0))].into();
    let mut plan = Plan::new(Settings { concurrency: 500, ..Settings::default() }, &fleet, &[], at(0), 7);
    let mut began: Vec<i64> = Vec::new();
    for millisecond in (0..120_000).step_by(50) {
        while let Some(order) = plan.take(at(millisecond)) {
            began.extend(order.check.sees_media().then_some(millisecond));
            // Down until a minute has passed, then all are back at once.
            let failure = (millisecond < 60_000).then_some(FailureKind::Timeout);
            plan.finished(at(millisecond), &order, failure, 40_000);
        }
    }
    assert!(plan.outlooks(at(120_000)).held[&Held::LinkRate] >= 100, "{:?}", plan.held);
    let back: Vec<i64> = began.into_iter().filter(|at| *at >= 60_000).collect();
    assert!(back.len() >= 200, "only {} looks in a minute", back.len());
    for window in back.windows(61) {
        assert!(window[60] - window[0] >= 9_900, "more than ten at once and five a second: {window:?}");
    }
}

#[test]
fn a_camera_that_is_long_dead_is_tried_seldom() {
    let seen = looks(4 * 3600, |_, _| Some(FailureKind::Timeout));
    let late: Vec<i64> = seen.iter().map(|(second, _)| *second).filter(|second| *second > 3 * 3600).collect();
    assert!(late.windows(2).all(|pair| pair[1] - pair[0] >= 119), "{late:?}");
}

proptest! {
    /// Whatever looks find, cost, and however long they take: never two at once on a device of one session, never more
    /// than allowed over all, at most two rejected logins on a recorder with eight channels and four sessions, by
    /// whichever protocol, and no budget is exceeded by more than what one look's requests weigh.
    #[test]
    fn limits_hold_under_any_outcomes(
        seed in any::<u64>(),
        good_until in prop_oneof![Just(0i64), 0i64..20_000],
        outcomes in proptest::collection::vec(
            (proptest::option::of(proptest::sample::select(&FailureKind::ALL)), 1u32..40, 0.0f64..1.0), 50..600),
    ) {
        let onvif: url::Url = "http://127.0.0.1/onvif/device_service".parse().expect("a URL");
        let cameras: Vec<_> = (0..8)
            .map(|n| camera(&format!("nvr-{n}"), "nvr", Kind::Public))
            .chain((0..6).map(|n| camera(&format!("cam-{n}"), &format!("cam-{n}"), Kind::Household)))
            .map(|camera| Arc::new(Camera {
                onvif: Some(onvif.clone()),
                link: Some("uplink".into()),
                bytes_per_day: Some(3_000_000),
                ..(*camera).clone()
            }))
            .collect();
        let settings = Settings { concurrency: 6, ..Settings::default() };
        let mut fleet = fleet(cameras, 1);
        fleet.devices.insert("nvr".into(), Device { sessions: 4, notes: None });
        let (name, kind) = (String::new(), LinkKind::Uplink);
        fleet.links = [("uplink".into(), Link { name, kind, parent: None, bytes_per_day: Some(20_000_000), looks_per_second: 5.0, probe: None })].into();
        let mut plan = Plan::new(settings, &fleet, &[], at(0), seed);
        let mut flying: Vec<(i64, Order, Option<FailureKind>, u64)> = Vec::new();
        let mut rejected = 0;
        let mut spent: Vec<(i64, CameraId, u64)> = Vec::new();
        let mut outcomes = outcomes.into_iter();
        'world: for second in 0..100_000i64 {
            let (done, still): (Vec<_>, Vec<_>) = flying.into_iter().partition(|(until, ..)| *until <= second);
            flying = still;
            for (_, order, failure, bytes) in done {
                let recorder = order.camera.device.as_str() == "nvr";
                rejected += i32::from(recorder && failure == Some(FailureKind::Auth));
                plan.finished(at(1000 * second), &order, failure, bytes);
            }
            while let Some(order) = plan.take(at(1000 * second)) {
                let Some((kind, took, share)) = outcomes.next() else { break 'world };
                let recorder = order.camera.device.as_str() == "nvr";
                // On the recorder each login is wrong from some time on, and liveness is well.
                let kind = match (recorder, order.check) {
                    (true, Check::Liveness) => None,
                    (true, _) => (second >= good_until).then_some(FailureKind::Auth),
                    _ => kind,
                };
                let limit = if recorder { 4 } else { 1 };
                let same = flying.iter().filter(|(_, other, ..)| other.camera.device == order.camera.device).count();
                prop_assert!(same < limit);
                prop_assert!(flying.iter().all(|(_, other, ..)| other.camera.id != order.camera.id), "two looks at one camera");
                let bytes = (order.byte_limit as f64 * share) as u64 + 500;
                spent.push((second, order.camera.id.clone(), bytes));
                flying.push((second + i64::from(took), order, kind, bytes));
                prop_assert!(flying.len() <= 6);
            }
        }
        prop_assert!(rejected <= 2, "{rejected} rejected logins");
        let last = spent.last().map_or(0, |(second, ..)| *second);
        let lately = || spent.iter().filter(|(second, ..)| *second > last - 86_400);
        for id in fleet.cameras.keys() {
            let bytes: u64 = lately().filter(|(_, camera, _)| camera == id).map(|(.., bytes)| bytes).sum();
            prop_assert!(bytes <= 3_000_000 + 16_384, "{bytes} bytes from {id}");
        }
        let bytes: u64 = lately().map(|(.., bytes)| bytes).sum();
        prop_assert!(bytes <= 20_000_000 + 6 * 16_384, "{bytes} bytes over the link");
        prop_assert_eq!(plan.queue.len() + plan.in_flight + waiting_for_ever(&plan), plan.entries.len(), "a camera is forgotten");
    }
}

/// Cameras of which nothing at all is planned; there are none while liveness is.
fn waiting_for_ever(plan: &Plan) -> usize {
    plan.entries.values().filter(|entry| !entry.in_flight && plan.due(entry, at(0)).is_none()).count()
}

#[test]
fn long_looks_hold_up_no_short_one_however_many_are_due() {
    let settings = Settings { concurrency: 8, ..Settings::default() };
    let cameras = (0..60).map(|number| camera(&format!("c{number}"), &format!("c{number}"), Kind::Public)).collect();
    let mut plan = Plan::new(settings, &fleet(cameras, 1), &[], at(0), 7);
    let mut under_way: Vec<(i64, Order)> = Vec::new();
    let (mut surveyed, mut worst) = (BTreeSet::new(), Duration::ZERO);
    for millisecond in (0..300_000).step_by(50) {
        let ended = under_way.extract_if(.., |(until, _)| *until <= millisecond).collect::<Vec<_>>();
        for (_, order) in ended {
            plan.finished(at(millisecond), &order, None, 0);
        }
        while let Some(order) = plan.take(at(millisecond)) {
            let long = order.check == Check::Survey;
            if long {
                surveyed.insert(order.camera.id.clone());
            }
            under_way.push((millisecond + if long { 6500 } else { 100 }, order));
        }
        let long = under_way.iter().filter(|(_, order)| order.check == Check::Survey).count();
        assert!(long <= 4, "{long} long looks at once");
        worst = worst.max(plan.lag(at(millisecond)));
    }
    assert_eq!(surveyed.len(), 60, "each has its turn");
    assert!(worst < Duration::from_secs(1), "a look was {worst:?} late");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Whatever its owner agreed to, and however that is changed: no look is handed out before it begins or past its end,
    /// by this plan or by one that takes a new consent in; and while it is good it is looked at.
    #[test]
    fn no_look_is_handed_out_without_consent(
        consents in prop::collection::vec((-2i64..4, prop::option::of(0i64..4)), 1..4),
        step in 600i64..2400,
        fails in any::<bool>(),
    ) {
        const DAYS: i64 = 5;
        let zone = fleet(Vec::new(), 1).commune.timezone;
        let today = at(0).to_zoned_datetime(zone.clone()).date();
        let day = |days: i64| today.checked_add(jiff::Span::new().days(days)).expect("a day");
        let lent = |(from, length): (i64, Option<i64>)| {
            let consent = Consent { given: day(from), scope: None, until: length.map(|length| day(from + length)) };
            Arc::new(Camera { consent: Some(consent), ..(*camera("ho", "ho", Kind::Household)).clone() })
        };
        let mut plan = Plan::new(Settings::default(), &fleet(vec![lent(consents[0])], 1), &[], at(0), 7);
        let (mut now, mut looks, mut good) = (0, 0, 0);
        let each = DAYS * 86_400 / i64::try_from(consents.len()).expect("few");
        for (number, consent) in (0..).zip(&consents) {
            let camera = lent(*consent);
            plan.replan(Settings::default(), &fleet(vec![camera.clone()], 1), at(1000 * now));
            while now < (number + 1) * each {
                // The oracle counts days, not moments.
                let local = at(1000 * now).to_zoned_datetime(zone.clone()).date();
                let agreed = day(consent.0) <= local && consent.1.is_none_or(|length| local <= day(consent.0 + length));
                while let Some(order) = plan.take(at(1000 * now)) {
                    prop_assert!(agreed, "looked at {now} s with {consent:?}");
                    looks += 1;
                    plan.finished(at(1000 * now), &order, fails.then_some(FailureKind::Timeout), 1000);
                }
                good += i64::from(agreed);
                now += step;
            }
        }
        prop_assert!(good < 20 || looks > 2, "{looks} looks in {good} steps");
    }
}
