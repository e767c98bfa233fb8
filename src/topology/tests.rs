//! The tree by scripts: who fell silent when, who answered, and what is to blame.

use super::*;
use crate::model::{
    Beacon, Branch, Camera, Commune, DailyHours, DeviceId, Fleet, Language, Link, LinkId, LinkKind, LinkState,
};
use jiff::Timestamp;
use std::sync::Arc;

/// Two fibres of two switches each, below the machine room; three cameras on each switch: `e1-0` … `w2-2`.
fn fleet(single_root: bool, beacons: bool) -> Fleet {
    let commune = Commune {
        name: "Hải Bình".into(),
        language: Language::Vi,
        timezone: jiff::tz::TimeZone::UTC,
        night: DailyHours::NIGHT,
    };
    let mut fleet = Fleet::empty(commune);
    let mut link = |id: &str, parent: Option<&str>| {
        let probe = beacons.then(|| Beacon::Icmp("10.0.0.1".parse().expect("an address")));
        let (name, parent) = (id.to_owned(), parent.map(LinkId::from));
        let link = Link { name, kind: LinkKind::Switch, parent, bytes_per_day: None, looks_per_second: 5.0, probe };
        fleet.links.insert(id.into(), link);
    };
    if single_root {
        link("room", None);
    }
    for fibre in ["e", "w"] {
        link(fibre, single_root.then_some("room"));
        for switch in ["1", "2"] {
            link(&format!("{fibre}{switch}"), Some(fibre));
        }
    }
    for switch in ["e1", "e2", "w1", "w2"] {
        for number in 0..3 {
            let id = format!("{switch}-{number}");
            let rtsp = format!("rtsp://127.0.0.1/{id}").parse().expect("a URL");
            let camera = Camera { link: Some(switch.into()), ..Camera::new(&id, rtsp) };
            fleet.cameras.insert(camera.id.clone(), Arc::new(camera));
        }
    }
    fleet
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + second).expect("a time in this century")
}

struct World {
    tree: Topology,
    ids: Vec<DeviceId>,
}

impl World {
    fn new(fleet: &Fleet) -> Self {
        let ids = fleet.cameras.keys().map(|id| id.as_str().into()).collect();
        let mut world = Self { tree: Topology::new(fleet, &[], at(0)), ids };
        world.look(1, &[]);
        world
    }

    /// Everything is looked at at a second; what begins with one of `dead` stays silent for 3 s.
    fn look(&mut self, second: i64, dead: &[&str]) -> Vec<String> {
        let mut asked = Vec::new();
        for id in self.ids.clone() {
            if dead.iter().any(|dead| id.as_str().starts_with(dead)) {
                asked.extend(self.tree.silent(at(second + 3), &id, at(second), false).ask);
            } else {
                self.tree.answered(at(second), &id, at(second));
            }
        }
        asked.iter().map(ToString::to_string).collect()
    }

    /// Looks each five seconds until a verdict is due.
    fn fall(&mut self, dead: &[&str]) -> Vec<String> {
        for second in [10, 15, 20, 25, 30, 35] {
            self.look(second, dead);
            self.tree.tick(at(second + 3), &Settings::default());
        }
        let mut roots: Vec<String> =
            self.ids.iter().filter_map(|id| self.tree.root(id)).map(|(root, _)| show(root)).collect();
        roots.dedup();
        roots
    }
}

fn show(root: Root) -> String {
    match root {
        Root::Link(id) => id.to_string(),
        Root::Commune => "commune".into(),
        Root::Monitor => "monitor".into(),
    }
}

#[test]
fn what_falls_silent_together_names_its_link() {
    assert_eq!(World::new(&fleet(true, false)).fall(&["e1"]), ["e1"]);
    assert_eq!(World::new(&fleet(true, false)).fall(&["e"]), ["e"]);
    assert_eq!(World::new(&fleet(true, false)).fall(&["e1", "w2"]), ["e1", "w2"]);
}

#[test]
fn a_few_dead_cameras_beside_living_ones_blame_no_link() {
    assert_eq!(World::new(&fleet(true, false)).fall(&["e1-0", "e1-1", "w1-0"]), Vec::<String>::new());
}

#[test]
fn the_outage_begins_with_the_first_silence_and_not_before_it_is_confirmed() {
    let mut world = World::new(&fleet(true, false));
    world.look(10, &["e1"]);
    assert_eq!(world.tree.tick(at(13), &Settings::default()), []);
    assert!(world.tree.awaited(at(13), &"e1-0".into(), &Settings::default()).is_some(), "alarms wait for the verdict");
    assert_eq!(world.tree.deadline(&Settings::default()), Some(at(23)));
    assert_eq!(world.tree.tick(at(23), &Settings::default()), [Branch::Link("e1".into())]);
    assert_eq!(world.tree.root(&"e1-2".into()), Some((Root::Link("e1".into()), at(10))));
}

/// A look that was under way when the power went ends when the others have long been silent.
#[test]
fn an_answer_is_as_old_as_what_was_heard() {
    for (heard, verdict) in [(9, vec![Branch::Link("e1".into())]), (12, Vec::new())] {
        let mut world = World::new(&fleet(true, false));
        world.look(10, &["e1"]);
        world.tree.answered(at(15), &"e1-2".into(), at(heard));
        assert_eq!(world.tree.tick(at(23), &Settings::default()), verdict, "heard at {heard}");
        world.tree.answered(at(24), &"e1-2".into(), at(heard));
        assert_eq!(world.tree.root(&"e1-0".into()).is_some(), heard == 9, "what was heard before brings nothing back");
    }
}

#[test]
fn neighbours_are_asked_for_their_word_and_one_that_answers_settles_it() {
    let mut world = World::new(&fleet(true, false));
    let asked = world.tree.silent(at(13), &"e1-0".into(), at(10), false).ask;
    assert!(asked.iter().any(|id| id.as_str().starts_with("e1-")), "{asked:?}");
    assert!(world.tree.silent(at(15), &"e1-0".into(), at(14), false).ask.is_empty(), "not again so soon");
    world.tree.answered(at(16), &"e1-1".into(), at(16));
    assert_eq!(world.tree.awaited(at(16), &"e1-0".into(), &Settings::default()), None);
    assert_eq!(world.tree.tick(at(60), &Settings::default()), []);
}

#[test]
fn cameras_that_were_dead_before_are_no_witnesses() {
    let mut world = World::new(&fleet(true, false));
    // Two of three have been dead for a day, and the third dies now: nothing says that the switch did.
    for id in ["e1-0", "e1-1"] {
        world.tree.silent(at(13), &id.into(), at(10), true);
    }
    world.tree.silent(at(113), &"e1-2".into(), at(110), false);
    assert_eq!(world.tree.tick(at(130), &Settings::default()), []);
}

#[test]
fn everything_at_once_is_the_monitor_unless_an_anchor_answers() {
    assert_eq!(World::new(&fleet(false, false)).fall(&["e", "w"]), ["monitor"], "nobody can say otherwise");
    let mut anchored = fleet(false, false);
    anchored.anchors.push("icmp://10.0.0.9".parse().expect("an anchor"));
    let check = |answers: bool, expected: &str| {
        let mut world = World::new(&anchored);
        world.look(10, &["e", "w"]);
        world.tree.tick(at(30), &Settings::default());
        assert_eq!(world.tree.cut_off(), None, "first the anchors must be asked");
        world.tree.heard(at(31), &Voice::Anchors, answers);
        world.tree.tick(at(31), &Settings::default());
        assert_eq!(world.tree.root(&"e1-0".into()).map(|(root, _)| show(root)).as_deref(), Some(expected));
        assert_eq!(world.tree.cut_off().is_some(), expected == "monitor");
    };
    check(true, "commune");
    check(false, "monitor");
}

#[test]
fn where_one_link_carries_everything_it_is_named_instead_of_the_commune() {
    let mut fleet = fleet(true, false);
    fleet.anchors.push("icmp://10.0.0.9".parse().expect("an anchor"));
    let mut world = World::new(&fleet);
    world.tree.heard(at(9), &Voice::Anchors, true);
    world.look(10, &["e", "w"]);
    world.tree.heard(at(14), &Voice::Anchors, true);
    world.tree.tick(at(30), &Settings::default());
    assert_eq!(world.tree.root(&"w2-0".into()).map(|(root, _)| show(root)).as_deref(), Some("room"));
}

#[test]
fn a_beacon_tells_a_link_from_the_one_below_it() {
    let mut fleet = fleet(true, true);
    fleet.cameras.retain(|id, _| !id.as_str().starts_with("e2"));
    let root_with = |upper: Option<bool>, lower: Option<bool>| {
        let mut world = World::new(&fleet);
        for (link, answer) in [("e", upper), ("e1", lower)] {
            if let Some(answers) = answer {
                world.tree.heard(at(9), &Voice::Link(link.into()), answers);
            }
        }
        world.fall(&["e1"])
    };
    assert_eq!(root_with(None, None), ["e"], "nothing tells them apart");
    assert_eq!(root_with(Some(true), Some(false)), ["e1"]);
    assert_eq!(root_with(Some(true), None), ["e1"]);
    assert_eq!(root_with(Some(false), Some(false)), ["e1"], "its own beacon below is silent too");
}

#[test]
fn with_a_silent_beacon_fewer_witnesses_suffice() {
    let mut fleet = fleet(true, true);
    fleet.cameras.retain(|id, _| !id.as_str().starts_with("e1") || id.as_str() == "e1-0");
    let mut world = World::new(&fleet);
    world.tree.heard(at(9), &Voice::Link("e1".into()), false);
    assert_eq!(world.fall(&["e1"]), ["e1"]);
}

#[test]
fn after_its_return_a_link_explains_only_what_was_not_seen_since() {
    let mut world = World::new(&fleet(true, false));
    world.fall(&["e1"]);
    let change = world.tree.answered(at(100), &"e1-0".into(), at(100));
    assert_eq!(change.turned, [Branch::Link("e1".into())]);
    assert_eq!(change.ask.len(), 3, "all below are looked at again");
    assert!(world.tree.is_seen_again(&"e1-0".into()) && !world.tree.is_seen_again(&"e1-1".into()));
    assert!(world.tree.root(&"e1-1".into()).is_some(), "not seen since");
    world.tree.answered(at(110), &"e1-1".into(), at(110));
    assert!(world.tree.is_seen_again(&"e1-1".into()));
    let settings = Settings::default();
    assert_eq!(world.tree.deadline(&settings), Some(at(100) + settings.settle));
    assert_eq!(world.tree.tick(at(100) + settings.settle, &settings), [Branch::Link("e1".into())]);
    assert_eq!(world.tree.root(&"e1-2".into()), None, "the rest is its own fault");
}

#[test]
fn a_restart_neither_forgets_a_link_that_is_down_nor_invents_one() {
    let fleet = fleet(true, false);
    let mut world = World::new(&fleet);
    world.fall(&["e1"]);
    let record = world.tree.record(&Branch::Link("e1".into())).expect("a record");
    assert_eq!((record.state, record.since), (LinkState::Down, at(10)));
    let restored = Topology::new(&fleet, &[record], at(500));
    assert_eq!(restored.root(&"e1-0".into()), Some((Root::Link("e1".into()), at(10))));
    // Right after a start, cameras that were dead before are the first to be silent.
    let mut fresh = Topology::new(&fleet, &[], at(500));
    for id in ["w1-0", "w1-1", "w1-2"] {
        fresh.silent(at(503), &id.into(), at(500), true);
    }
    assert_eq!(fresh.tick(at(600), &Settings::default()), []);
}
