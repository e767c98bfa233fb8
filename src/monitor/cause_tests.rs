//! Causes above single cameras: recorders, links with their beacons, maintenance; and the daily digest.

use super::{
    tests::{TIMEOUT, World, at, fleet},
    *,
};
use crate::model::{Camera, Cause, Fleet, Link, LinkKind, LinkState, Notice, Reason, Scope, Span};
use crate::topology::Voice;

/// Four sites of two views; all cameras of sites 0 and 1 are channels of one recorder, those of 2 and 3 hang on a link.
fn shared() -> Fleet {
    let mut plan = (*fleet(4)).clone();
    let link = Link {
        name: "Tủ mạng".into(),
        kind: LinkKind::Switch,
        parent: None,
        bytes_per_day: None,
        looks_per_second: 5.0,
        probe: Some("icmp://10.0.0.1".parse().expect("a beacon")),
    };
    plan.links.insert("switch".into(), link);
    for (id, camera) in &mut plan.cameras {
        let camera: &mut Camera = Arc::make_mut(camera);
        if id.as_str() < "2" {
            camera.device = "nvr".into();
        } else {
            camera.link = Some("switch".into());
        }
    }
    plan
}

impl World {
    /// News of incidents are apart from all else that is told.
    pub(super) fn told(&mut self, notice: Notice) {
        match notice {
            Notice::Incident(notice) => self.notices.push(*notice),
            other => self.others.push(other),
        }
    }
}

fn world(plan: Fleet, alert: alert::Settings) -> World {
    let settings = Settings { alert, ..Settings::default() };
    let mut world = World::of(Arc::new(plan), settings, Restored::default(), 0);
    world.all_up(0);
    world
}

fn reasons(world: &World) -> Vec<(Reason, Option<Cause>)> {
    world.notices.iter().map(|notice| (notice.reason, Some(notice.cause.clone()))).collect()
}

#[test]
fn a_recorder_that_dies_is_one_incident_whichever_channel_is_looked_at_first() {
    let mut world = world(shared(), alert::Settings::default());
    world.take_down(10, "0-north", "2-north");
    let nvr = Some(Cause::Device("nvr".into()));
    assert_eq!(reasons(&world), [(Reason::CoverageLost, nvr.clone())]);
    let notice = &world.notices[0];
    assert_eq!((notice.sites.len(), notice.cameras.public, notice.level), (2, 4, Level::Blind));
    assert_eq!(world.monitor.snapshot(at(20)).cameras["1-south"].state, State::Down);
    for second in [100, 103] {
        ["0-north", "0-south", "1-north", "1-south"].iter().for_each(|id| world.probe(second, id, None));
    }
    world.tick(170);
    assert_eq!(reasons(&world)[1..], [(Reason::CoverageRestored, nvr)]);
}

#[test]
fn a_link_takes_its_cameras_along_and_gives_them_back() {
    let mut world = world(shared(), alert::Settings::default());
    world.perform_event(5, Event::Heard(Voice::Link("switch".into()), true));
    for second in [10, 16, 22] {
        ["2-north", "2-south", "3-north"].iter().for_each(|id| world.probe(second, id, TIMEOUT));
        world.probe(second, "0-north", None);
    }
    world.tick(25);
    let snapshot = world.monitor.snapshot(at(25));
    // 3-south was not even looked at.
    assert_eq!(snapshot.cameras["3-south"].state, State::Unreachable);
    assert_eq!((snapshot.links["switch"].state, snapshot.links["switch"].unreachable), (LinkState::Down, 4));
    let switch = Some(Cause::Link("switch".into()));
    assert_eq!(reasons(&world), [(Reason::CoverageLost, switch.clone())]);
    let notice = &world.notices[0];
    assert_eq!((notice.place.as_str(), notice.sites.len(), notice.cameras.public), ("Tủ mạng", 2, 4));
    assert!(notice.link_answers, "its beacon answers: it is the power");
    assert_eq!(snapshot.sites["site-2"].incident, snapshot.sites["site-3"].incident);

    // Three come back, the fourth was killed by the surge.
    for second in [100, 103] {
        ["2-north", "2-south", "3-north"].iter().for_each(|id| world.probe(second, id, None));
        world.probe(second, "3-south", TIMEOUT);
    }
    assert_eq!(world.monitor.snapshot(at(103)).cameras["3-south"].state, State::Unreachable, "not yet its own fault");
    for second in [170, 200, 300, 303] {
        ["2-north", "2-south", "3-north"].iter().for_each(|id| world.probe(second, id, None));
        world.probe(second, "3-south", TIMEOUT);
        world.tick(second);
    }
    let own = Some(Cause::Site("site-3".into()));
    assert_eq!(reasons(&world)[1..], [(Reason::RootFound, own)], "it goes on under its own name, without ringing");
    assert_eq!(world.monitor.snapshot(at(303)).cameras["3-south"].state, State::Down);
}

#[test]
fn a_camera_in_maintenance_is_neither_up_nor_down_and_its_site_stays_true() {
    let mut world = world(shared(), alert::Settings::default());
    let window = Window {
        id: "w1".into(),
        scope: Scope::Link("switch".into()),
        span: Span::Once { from: at(5), until: at(1000) },
        author: "An".into(),
        reason: "thay tủ".into(),
    };
    world.perform_event(6, Event::Silence(window));
    let snapshot = world.monitor.snapshot(at(6));
    assert_eq!(snapshot.cameras["2-north"].state, State::Maintenance);
    assert_eq!(snapshot.sites["site-2"].level, Level::Full, "it still sees");
    assert_eq!(snapshot.cameras["2-north"].detail.to_string(), "thay tủ");
    world.take_down(10, "2-north", "0-north");
    assert_eq!(world.level("site-2"), Level::Critical);
    assert!(world.notices.is_empty());
    world.perform_event(100, Event::Unsilence("w1".into()));
    assert_eq!(world.monitor.snapshot(at(100)).cameras["2-north"].state, State::Down);
    assert_eq!(world.notices.len(), 1);
}

#[test]
fn each_morning_the_contractor_gets_what_is_not_worth_a_call() {
    // 1 790 000 000 is 21:13:20 in Vietnam.
    const SEVEN: i64 = 9 * 3600 + 46 * 60 + 40;
    let digest =
        alert::Digest { at: jiff::civil::time(7, 0, 0, 0), to: vec![alert::Target::Channel("nha-thau".into())] };
    let settings = alert::Settings { digest: Some(digest), ..alert::Settings::default() };
    let mut world = world(shared(), settings.clone());
    world.take_down(10, "2-north", "2-south");
    world.notices.clear();
    (200..SEVEN).step_by(200).for_each(|second| {
        ["0-north", "0-south", "1-north", "1-south", "2-south", "3-north", "3-south"]
            .iter()
            .for_each(|id| world.probe(second, id, None));
        world.probe(second, "2-north", TIMEOUT);
    });
    assert_eq!(reasons(&world), []);
    world.tick(SEVEN + 1);
    world.tick(SEVEN + 600);
    assert_eq!(reasons(&world), []);
    let [notice @ Notice::Digest(digest)] = &world.others[..] else { panic!("{:?}", world.others) };
    assert_eq!((notice.key().as_str(), digest.cameras.public), ("digest-2026-09-22-1", 1));
    // One that fell into a time without the daemon is sent late, under the same key.
    let settings = Settings { alert: settings, ..Settings::default() };
    let late = World::of(Arc::new(shared()), settings.clone(), Restored::default(), SEVEN + 3600);
    assert_eq!(late.others[0].key(), "digest-2026-09-22-1");
    let too_late = World::of(Arc::new(shared()), settings, Restored::default(), SEVEN + 7 * 3600);
    assert!(too_late.others.is_empty());
}

#[test]
fn a_restart_with_another_address_does_not_believe_what_was_seen_at_the_old_one() {
    let mut before = World::of(fleet(1), Settings::default(), Restored::default(), 0);
    before.all_up(0);
    let mut changed = (*fleet(1)).clone();
    let moved = Arc::make_mut(changed.cameras.get_mut("0-north").expect("it is there"));
    moved.rtsp = "rtsp://127.0.0.2/elsewhere".parse().expect("a URL");
    let mut after = World::of(Arc::new(changed), Settings::default(), before.journal(), 10);
    let states = after.monitor.snapshot(at(10)).cameras;
    assert_eq!((states["0-north"].state, states["0-south"].state), (State::Unknown, State::Up));
    assert_eq!(states["0-north"].memory.place, None, "what was learned there is forgotten");
}
