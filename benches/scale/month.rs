//! A month of a large fleet through the pure core, in made-up time: cameras die and come back, links are cut, and each
//! day what the core keeps up to date change by change is recounted from everything.
//!
//! Looks come each three hours, and each two seconds around a fault: a month at the default cadence would be two billion
//! looks. The limit of proofs is stretched alike.

use super::fleet::{folder, urls, written};
use camhealth::{
    config,
    model::{
        CameraId, Check, Codec, Detail, Failure, FailureKind, Observation, Restored, Sighting, State, StreamFacts,
        ViewState,
    },
    monitor::{Effect, Event, Monitor, Settings},
};
use jiff::Timestamp;
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
    time::{Duration, Instant},
};

const DAY: i64 = 24 * 3600;
const DAYS: i64 = 30;
/// Between two looks at a camera of which nothing is wrong.
const QUIET: i64 = 10_800;
/// Faults of single cameras in a month, as a share of the fleet, and links that are cut in a month.
const FAULTS_OF_100: usize = 200;
const CUTS: usize = 60;

pub fn measure(size: usize) -> String {
    let folder = folder(size);
    let path = written(&folder, &urls(size), "127.0.0.1:0");
    let config = config::load(&path).expect("a configuration");
    // Left-over files in the system's temporary folder harm nobody.
    let _ = std::fs::remove_dir_all(&folder);
    let mut health = config.health.clone();
    health.stale_after_public = Duration::from_secs(2 * QUIET as u64 + 60);
    health.stale_after_household = health.stale_after_public;
    let settings = Settings { health, topology: config.topology.clone(), alert: config.alert.clone() };
    let began = Instant::now();
    let (mut monitor, _) = Monitor::new(config.fleet.clone(), settings, Restored::default(), at(0));
    let ids: Vec<CameraId> = config.fleet.cameras.keys().cloned().collect();
    let number: BTreeMap<&CameraId, usize> = ids.iter().zip(0..).collect();
    // The next camera on the same link.
    let mut on_links: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for camera in config.fleet.cameras.values() {
        on_links.entry(&camera.link).or_default().push(number[&camera.id]);
    }
    let mut mates = vec![0; size];
    for all in on_links.values() {
        all.iter().zip(all.iter().cycle().skip(1)).for_each(|(camera, mate)| mates[*camera] = *mate);
    }
    // Spans in which a camera is out of reach, by camera.
    let mut faults: Vec<Vec<(i64, i64)>> = vec![Vec::new(); size];
    let mut random = 7u64;
    let mut below = |limit: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) as usize % limit.max(1)
    };
    for _ in 0..size * FAULTS_OF_100 / 100 {
        let (camera, from) = (below(size), 3600 + below(29 * DAY as usize) as i64);
        faults[camera].push((from, from + 600 + below(7200) as i64));
    }
    let links: Vec<_> = config.fleet.links.keys().collect();
    for _ in 0..CUTS {
        let (link, from) = (links[below(links.len())], 3600 + below(29 * DAY as usize) as i64);
        for camera in config.fleet.cameras.values().filter(|camera| camera.link.as_ref() == Some(link)) {
            faults[number[&camera.id]].push((from, from + 3600));
        }
    }
    let ails =
        |camera: usize, second: i64| faults[camera].iter().any(|(from, until)| (*from..*until).contains(&second));
    let mut due: BinaryHeap<Reverse<(i64, usize)>> =
        (0..size).map(|camera| Reverse((below(60) as i64, camera))).collect();
    // Looks at the beginning and the end of each fault, as the daemon's cadence would bring them.
    let mut extra: Vec<(i64, usize)> = Vec::new();
    for (camera, spans) in faults.iter().enumerate() {
        for (from, until) in spans {
            extra.extend([2, 4, 6, 8].iter().flat_map(|wait| [(from + wait, camera), (until + wait, camera)]));
        }
    }
    due.extend(extra.into_iter().map(Reverse));
    let mut next_quiet = vec![0i64; size];
    let (mut events, mut incidents, mut recounts, mut day) = (0u64, 0usize, 0u32, DAY);
    while let Some(Reverse((second, camera))) = due.pop().filter(|Reverse((second, _))| *second < DAYS * DAY) {
        while monitor.next_deadline() < at(second) {
            let deadline = monitor.next_deadline();
            incidents += told(&monitor.handle(deadline, Event::Tick));
            events += 1;
        }
        let fails = ails(camera, second);
        // At the default cadence somebody else on the link, and somebody in the commune, answers within the same second:
        // without them each fault would look like everybody's, and all would be asked.
        for witness in [mates[camera], (camera + size / 2) % size] {
            if fails && !ails(witness, second) {
                let stream = StreamFacts { proven: true, frames: 10, ..StreamFacts::new(Codec::H264) };
                let seen = Observation { stream: Some(stream), ..Observation::new(Check::Stream, at(second)) };
                let _ = monitor.handle(at(second), Event::Seen(Sighting::own(ids[witness].clone(), Box::new(seen))));
                events += 1;
            }
        }
        let failure = fails.then(|| Failure::new(FailureKind::Timeout, Detail::plain("no answer")));
        let check = if fails { Check::Liveness } else { Check::Stream };
        let stream = (!fails).then(|| StreamFacts { proven: true, frames: 10, ..StreamFacts::new(Codec::H264) });
        let observation = Observation { failure, stream, ..Observation::new(check, at(second)) };
        incidents +=
            told(&monitor.handle(at(second), Event::Seen(Sighting::own(ids[camera].clone(), Box::new(observation)))));
        events += 1;
        if second >= next_quiet[camera] {
            next_quiet[camera] = second + QUIET - (camera as i64 % 60);
            due.push(Reverse((next_quiet[camera], camera)));
        }
        if second >= day {
            day += DAY;
            recounts += 1;
            let snapshot = monitor.snapshot(at(second));
            let views = || snapshot.sites.values().flat_map(|site| &site.views);
            let covered = views().filter(|view| view.state == ViewState::Covered).count();
            assert_eq!((snapshot.coverage.covered, snapshot.coverage.total), (covered, views().count()));
            let up = snapshot.cameras.values().filter(|camera| camera.state == State::Up).count();
            let counted = camhealth::model::Kind::ALL.map(|kind| snapshot.count(kind, State::Up)).iter().sum::<usize>();
            assert_eq!(counted, up, "second {second}");
        }
    }
    format!(
        "| {size} | {:.1} s | {:.1} million | {:.1} µs | {incidents} | {recounts} |",
        began.elapsed().as_secs_f64(),
        events as f64 / 1e6,
        began.elapsed().as_secs_f64() * 1e6 / events as f64,
    )
}

fn told(effects: &[Effect]) -> usize {
    effects.iter().filter(|effect| matches!(effect, Effect::Notify(..))).count()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_793_466_000 + second).expect("a time in this century")
}
