//! Fleets of any shape, for tests of what lies where: areas, links, recorders, sites and cameras that hang together anyhow.

use super::{Account, Bounds, Role};
use crate::model::{
    Area, AreaId, Camera, Cause, Commune, DailyHours, Device, Fleet, Incident, IncidentId, Language, Level, Link,
    LinkKind, Scope, Site, Span, View, Watcher, Window,
};
use jiff::Timestamp;
use proptest::prelude::*;
use std::{collections::BTreeSet, sync::Arc};

/// Things of each kind that there are at most; names beyond are of what there is not.
pub(crate) const MOST: usize = 5;

pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + second).expect("a time in this century")
}

/// An account of an officer's, without a password.
pub(crate) fn account(name: &str) -> Account {
    let (name, full_name) = (name.to_owned(), name.to_uppercase());
    Account {
        name,
        full_name,
        role: Role::Officer,
        password: None,
        created: at(0),
        closed: false,
        areas: None,
        second: None,
        openid: None,
        passkeys: Vec::new(),
    }
}

/// A number of a thing, or none.
fn some() -> impl Strategy<Value = Option<usize>> {
    prop::option::weighted(0.8, 0..MOST)
}

prop_compose! {
    /// A fleet. What an area or a link is a part of has a lower number.
    pub(crate) fn fleet()(
        areas in prop::collection::vec(some(), 1..=MOST),
        links in prop::collection::vec(some(), 0..=MOST),
        cameras in prop::collection::vec((some(), some(), 0..3usize), 0..=MOST),
        sites in prop::collection::vec((some(), 0..3usize, prop::collection::vec(0..MOST, 0..4)), 0..=MOST),
        windows in prop::collection::vec(scope(), 0..4),
    ) -> Fleet {
        let (name, timezone) = ("Hải Bình".to_owned(), jiff::tz::TimeZone::UTC);
        let mut fleet = Fleet::empty(Commune { name, language: Language::Vi, timezone, night: DailyHours::NIGHT });
        for (number, parent) in areas.into_iter().enumerate() {
            let parent = parent.filter(|parent| *parent < number).map(area);
            fleet.areas.insert(area(number), Area { name: format!("Khu area-{number}."), parent });
        }
        for (number, parent) in links.into_iter().enumerate() {
            let parent = parent.filter(|parent| *parent < number).map(|parent| format!("link-{parent}.").as_str().into());
            let link = Link {
                name: format!("Tuyến link-{number}."),
                kind: LinkKind::Switch,
                parent,
                bytes_per_day: None,
                looks_per_second: 1.0,
                probe: None,
            };
            fleet.links.insert(format!("link-{number}.").as_str().into(), link);
        }
        for (number, (lies, link, device)) in cameras.into_iter().enumerate() {
            let id = format!("cam-{number}.");
            let mut camera = Camera::new(&id, format!("rtsp://10.0.0.1/{id}").parse().expect("a URL"));
            camera.area = lies.map(area).filter(|area| fleet.areas.contains_key(area));
            camera.link = link.map(|link| format!("link-{link}.").as_str().into()).filter(|link| fleet.links.contains_key(link));
            camera.device = format!("nvr-{device}.").as_str().into();
            fleet.devices.insert(camera.device.clone(), Device { sessions: 1, notes: None });
            fleet.cameras.insert(camera.id.clone(), Arc::new(camera));
        }
        for (number, (lies, hamlet, watchers)) in sites.into_iter().enumerate() {
            let watchers = watchers.into_iter().map(|camera| format!("cam-{camera}.").as_str().into());
            let watchers = watchers.filter(|camera| fleet.cameras.contains_key(camera));
            let view = View::new("về phía chợ", watchers.map(|camera| Watcher { camera, spare: false }).collect());
            let mut site = Site::new(&format!("site-{number}."), vec![view]);
            site.area = lies.map(area).filter(|area| fleet.areas.contains_key(area));
            site.hamlet = format!("thon-{hamlet}.");
            fleet.sites.insert(site.id.clone(), Arc::new(site));
        }
        fleet.windows = windows.into_iter().filter(|scope| scope.is_known(&fleet)).enumerate().map(|(number, scope)| {
            window(&format!("f{number}"), scope)
        }).collect();
        fleet
    }
}

pub(crate) fn window(id: &str, scope: Scope) -> Window {
    let span = Span::Once { from: at(0), until: at(3600) };
    Window { id: id.into(), scope, span, author: "An".into(), reason: "thay camera".into() }
}

pub(crate) fn area(number: usize) -> AreaId {
    format!("area-{number}.").as_str().into()
}

/// Something that can be taken out of service, be it there or not.
pub(crate) fn scope() -> impl Strategy<Value = Scope> {
    (0..6usize, 0..=MOST).prop_map(|(kind, number)| match kind {
        0 => Scope::All,
        1 => Scope::Area(area(number)),
        2 => Scope::Hamlet(format!("thon-{number}.")),
        3 => Scope::Site(format!("site-{number}.").as_str().into()),
        4 => Scope::Link(format!("link-{number}.").as_str().into()),
        _ => Scope::Camera(format!("cam-{number}.").as_str().into()),
    })
}

/// An open incident.
pub(crate) fn incident() -> impl Strategy<Value = Incident> {
    let cause = (0..6usize, 0..MOST).prop_map(|(kind, number)| match kind {
        0 => Cause::Site(format!("site-{number}.").as_str().into()),
        1 => Cause::Unproven(format!("site-{number}.").as_str().into()),
        2 => Cause::Link(format!("link-{number}.").as_str().into()),
        3 => Cause::Device(format!("nvr-{number}.").as_str().into()),
        4 => Cause::Commune,
        _ => Cause::Monitor,
    });
    (cause, prop::collection::btree_set(0..MOST, 0..4), 1..100u32).prop_map(|(cause, sites, number)| Incident {
        id: IncidentId::new(&cause, at(i64::from(number))),
        number,
        sites: sites.into_iter().map(|site| (format!("site-{site}.").as_str().into(), Level::Blind)).collect(),
        step: 1,
        paged: true,
        escalated: 1,
        ..Incident::new(cause, at(0), Level::Blind)
    })
}

/// Areas that somebody is bound to, of which some may not be there.
pub(crate) fn bounds() -> impl Strategy<Value = Bounds> {
    prop::collection::btree_set(0..=MOST, 1..4)
        .prop_map(|numbers| Bounds::of(numbers.into_iter().map(area)).expect("there is one"))
}

/// What of a fleet lies where, found by looking at each thing with each area: an oracle that shares no code.
pub(crate) struct Oracle<'f> {
    fleet: &'f Fleet,
    bounds: BTreeSet<AreaId>,
}

impl<'f> Oracle<'f> {
    pub(crate) fn new(fleet: &'f Fleet, bounds: &Bounds) -> Self {
        Self { fleet, bounds: bounds.areas().cloned().collect() }
    }

    /// Whether an area lies within.
    pub(crate) fn within(&self, area: Option<&AreaId>) -> bool {
        let Some(area) = area else { return false };
        let Some(known) = self.fleet.areas.get(area) else { return false };
        self.bounds.contains(area) || self.within(known.parent.as_ref())
    }

    /// Whether an area is named: it lies within, or something that does is a part of it.
    pub(crate) fn named(&self, area: &AreaId) -> bool {
        let below = |(id, known): (&AreaId, &Area)| known.parent.as_ref() == Some(area) && self.named(id);
        self.within(Some(area)) || self.fleet.areas.iter().any(below)
    }

    pub(crate) fn site(&self, id: &str) -> bool {
        self.fleet.sites.get(id).is_some_and(|site| self.within(site.area.as_ref()))
    }

    pub(crate) fn lies(&self, camera: &str) -> bool {
        self.fleet.cameras.get(camera).is_some_and(|camera| self.within(camera.area.as_ref()))
    }

    pub(crate) fn camera(&self, id: &str) -> bool {
        let watches = |site: &&Arc<Site>| site.is_watched_by(&id.into()) && self.site(site.id.as_str());
        self.lies(id) || self.fleet.cameras.contains_key(id) && self.fleet.sites.values().any(|site| watches(&site))
    }

    pub(crate) fn link(&self, id: &str) -> bool {
        let mut cameras = self.fleet.cameras.values().filter(|camera| self.camera(camera.id.as_str()));
        cameras.any(|camera| self.fleet.links_above(camera).iter().any(|link| link.as_str() == id))
    }

    pub(crate) fn device(&self, id: &str) -> bool {
        let of = |camera: &&Arc<Camera>| camera.device.as_str() == id && self.camera(camera.id.as_str());
        self.fleet.cameras.values().any(|camera| of(&camera))
    }

    /// Whether taking this out of service leaves alone all that lies elsewhere: cameras, and sites that they watch.
    pub(crate) fn leaves_others_alone(&self, scope: &Scope) -> bool {
        let covered: BTreeSet<&str> = scope.cameras(self.fleet).map(|camera| camera.as_str()).collect();
        let watched = self.fleet.sites.values();
        let mut watched = watched.filter(|site| site.watchers().any(|one| covered.contains(one.camera.as_str())));
        covered.iter().all(|camera| self.lies(camera)) && watched.all(|site| self.site(site.id.as_str()))
    }

    /// What of all the names that there could be must not be told.
    pub(crate) fn secrets(&self) -> Vec<String> {
        let numbers = || 0..=MOST;
        let of = |kind: &str, number: usize| format!("{kind}-{number}.");
        let mut secrets: Vec<String> =
            numbers().map(|number| of("cam", number)).filter(|id| !self.camera(id)).collect();
        secrets.extend(numbers().map(|number| of("site", number)).filter(|id| !self.site(id)));
        secrets.extend(numbers().map(|number| of("link", number)).filter(|id| !self.link(id)));
        secrets.extend(numbers().map(|number| of("nvr", number)).filter(|id| !self.device(id)));
        secrets.extend(numbers().map(|number| of("area", number)).filter(|id| !self.named(&id.as_str().into())));
        let mut hamlets: Vec<String> = numbers().map(|number| of("thon", number)).collect();
        let sites: Vec<&Arc<Site>> = self.fleet.sites.values().filter(|site| self.site(site.id.as_str())).collect();
        hamlets.retain(|hamlet| !sites.iter().any(|site| site.hamlet == *hamlet));
        secrets.extend(hamlets);
        secrets
    }
}
