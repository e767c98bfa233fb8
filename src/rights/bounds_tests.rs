//! Whoever is bound to areas: whatever a fleet looks like, nothing else is seen, and nothing else is changed.

use super::{
    Bounds, Outside, Reach, Register, Role, Touched,
    worlds::{self, Oracle, at},
};
use crate::model::{
    Branch, CameraStatus, Coverage, Detail, Fleet, History, Level, LevelChange, LinkRecord, LinkState, LinkStatus,
    SiteStatus, Snapshot, State, Transition, ViewState, ViewStatus,
};
use proptest::prelude::*;
use std::sync::Arc;

/// A fleet at a moment at which all of it is down.
fn snapshot(fleet: &Fleet, incidents: Vec<crate::model::Incident>) -> Snapshot {
    let camera = |id: &crate::model::CameraId| (id.clone(), Arc::new(CameraStatus::unseen(State::Unreachable, at(0))));
    let site = |site: &Arc<crate::model::Site>| {
        let view = ViewStatus { name: "v".into(), state: ViewState::Lost, seeing: 0, needs: 1, weight: 2.0 };
        let views = vec![view];
        let level = Level::Blind;
        let incident = incidents.first().map(|incident| incident.id.clone());
        let status = SiteStatus { revision: 0, level, since: at(0), views, incident, recovering: None };
        (site.id.clone(), Arc::new(status))
    };
    let link = |id: &crate::model::LinkId| {
        let (state, since) = (LinkState::Down, at(0));
        (id.clone(), LinkStatus { state, since, beacon: None, probe: None, cameras: 77, unreachable: 77 })
    };
    let contact = |id: &crate::model::LinkId| {
        let (heard, version, fits) = (Some(at(0)), "0.1.0".to_owned(), crate::model::Fits::Same);
        let (backlog, dropped, clock_offset_seconds) = (7, 7, None);
        (
            id.clone(),
            crate::model::AgentContact { heard, version, fits, backlog, dropped, alarms: 0, clock_offset_seconds },
        )
    };
    Snapshot {
        at: at(0),
        fleet: Arc::new(fleet.clone()),
        cameras: fleet.cameras.keys().map(camera).collect(),
        sites: fleet.sites.values().map(site).collect(),
        counts: crate::model::Counts::default(),
        coverage: Coverage { total: 77, ..Coverage::default() },
        hamlets: fleet.sites.values().map(|site| (Arc::from(site.hamlet.as_str()), Coverage::default())).collect(),
        areas: fleet.areas.keys().map(|area| (area.clone(), Coverage { total: 77, ..Coverage::default() })).collect(),
        links: fleet.links.keys().map(link).collect(),
        agents: fleet.links.keys().map(contact).collect(),
        cut_off: None,
        anchors: None,
        incidents: Arc::new(incidents.into_iter().map(Arc::new).collect()),
        windows: Arc::new(fleet.windows.clone()),
        on_call: Arc::default(),
        outlooks: Arc::default(),
    }
}

/// A past in which each thing changed.
fn history(fleet: &Fleet, incidents: Vec<crate::model::Incident>) -> History {
    let transition = |camera: &crate::model::CameraId| Transition {
        camera: camera.clone(),
        from: State::Up,
        to: State::Down,
        cause: None,
        detail: Detail::default(),
        since: at(0),
        decided: at(0),
    };
    let level = |site: &crate::model::SiteId| LevelChange { site: site.clone(), level: Level::Blind, since: at(0) };
    let link = |link: &crate::model::LinkId| LinkRecord {
        branch: Branch::Link(link.clone()),
        state: LinkState::Down,
        since: at(0),
    };
    History {
        transitions: fleet.cameras.keys().map(transition).collect(),
        levels: fleet.sites.keys().map(level).collect(),
        links: fleet.links.keys().map(link).collect(),
        devices: fleet.cameras.keys().map(|camera| (camera.clone(), Default::default())).collect(),
        incidents,
        ..History::default()
    }
}

proptest! {
    /// What is told to somebody bound to areas holds no name of anything outside; all that lies within is there; and it
    /// hangs together as a fleet does.
    #[test]
    fn nothing_outside_is_seen_and_all_within_is(
        fleet in worlds::fleet(), bounds in worlds::bounds(), incidents in prop::collection::vec(worlds::incident(), 0..4),
    ) {
        let (oracle, reach) = (Oracle::new(&fleet, &bounds), Reach::of(&bounds, &fleet));
        let seen = Arc::new(reach.fleet(&fleet));
        let snapshot = reach.snapshot(&snapshot(&fleet, incidents.clone()), seen.clone());
        let past = reach.history(history(&fleet, incidents));
        let told = format!("{seen:?} {snapshot:?} {past:?}");
        for secret in oracle.secrets() {
            prop_assert!(!told.contains(&secret), "{secret} is told: {told}");
        }
        prop_assert_eq!(seen.cameras.len(), fleet.cameras.keys().filter(|id| oracle.camera(id.as_str())).count());
        prop_assert_eq!(seen.sites.len(), fleet.sites.keys().filter(|id| oracle.site(id.as_str())).count());
        prop_assert!(snapshot.agents.keys().eq(seen.links.keys()));
        prop_assert_eq!(seen.links.len(), fleet.links.keys().filter(|id| oracle.link(id.as_str())).count());
        prop_assert_eq!(seen.areas.len(), fleet.areas.keys().filter(|id| oracle.named(id)).count());
        prop_assert_eq!((snapshot.cameras.len(), snapshot.sites.len()), (seen.cameras.len(), seen.sites.len()));
        prop_assert_eq!((past.transitions.len(), past.levels.len()), (seen.cameras.len(), seen.sites.len()));
        // Counts are of what is seen, and not the commune's.
        prop_assert_eq!(snapshot.counts.all_cameras(), seen.cameras.len());
        prop_assert_eq!((snapshot.counts.all_sites(), snapshot.coverage.total), (seen.sites.len(), seen.sites.len()));
        for (id, link) in &snapshot.links {
            let below = seen.cameras.values().filter(|camera| seen.links_above(camera).contains(id)).count();
            prop_assert_eq!((link.cameras, link.unreachable), (below, below));
        }
        for (id, sum) in &snapshot.areas {
            let within = |site: &&Arc<crate::model::Site>| seen.areas_up_from(site.area.as_ref()).any(|area| area == id);
            prop_assert_eq!(sum.total, seen.sites.values().filter(within).count());
        }
        for site in seen.sites.values() {
            prop_assert!(site.watchers().all(|watcher| seen.cameras.contains_key(&watcher.camera)));
        }
        for camera in seen.cameras.values() {
            prop_assert!(seen.devices.contains_key(&camera.device));
            prop_assert!(seen.links_above(camera).iter().all(|link| seen.links.contains_key(link)));
            prop_assert!(camera.area.as_ref().is_none_or(|area| seen.areas.contains_key(area)));
        }
        // Seen through the same bounds again, nothing is lost that lies within.
        let again = Reach::of(&bounds, &seen);
        prop_assert!(again.fleet(&seen).sites.len() == seen.sites.len());
    }

    /// What may be taken out of service leaves all alone that lies elsewhere; of what is not seen nobody learns that it is
    /// there.
    #[test]
    fn nothing_outside_is_changed(
        fleet in worlds::fleet(), bounds in worlds::bounds(), scope in worlds::scope(), incident in worlds::incident(),
    ) {
        let (oracle, reach) = (Oracle::new(&fleet, &bounds), Reach::of(&bounds, &fleet));
        match reach.may(&Touched::Service(scope.clone()), &fleet) {
            Ok(()) => prop_assert!(oracle.leaves_others_alone(&scope) && scope.is_known(&fleet), "{scope}"),
            Err(Outside::Shared) => {
                let told = scope.to_string();
                prop_assert!(oracle.secrets().iter().all(|secret| !told.contains(secret)), "{scope} is told");
            }
            Err(Outside::Unseen) => {}
        }
        if reach.may(&Touched::Incident(&incident), &fleet).is_ok() {
            prop_assert!(incident.sites.keys().all(|site| oracle.site(site.as_str())));
            let told = incident.cause.subject();
            prop_assert!(told != "commune" && told != "monitor");
            prop_assert!(!oracle.secrets().iter().any(|secret| secret == told), "{told}");
        }
        for number in 0..=worlds::MOST {
            let (site, camera) = (format!("site-{number}."), format!("cam-{number}."));
            prop_assert_eq!(reach.may(&Touched::Site(site.as_str().into()), &fleet).is_ok(), oracle.site(&site));
            prop_assert_eq!(reach.may(&Touched::Camera(camera.as_str().into()), &fleet).is_ok(), oracle.lies(&camera));
        }
        prop_assert!(reach.may(&Touched::Commune, &fleet).is_err());
    }
}

#[test]
fn what_the_configuration_has_no_more_reaches_nothing_and_is_told() {
    let mut register = Register::default();
    let bounds = Bounds::of(["area-1.".into(), "weg".into()]).expect("some");
    assert_eq!(Bounds::of([]), None, "no area named is no bounds");
    let invite = |name: &str, role, areas| super::Invite {
        name: name.into(),
        full_name: String::new(),
        role,
        again: false,
        areas,
        openid: None,
    };
    let hash = |text: &str| super::Hash(text.into());
    register.invite(at(0), invite("an", Role::Officer, Some(bounds.clone())), hash("1")).expect("it is made");
    register.invite(at(0), invite("bo", Role::Administrator, None), hash("2")).expect("it is made");
    let refused = register.invite(at(0), invite("chi", Role::Administrator, Some(bounds.clone())), hash("3"));
    assert_eq!(refused, Err(super::Wrong::Bound));
    assert_eq!(register.bind("bo", Some(bounds.clone())), Err(super::Wrong::Bound));
    assert_eq!(register.change("an", Some(Role::Administrator), false), Err(super::Wrong::Bound));

    let commune = crate::model::Commune {
        name: "Hải Bình".into(),
        language: crate::model::Language::Vi,
        timezone: jiff::tz::TimeZone::UTC,
        night: crate::model::DailyHours::NIGHT,
    };
    let mut fleet = Fleet::empty(commune);
    let area = |name: &str| crate::model::Area { name: name.into(), parent: None };
    fleet.areas.insert("area-1.".into(), area("Khu Đông"));
    let adrift = |fleet: &Fleet| -> Vec<String> {
        register.adrift(fleet, at(0)).map(|(name, areas)| format!("{name}: {areas:?}")).collect()
    };
    assert_eq!(adrift(&fleet), ["an: [\"weg\"]"]);
    fleet.areas.insert("weg".into(), area("Khu Tây"));
    assert_eq!(adrift(&fleet), [""; 0]);
    let gone = Bounds::of(["nowhere".into()]).expect("one");
    assert_eq!(Reach::of(&gone, &fleet), Reach::default());
    let outcome = register.bind("an", None).expect("unbound");
    assert_eq!((outcome.before.as_str(), outcome.after.as_str()), ("officer in area-1., weg", "officer"));
}
