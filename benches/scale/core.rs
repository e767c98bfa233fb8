//! The core alone, in made-up time: what one look and one transition cost, whatever the fleet.

use super::fleet::{folder, urls, written};
use camhealth::{
    config::{self, Config},
    model::{CameraId, Check, Codec, Detail, Failure, FailureKind, Observation, Restored, Sighting, StreamFacts},
    monitor::{Event, Monitor, Settings},
};
use jiff::Timestamp;
use std::time::{Duration, Instant};

/// Cameras that are watched to fall.
const FALLS: usize = 300;

pub fn measure(size: usize) -> String {
    let folder = folder(size);
    let path = written(&folder, &urls(size), "127.0.0.1:0");
    let began = Instant::now();
    let config = config::load(&path).expect("a configuration");
    let read = began.elapsed();
    // Left-over files in the system's temporary folder harm nobody.
    let _ = std::fs::remove_dir_all(&folder);
    let mut world = World::new(&config);
    let made = world.made;
    let ids: Vec<CameraId> = config.fleet.cameras.keys().cloned().collect();
    // Twice: the first look at each camera is news, the second is what most are.
    for _ in 0..2 {
        ids.iter().for_each(|id| world.look(id, None));
        world.monitor.snapshot(world.now);
    }
    let began = Instant::now();
    ids.iter().for_each(|id| world.look(id, None));
    let look = began.elapsed() / u32::try_from(ids.len()).unwrap_or(1);
    world.monitor.snapshot(world.now);
    // Public cameras, which sites hang on, spread over the fleet.
    let public: Vec<&CameraId> = (0..size)
        .step_by(6)
        .filter_map(|number| config.fleet.cameras.get_key_value(format!("c{number}").as_str()))
        .map(|(id, _)| id)
        .collect();
    let mut falls: Vec<Duration> = (0..FALLS.min(public.len()))
        .map(|number| {
            let id = public[number * public.len() / FALLS.min(public.len())];
            for _ in 0..2 {
                world.look(id, Some(FailureKind::NoMedia));
            }
            world.monitor.snapshot(world.now);
            let before = world.monitor.snapshot(world.now).coverage.lost;
            let began = Instant::now();
            world.look(id, Some(FailureKind::NoMedia));
            let snapshot = world.monitor.snapshot(world.now);
            let took = began.elapsed();
            assert!(snapshot.cameras[id].state == camhealth::model::State::Down && snapshot.coverage.lost >= before);
            took
        })
        .collect();
    falls.sort();
    let micro = |time: Duration| time.as_secs_f64() * 1e6;
    format!(
        "| {size} | {:.2} s | {:.2} s | {:.1} µs | {:.1} µs (p99 {:.1}) |",
        read.as_secs_f64(),
        made.as_secs_f64(),
        micro(look),
        micro(falls[falls.len() / 2]),
        micro(falls[falls.len() * 99 / 100]),
    )
}

struct World {
    monitor: Monitor,
    now: Timestamp,
    made: Duration,
}

impl World {
    fn new(config: &Config) -> Self {
        let now = Timestamp::from_second(1_790_000_000).expect("a time in this century");
        let settings =
            Settings { health: config.health.clone(), topology: config.topology.clone(), alert: config.alert.clone() };
        let began = Instant::now();
        let (monitor, _) = Monitor::new(config.fleet.clone(), settings, Restored::default(), now);
        Self { monitor, now, made: began.elapsed() }
    }

    fn look(&mut self, camera: &CameraId, failure: Option<FailureKind>) {
        self.now = self.now.checked_add(Duration::from_millis(1)).expect("a time in this century");
        let stream =
            StreamFacts { frames: 10, proven: failure.is_none(), fps: Some(15.0), ..StreamFacts::new(Codec::H264) };
        let observation = Observation {
            failure: failure.map(|kind| Failure::new(kind, Detail::plain("không có hình"))),
            stream: Some(stream),
            ..Observation::new(Check::Stream, self.now)
        };
        self.monitor.handle(self.now, Event::Seen(Sighting::own(camera.clone(), Box::new(observation))));
    }
}
