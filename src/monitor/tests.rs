//! The fleet as a whole: one fault from first bad look to all-clear, restarts, reloads, and a simulated week.

use super::*;
use crate::model::{
    Branch, Camera, Check, Codec, Commune, Course, Detail, Device, Failure, FailureKind, Incident, IncidentNotice,
    Kind, Language, LinkRecord, Memory, Notice, Observation, Reason, Sighting, Site, StreamFacts, Transition, View,
    Watcher,
};
use std::time::Duration;

/// A commune with `sites` sites of two views, each view seen by one public camera named `site-view`.
pub(super) fn fleet(sites: usize) -> Arc<Fleet> {
    let mut fleet = Fleet::empty(Commune {
        name: "Hải Bình".into(),
        language: Language::Vi,
        timezone: jiff::tz::TimeZone::fixed(jiff::tz::offset(7)),
        night: crate::model::DailyHours::NIGHT,
    });
    for site in 0..sites {
        let mut views = Vec::new();
        for view in ["north", "south"] {
            let id = format!("{site}-{view}");
            let rtsp = format!("rtsp://127.0.0.1/{id}").parse().expect("a URL");
            let camera = Camera { name: format!("Camera {id}"), ..Camera::new(&id, rtsp) };
            fleet.devices.insert(camera.device.clone(), Device { sessions: 1, notes: None });
            let watchers = vec![Watcher { camera: camera.id.clone(), spare: false }];
            views.push(View::new(view, watchers));
            fleet.cameras.insert(camera.id.clone(), Arc::new(camera));
        }
        let id = format!("site-{site}");
        let site = Site { hamlet: "Thôn 1".into(), ..Site::new(&id, views) };
        fleet.sites.insert(site.id.clone(), Arc::new(site));
    }
    Arc::new(fleet)
}

pub(super) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + second).expect("a time in this century")
}

fn look(second: i64, kind: Option<FailureKind>) -> Box<Observation> {
    Box::new(Observation {
        took: Duration::from_millis(5),
        failure: kind.map(|kind| Failure::new(kind, Detail::default())),
        bytes: 100,
        stream: Some(StreamFacts { proven: true, frames: 10, ..StreamFacts::new(Codec::H264) }),
        ..Observation::new(Check::Stream, at(second))
    })
}

/// A monitor under test with all that it ever said.
pub(super) struct World {
    pub(super) monitor: Monitor,
    transitions: Vec<Transition>,
    records: BTreeMap<SiteId, SiteRecord>,
    pub(super) notices: Vec<IncidentNotice>,
    pub(super) others: Vec<Notice>,
    memories: BTreeMap<CameraId, Arc<Memory>>,
    proofs: BTreeMap<CameraId, Timestamp>,
    incidents: BTreeMap<u32, Incident>,
    links: BTreeMap<Branch, LinkRecord>,
    asked: Vec<CameraId>,
}

impl World {
    fn new(sites: usize) -> Self {
        Self::restored(sites, Restored::default(), 0)
    }

    fn restored(sites: usize, restored: Restored, second: i64) -> Self {
        Self::of(fleet(sites), Settings::default(), restored, second)
    }

    pub(super) fn of(fleet: Arc<Fleet>, settings: Settings, restored: Restored, second: i64) -> Self {
        let (monitor, effects) = Monitor::new(fleet, settings, restored, at(second));
        let mut world = Self {
            monitor,
            transitions: vec![],
            records: BTreeMap::new(),
            notices: vec![],
            others: vec![],
            memories: BTreeMap::new(),
            proofs: BTreeMap::new(),
            incidents: BTreeMap::new(),
            links: BTreeMap::new(),
            asked: vec![],
        };
        world.perform(effects);
        world
    }

    fn perform(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Camera(transition) => self.transitions.push(transition),
                Effect::Site(record) => drop(self.records.insert(record.site.clone(), record)),
                Effect::Notify(notice, _) => self.told(*notice),
                Effect::Incident(incident) => drop(self.incidents.insert(incident.number, (*incident).clone())),
                Effect::Link(record) => drop(self.links.insert(record.branch.clone(), record)),
                Effect::Ask(cameras) => self.asked.extend(cameras),
                Effect::Window(_) | Effect::Happened(_) => {}
                Effect::Proven(proofs) => self.proofs.extend(proofs),
                Effect::Learned(camera, memory) => drop(self.memories.insert(camera, memory)),
            }
        }
    }

    pub(super) fn probe(&mut self, second: i64, camera: &str, kind: Option<FailureKind>) {
        let effects = self.monitor.handle(at(second), Event::Seen(Sighting::own(camera.into(), look(second, kind))));
        self.perform(effects);
    }

    /// Takes a camera down in the eyes of its third bad look, while another proves that the network works.
    pub(super) fn take_down(&mut self, second: i64, camera: &str, witness: &str) {
        for second in [second, second + 3, second + 6] {
            self.probe(second, camera, TIMEOUT);
            self.probe(second, witness, None);
        }
    }

    pub(super) fn perform_event(&mut self, second: i64, event: Event) {
        let effects = self.monitor.handle(at(second), event);
        self.perform(effects);
    }

    pub(super) fn tick(&mut self, second: i64) {
        self.perform_event(second, Event::Tick);
    }

    pub(super) fn all_up(&mut self, second: i64) {
        let ids: Vec<CameraId> = self.monitor.fleet.cameras.keys().cloned().collect();
        ids.iter().for_each(|id| self.probe(second, id.as_str(), None));
    }

    pub(super) fn journal(&self) -> Restored {
        let mut last = BTreeMap::new();
        for transition in &self.transitions {
            last.insert(transition.camera.clone(), transition.clone());
        }
        Restored {
            cameras: last.into_values().collect(),
            sites: self.records.values().cloned().collect(),
            memories: self.memories.iter().map(|(id, memory)| (id.clone(), (**memory).clone())).collect(),
            proofs: self.cameras_proven(),
            incidents: self.incidents.values().cloned().collect(),
            last_number: self.incidents.keys().next_back().copied().unwrap_or(0),
            links: self.links.values().cloned().collect(),
            ..Restored::default()
        }
    }

    /// As if the minute of remembering had just come.
    fn cameras_proven(&self) -> BTreeMap<CameraId, Timestamp> {
        let cameras = self.monitor.cameras.iter();
        cameras.filter_map(|(id, camera)| Some((id.clone(), camera.machine.proven()?))).collect()
    }

    pub(super) fn level(&mut self, site: &str) -> Level {
        self.monitor.snapshot(at(0)).sites[site].level
    }
}

pub(super) const TIMEOUT: Option<FailureKind> = Some(FailureKind::Timeout);

#[test]
fn a_dead_camera_is_told_with_place_view_and_reason_and_taken_back() {
    let mut world = World::new(2);
    world.all_up(0);
    assert_eq!(world.level("site-0"), Level::Full);
    world.take_down(10, "0-north", "1-south");
    let notice = world.notices.pop().expect("an alarm");
    assert_eq!((notice.reason, notice.level), (Reason::CoverageLost, Level::Critical));
    let site = &notice.sites[0];
    assert_eq!((site.views_lost.as_slice(), site.views_total), (["north".to_owned()].as_slice(), 2));
    assert!(matches!(&notice.cameras.named[..], [one] if (one.cause, one.since) == (TIMEOUT, at(10))), "{notice:?}");
    world.probe(100, "0-north", None);
    world.probe(103, "0-north", None);
    assert_eq!(world.level("site-0"), Level::Full);
    assert!(world.notices.is_empty(), "the all-clear waits until recovery has lasted");
    let snapshot = world.monitor.snapshot(at(103));
    let incident = snapshot.open_incidents().next().expect("it is open until then");
    assert_eq!(snapshot.course(incident), Course::Recovering(at(103)), "and says so beside a site that is full");
    assert_eq!(snapshot.number(&snapshot.sites["site-0"]), Some(1));
    assert!(world.monitor.next_deadline() <= at(163));
    world.tick(163);
    assert_eq!(world.monitor.snapshot(at(163)).sites["site-0"].recovering, None, "it is over");
    let clear = world.notices.pop().expect("an all-clear");
    assert_eq!((clear.reason, clear.incident, clear.step), (Reason::CoverageRestored, notice.incident, 2));
}

#[test]
fn a_start_in_the_dark_pages_nobody() {
    let mut world = World::new(3);
    (0..100).for_each(|n| world.tick(10 * n));
    assert_eq!(world.notices, []);
    assert_eq!(world.level("site-1"), Level::Unknown);
}

#[test]
fn a_monitor_that_sees_nothing_any_more_says_unknown_and_pages_nobody() {
    let mut world = World::new(2);
    world.all_up(0);
    (1..200).for_each(|n| world.tick(5 * n));
    assert_eq!(world.level("site-0"), Level::Unknown);
    assert_eq!(world.notices, []);
    assert_eq!(world.transitions.iter().filter(|transition| transition.to == State::Unknown).count(), 4);
}

#[test]
fn a_restart_repeats_nothing_and_still_takes_back() {
    let mut before = World::new(1);
    before.all_up(0);
    before.take_down(10, "0-north", "0-south");
    assert_eq!(before.notices.len(), 1);
    let mut after = World::restored(1, before.journal(), 200);
    for second in [201, 204, 207] {
        after.probe(second, "0-north", TIMEOUT);
        after.probe(second, "0-south", None);
    }
    assert_eq!((after.notices.len(), after.transitions.len()), (0, 0));
    after.probe(300, "0-north", None);
    after.probe(303, "0-north", None);
    after.tick(370);
    assert_eq!(after.notices.len(), 1);
    assert_eq!(after.notices[0].incident, before.notices[0].incident);
    assert_eq!(after.notices[0].reason, Reason::CoverageRestored);
}

#[test]
fn a_restart_believes_nobody_for_longer_than_the_proof_lasts() {
    let mut before = World::new(1);
    before.all_up(0);
    let mut soon = World::restored(1, before.journal(), 290);
    assert_eq!((soon.level("site-0"), soon.transitions.len()), (Level::Full, 0));
    let mut late = World::restored(1, before.journal(), 301);
    assert_eq!((late.level("site-0"), late.notices.len()), (Level::Unknown, 0), "it pages nobody");
    late.all_up(302);
    assert_eq!(late.level("site-0"), Level::Full);
    let mut forgotten = before.journal();
    forgotten.proofs.clear();
    assert_eq!(World::restored(1, forgotten, 10).level("site-0"), Level::Unknown);
    let mut tomorrow = before.journal();
    tomorrow.proofs.values_mut().for_each(|proof| *proof = at(86_400));
    assert_eq!(World::restored(1, tomorrow, 10).level("site-0"), Level::Unknown, "the clock was set back meanwhile");
}

#[test]
fn what_is_not_proven_covers_nothing_and_is_told_when_it_lasts() {
    const FULL: Option<FailureKind> = Some(FailureKind::SessionLimit);
    let mut world = World::new(2);
    world.all_up(0);
    let look = |world: &mut World, second, kind| {
        world.probe(second, "0-north", kind);
        ["0-south", "1-north", "1-south"].iter().for_each(|id| world.probe(second, id, None));
    };
    for second in (60..=300).step_by(60) {
        look(&mut world, second, FULL);
    }
    assert_eq!(world.level("site-0"), Level::Full, "its proof lasts for five minutes");
    for second in (306..600).step_by(6) {
        look(&mut world, second, FULL);
    }
    assert_eq!((world.level("site-0"), world.notices.len()), (Level::Unknown, 0), "and nobody is called yet");
    let snapshot = world.monitor.snapshot(at(600));
    assert_eq!((snapshot.coverage.covered, snapshot.coverage.total), (3, 4));
    look(&mut world, 612, FULL);
    assert_eq!(world.notices.len(), 1);
    let notice = world.notices[0].clone();
    assert_eq!((notice.reason, notice.reason.pages()), (Reason::CoverageUnproven, false));
    assert_eq!(notice.cause, crate::model::Cause::Unproven("site-0".into()));
    assert_eq!(notice.cameras.named[0].cause, FULL);
    assert!(world.monitor.snapshot(at(612)).sites["site-0"].incident.is_some());
    // A restart neither repeats nor forgets it.
    let mut world = World::restored(2, world.journal(), 620);
    for second in (630..1000).step_by(30) {
        look(&mut world, second, None);
    }
    let reasons: Vec<Reason> = world.notices.iter().map(|notice| notice.reason).collect();
    assert_eq!(reasons, [Reason::CoverageProven]);
    assert_eq!(world.notices[0].incident, notice.incident);
    // Where the camera is lost after all, that is another incident, and the louder one.
    let mut lost = World::new(2);
    lost.all_up(0);
    for second in (10..620).step_by(6) {
        look(&mut lost, second, FULL);
    }
    lost.take_down(630, "0-north", "1-north");
    let reasons: Vec<Reason> = lost.notices.iter().map(|notice| notice.reason).collect();
    assert_eq!(reasons, [Reason::CoverageUnproven, Reason::CoverageLost]);
}

#[test]
fn figures_are_shown_as_long_as_they_are_of_the_present() {
    let mut world = World::new(1);
    let mut observation = look(0, None);
    observation.check = Check::Survey;
    let stream = StreamFacts {
        proven: true,
        fps: Some(15.0),
        keyframe_interval_seconds: Some(2.0),
        frames: 90,
        ..StreamFacts::new(Codec::H264)
    };
    observation.stream = Some(stream);
    observation.clock_offset_seconds = Some(3.0);
    world.perform_event(0, Event::Seen(Sighting::own("0-north".into(), observation)));
    let shown = |world: &mut World, second| {
        let status = world.monitor.snapshot(at(second)).cameras["0-north"].clone();
        let stream = status.stream_at(at(second));
        let interval = stream.as_ref().and_then(|stream| stream.keyframe_interval_seconds);
        (stream.is_some(), interval.is_some(), status.clock_offset_at(at(second)).is_some())
    };
    assert_eq!(shown(&mut world, 300), (true, true, true));
    assert_eq!(shown(&mut world, 301), (false, false, true), "its video is too old to speak of the present");
    world.probe(100_000, "0-north", None);
    assert_eq!(shown(&mut world, 100_010), (true, false, false), "the long look and the clock are of yesterday");
}

#[test]
fn a_reload_keeps_what_did_not_change() {
    let mut world = World::new(2);
    world.all_up(0);
    let mut changed = (*fleet(2)).clone();
    let moved = Arc::make_mut(changed.cameras.get_mut("1-north").expect("it is there"));
    moved.rtsp = "rtsp://127.0.0.2/elsewhere".parse().expect("a URL");
    let effects = world.monitor.handle(at(20), Event::Replanned(Arc::new(changed), Box::default()));
    world.perform(effects);
    let snapshot = world.monitor.snapshot(at(20));
    assert_eq!(snapshot.cameras["0-north"].state, State::Up);
    assert_eq!(snapshot.cameras["1-north"].state, State::Unknown);
    assert_eq!((snapshot.coverage.covered, snapshot.coverage.total), (3, 4));
}

#[test]
fn a_look_at_the_old_address_proves_nothing_of_the_new_one() {
    let mut world = World::new(1);
    let mut changed = (*fleet(1)).clone();
    let moved = Arc::make_mut(changed.cameras.get_mut("0-north").expect("it is there"));
    moved.rtsp = "rtsp://127.0.0.2/elsewhere".parse().expect("a URL");
    world.perform_event(20, Event::Replanned(Arc::new(changed), Box::default()));
    // It was under way when the configuration changed.
    let state = |world: &mut World| world.monitor.snapshot(at(25)).cameras["0-north"].state;
    world.perform_event(25, Event::Seen(Sighting::own("0-north".into(), look(19, None))));
    assert_eq!(state(&mut world), State::Unknown);
    world.perform_event(25, Event::Seen(Sighting::own("0-north".into(), look(21, None))));
    assert_eq!(state(&mut world), State::Up);
}

#[test]
fn a_site_that_a_reload_takes_away_leaves_no_open_alert() {
    let mut world = World::new(2);
    world.all_up(0);
    world.take_down(10, "1-north", "0-south");
    assert!(world.records["site-1"].alert.is_some());
    let effects = world.monitor.handle(at(20), Event::Replanned(fleet(1), Box::default()));
    world.perform(effects);
    assert_eq!(world.records["site-1"].alert, None);
}

/// A small generator of its own, so that a run can be repeated by its seed (Knuth's MMIX constants).
fn random(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *seed >> 33
}

/// A week of forty cameras looked at each minute, with noise and outages: every alarm is taken back, no site
/// speaks twice without reason, and a restart in the middle changes nothing of that.
#[test]
fn a_simulated_week_keeps_its_promises() {
    for seed in 1..=3u64 {
        let mut random_state = seed;
        let mut world = World::new(20);
        let mut broken_until: BTreeMap<CameraId, i64> = BTreeMap::new();
        let ids: Vec<CameraId> = world.monitor.fleet.cameras.keys().cloned().collect();
        let week = 7 * 24 * 60;
        for minute in 0..week {
            let quiet = minute > week - 180;
            if minute == week / 2 {
                let (notices, transitions) = (world.notices.clone(), world.transitions.clone());
                world = World::restored(20, world.journal(), 60 * minute);
                (world.notices, world.transitions) = (notices, transitions);
            }
            for id in &ids {
                if !quiet && random(&mut random_state).is_multiple_of(20_000) {
                    let length = 1 + (random(&mut random_state) % 120) as i64;
                    broken_until.insert(id.clone(), minute + length);
                }
                let broken = broken_until.get(id).is_some_and(|until| *until > minute);
                let noise = !quiet && random(&mut random_state).is_multiple_of(50);
                world.probe(60 * minute, id.as_str(), if broken || noise { TIMEOUT } else { None });
            }
            // Those who are asked for their word on the network answer at once, if they work.
            for id in std::mem::take(&mut world.asked) {
                let broken = broken_until.get(&id).is_some_and(|until| *until > minute);
                world.probe(60 * minute + 3, id.as_str(), if broken { TIMEOUT } else { None });
            }
            world.tick(60 * minute + 30);
        }
        world.tick(60 * week);
        let mut open = BTreeMap::new();
        for notice in &world.notices {
            match notice.reason {
                Reason::CoverageLost => assert_eq!(open.insert(notice.number, &notice.incident), None, "seed {seed}"),
                Reason::CoverageWorse => assert_eq!(open.get(&notice.number), Some(&&notice.incident), "seed {seed}"),
                Reason::CoverageRestored => {
                    assert_eq!(open.remove(&notice.number), Some(&notice.incident), "seed {seed}");
                }
                other => panic!("{other:?} is not to be told here"),
            }
        }
        assert!(open.is_empty(), "seed {seed}: {open:?}");
        assert!(!world.notices.is_empty());
        let snapshot = world.monitor.snapshot(at(60 * week));
        assert_eq!(snapshot.coverage.covered, snapshot.coverage.total);
    }
}

#[test]
fn the_owners_hours_are_off_and_wake_nobody_unless_another_camera_fails() {
    let mut plan = (*fleet(1)).clone();
    // The south view: a camera on the road, and a household's as a second eye that sleeps from eight to nine.
    let mut lent = (*plan.cameras["0-south"]).clone();
    lent.id = "ho".into();
    lent.kind = Kind::Household;
    lent.off_hours = vec!["20:00-21:00".parse().expect("a span")];
    plan.cameras.insert(lent.id.clone(), Arc::new(lent));
    let mut site = (*plan.sites["site-0"]).clone();
    site.views[1].watchers.push(Watcher { camera: "ho".into(), spare: true });
    plan.sites.insert(site.id.clone(), Arc::new(site));
    // 1 790 000 000 is 2026-09-21 21:13:20 in Vietnam: 80 minutes before, the hours have not begun.
    let start = -80 * 60;
    let mut world = World::of(Arc::new(plan), Settings::default(), Restored::default(), start);
    world.all_up(start);
    let hours: Vec<State> = (0..100)
        .map(|minute| {
            let second = start + 60 * minute;
            for camera in ["0-north", "0-south"] {
                world.probe(second, camera, None);
            }
            world.tick(second);
            world.monitor.snapshot(at(second)).cameras["ho"].state
        })
        .collect();
    assert_eq!(hours[5], State::Up);
    assert_eq!(hours[30], State::Off);
    assert_eq!(hours[90], State::Unknown, "well only when it was looked at again");
    assert!(world.notices.is_empty(), "{:?}", world.notices);

    let off_and_dead = |south: State| {
        let site = fleet(1).sites["site-0"].clone();
        let mut site = (*site).clone();
        site.views[1].watchers.push(Watcher { camera: "ho".into(), spare: true });
        crate::coverage::evaluate(&site, false, |camera| match camera.as_str() {
            "0-south" => south,
            "ho" => State::Off,
            _ => State::Up,
        })
        .0
    };
    assert_eq!(off_and_dead(State::Down), Level::Critical, "nobody sees it, and somebody must know");
    assert_eq!(off_and_dead(State::Up), Level::Full);
    assert_eq!(off_and_dead(State::Unknown), Level::Unknown);
}

#[test]
fn what_was_learned_survives_a_restart() {
    let mut world = World::new(1);
    world.all_up(0);
    let mut seen = look(60, None);
    seen.check = Check::Device;
    seen.device = Some(crate::model::DeviceFacts { serial: "A".into(), ..Default::default() });
    world.perform_event(60, Event::Seen(Sighting::own("0-north".into(), seen.clone())));
    let mut after = World::restored(1, world.journal(), 120);
    seen.started = at(180);
    seen.device = Some(crate::model::DeviceFacts { serial: "B".into(), ..Default::default() });
    after.perform_event(180, Event::Seen(Sighting::own("0-north".into(), seen)));
    let status = after.monitor.snapshot(at(180)).cameras["0-north"].clone();
    assert_eq!(status.memory.onvif.told.as_ref().map(|failure| failure.kind), Some(FailureKind::Swapped));
}
