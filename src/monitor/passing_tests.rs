//! What only time changes, against a search through everything: at each moment all is as the search finds it, and
//! nothing turns before the monitor says that something will.

use super::tests::{at, fleet};
use super::*;
use crate::model::{
    Camera, Codec, DailyHours, Detail, Failure, FailureKind, Kind, Observation, Scope, Sighting, Span, StreamFacts,
    Window, elapsed, later,
};
use proptest::prelude::*;

const ZONE: i32 = 7;

/// Two sites: one camera has hours over midnight, one by day, one is a household's, and one is serviced each week.
fn commune() -> Arc<Fleet> {
    let mut fleet = (*fleet(2)).clone();
    let mut change = |id: &str, change: &dyn Fn(&mut Camera)| {
        let camera = fleet.cameras.get_mut(id).expect("it is there");
        change(Arc::make_mut(camera));
    };
    let hours = |text: &str| vec![text.parse::<DailyHours>().expect("hours")];
    change("0-north", &|camera| camera.off_hours = hours("22:00-05:30"));
    change("0-south", &|camera| camera.off_hours = hours("12:00-13:15"));
    change("1-north", &|camera| camera.kind = Kind::Household);
    let hours = "03:00-04:00".parse().expect("hours");
    fleet.windows.push(window("weekly", "1-south", Span::Weekly { days: vec![2, 5], hours }));
    Arc::new(fleet)
}

fn window(id: &str, camera: &str, span: Span) -> Window {
    let scope = Scope::Camera(camera.into());
    Window { id: id.to_owned(), scope, span, reason: "bảo trì".to_owned(), author: "An".to_owned() }
}

/// What happens.
#[derive(Debug, Clone)]
enum Deed {
    /// A camera, by number, is seen to work or not.
    Look(usize, bool),
    /// One is silenced for so many seconds, from so many seconds on.
    Silence(usize, i64, i64),
    /// The first silence that stands ends.
    Unsilence,
    Nothing,
}

fn any_deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        4 => (0..4usize, prop::bool::weighted(0.8)).prop_map(|(camera, well)| Deed::Look(camera, well)),
        1 => (0..4usize, -100..1000i64, 1..20_000i64).prop_map(|(camera, from, length)| Deed::Silence(camera, from, length)),
        1 => Just(Deed::Unsilence),
        2 => Just(Deed::Nothing),
    ]
}

/// How far the clock moves: on by seconds or hours, and now and then back.
fn any_step() -> impl Strategy<Value = i64> {
    prop_oneof![6 => 0..200i64, 3 => 200..20_000i64, 1 => -30_000..0i64]
}

fn look(second: i64, well: bool) -> Box<Observation> {
    let failure = (!well).then(|| Failure::new(FailureKind::Refused, Detail::plain("the port is closed")));
    let stream = well.then(|| StreamFacts { proven: true, frames: 10, ..StreamFacts::new(Codec::H264) });
    Box::new(Observation { failure, stream, ..Observation::new(crate::model::Check::Stream, at(second)) })
}

/// What a search finds at a moment: cameras whose owners want no contact, those in maintenance, and night.
fn found(monitor: &Monitor, now: Timestamp) -> (Vec<CameraId>, Vec<CameraId>, bool) {
    let (fleet, zone) = (&monitor.fleet, jiff::tz::TimeZone::fixed(jiff::tz::offset(ZONE as i8)));
    let cameras = |wanted: &dyn Fn(&Camera) -> bool| -> Vec<CameraId> {
        fleet.cameras.values().filter(|camera| wanted(camera)).map(|camera| camera.id.clone()).collect()
    };
    let windows: Vec<&Window> = fleet.windows.iter().chain(&monitor.set_windows).collect();
    let serviced = |camera: &Camera| {
        windows.iter().any(|window| window.is_open(now, &zone) && window.scope == Scope::Camera(camera.id.clone()))
    };
    let night = fleet.commune.night.contain(now.to_zoned_datetime(zone.clone()).time());
    (cameras(&|camera| camera.is_off(now, &zone)), cameras(&serviced), night)
}

fn known(monitor: &Monitor) -> (Vec<CameraId>, Vec<CameraId>, bool) {
    let off = monitor.cameras.iter().filter(|(_, camera)| camera.machine.standing().state == State::Off);
    (off.map(|(id, _)| id.clone()).collect(), monitor.maintenance.keys().cloned().collect(), monitor.night)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn what_only_time_changes_is_found_in_time_and_not_looked_for_before(
        deeds in prop::collection::vec((any_step(), any_deed(), 0.0..1.0f64), 1..60),
    ) {
        let fleet = commune();
        let ids: Vec<CameraId> = fleet.cameras.keys().cloned().collect();
        let settings = Settings::default();
        let limits = (settings.health.stale_after_public, settings.health.stale_after_household);
        let mut second = 0i64;
        let (mut monitor, _) = Monitor::new(fleet.clone(), settings, Restored::default(), at(0));
        // Seconds that truly went by since each camera's last proof: a clock that is set back takes none of them away.
        let mut ages: BTreeMap<CameraId, i64> = BTreeMap::new();
        let mut remembered: BTreeMap<CameraId, Timestamp> = BTreeMap::new();
        let mut windows = 0;
        for (step, deed, share) in deeds {
            // All that is due on the way is done at its time, as the event loop does.
            while step > 0 && monitor.next_deadline() < at(second + step) {
                let due = monitor.next_deadline();
                for effect in monitor.handle(due, Event::Tick) {
                    if let Effect::Proven(proofs) = effect { remembered.extend(proofs); }
                }
                prop_assert!(monitor.next_deadline() > due, "what was due at {due} stays due");
            }
            second += step;
            ages.values_mut().for_each(|age| *age += step.max(0));
            let event = match deed {
                Deed::Look(camera, well) => {
                    let id = ids[camera].clone();
                    if well && !fleet.cameras[&id].is_off(at(second), &fleet.commune.timezone) {
                        ages.insert(id.clone(), 0);
                    }
                    Event::Seen(Sighting::own(id, look(second, well)))
                }
                Deed::Silence(camera, from, length) => {
                    windows += 1;
                    let span = Span::Once { from: at(second + from), until: at(second + from + length) };
                    Event::Silence(window(&format!("set-{windows}"), ids[camera].as_str(), span))
                }
                Deed::Unsilence => {
                    let first = monitor.set_windows.first().map(|window| window.id.clone());
                    first.map_or(Event::Tick, Event::Unsilence)
                }
                Deed::Nothing => Event::Tick,
            };
            // What the clock brings about comes before the look that is handed in at the same moment.
            let ticked = monitor.handle(at(second), Event::Tick);
            for effect in ticked.into_iter().chain(monitor.handle(at(second), event)) {
                if let Effect::Proven(proofs) = effect { remembered.extend(proofs); }
            }
            prop_assert_eq!(known(&monitor), found(&monitor, at(second)), "second {}", second);
            for (id, camera) in &monitor.cameras {
                let limit = if fleet.cameras[id].kind == Kind::Household { limits.1 } else { limits.0 };
                let age = ages.get(id).copied().unwrap_or(i64::MAX);
                let sees = camera.machine.standing().state.sees();
                prop_assert!(!sees || age <= limit.as_secs() as i64, "{id}: {age} s old");
            }
            // Nothing turns before the moment that the monitor names.
            let due = monitor.next_deadline();
            let wait = elapsed(due, at(second)).mul_f64(share);
            let before = later(at(second), wait.min(elapsed(due, at(second)).saturating_sub(Duration::from_nanos(1))));
            prop_assert_eq!(known(&monitor), found(&monitor, before), "between {} and {}", at(second), due);
        }
        // Who ends now has remembered all that was proven, as it stands.
        if let Effect::Proven(proofs) = monitor.last_words() {
            remembered.extend(proofs);
        }
        for (id, camera) in &monitor.cameras {
            prop_assert_eq!(remembered.get(id).copied(), camera.machine.proven(), "{}", id);
        }
        // And so is it within a minute of whatever follows.
        let end = later(at(second), Duration::from_secs(61));
        while monitor.next_deadline() < end {
            let due = monitor.next_deadline();
            for effect in monitor.handle(due, Event::Tick) {
                if let Effect::Proven(proofs) = effect { remembered.extend(proofs); }
            }
        }
        for (id, camera) in &monitor.cameras {
            prop_assert_eq!(remembered.get(id).copied(), camera.machine.proven(), "{}", id);
        }
    }
}
